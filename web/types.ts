import type { TypeNames } from "./type-names.ts";

/** Which types there are. What a status tells of types that this page was not built with, another version's, is shown as well. */

const BY_PLURAL: ReadonlyMap<string, TypeNames> = new Map(DECLARED_TYPES.map((type) => [type.plural, type]));

const capitalized = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

/** Names that follow from a plural by English's rules, for a type that is not declared here. */
const guessed = (plural: string): TypeNames => {
  const name = plural.endsWith("ies") ? `${plural.slice(0, -3)}y` : plural.replace(/s$/, "");
  const pascal = name.split("_").map(capitalized).join("");
  return {
    name,
    plural,
    title: plural.split("_").map(capitalized).join(" "),
    registriesField: `${pascal.charAt(0).toLowerCase()}${pascal.slice(1)}Registries`,
    registryClass: `${pascal}Registry`,
    registryEnumKey: `${name.toUpperCase()}_REGISTRY`,
    model: plural,
    replicationFlag: `geo_${name}_replication`,
  };
};

/** The type of a plural, as status fields and paths have it. */
export const typeOf = (plural: string): TypeNames => BY_PLURAL.get(plural) ?? guessed(plural);

/** The type whose records data management shows under a name. */
export const typeOfModel = (model: string): TypeNames =>
  DECLARED_TYPES.find((type) => type.model === model) ?? guessed(model);

/** Every type that this page was built with, in the order of their titles. */
export const declaredTypes: readonly TypeNames[] = DECLARED_TYPES.toSorted((left, right) =>
  left.title.localeCompare(right.title, "en"),
);
