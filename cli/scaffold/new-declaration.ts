import { camelCase, pascalCase, pluralize } from "../../shared/geo/inflection.ts";
import { buildKey } from "../../shared/geo/key-pattern.ts";
import { PRODUCT_VERSION } from "../../shared/geo/product-version.ts";
import { metadataScope, namespaceScope, organizationScope, projectScope } from "../../shared/geo/replicable-scope.ts";
import {
  type ChecksumPolicy,
  defineReplicable,
  type Replicable,
  type ReplicableDeclaration,
  type ShardingKey,
} from "../../shared/geo/replicable.ts";

/** What somebody wants a new type to be; unchecked. */
export interface WantedType {
  readonly name: string;
  readonly shardingKeys: readonly string[];
  /** Default: the usual place of such a type. */
  readonly keyPattern?: string | undefined;
  /** Default: the name in PascalCase. */
  readonly model?: string | undefined;
  /** Default: the plural name. */
  readonly table?: string | undefined;
  /** Default: the name in PascalCase, and `Uploader`. */
  readonly uploaders?: readonly string[] | undefined;
  /** Default: this product's version. */
  readonly milestone?: string | undefined;
  readonly plural?: string | undefined;
  readonly checksum?: string | undefined;
}

/** How the file says to whom an object belongs, when its key says it. */
const SCOPES = {
  namespace_id: { source: "namespaceScope()", scope: namespaceScope() },
  group_id: { source: 'namespaceScope("group_id")', scope: namespaceScope("group_id") },
  project_id: { source: "projectScope()", scope: projectScope() },
  organization_id: { source: "organizationScope()", scope: organizationScope() },
} as const;
const METADATA = { source: "metadataScope", scope: metadataScope } as const;

const scopeFor = ({ shardingKeys, keyPattern }: WantedType) => {
  const [only = "", ...others] = shardingKeys;
  const owned = Object.entries(SCOPES).find(([key]) => key === only)?.[1];
  const isInKey = keyPattern === undefined || keyPattern.includes(`{${only}}`) || keyPattern.includes(`{${only}+}`);
  return owned !== undefined && others.length === 0 && isInKey ? owned : METADATA;
};

const MILESTONE = PRODUCT_VERSION.split(".").slice(0, 2).join(".");

const declarationOf = (wanted: WantedType): ReplicableDeclaration => {
  const { name, shardingKeys, keyPattern, plural, checksum } = wanted;
  // Unknown keys are among the problems of the type, as unknown checksums are.
  const [firstKey = "none", secondKey, ...otherKeys] = shardingKeys as readonly ShardingKey[];
  const [uploader = "", ...otherUploaders] = wanted.uploaders ?? [`${pascalCase(name)}Uploader`];
  return {
    name,
    ...(plural === undefined ? {} : { plural }),
    model: wanted.model ?? pascalCase(name),
    table: wanted.table ?? plural ?? pluralize(name),
    shardingKey: secondKey === undefined ? firstKey : [firstKey, secondKey, ...otherKeys],
    ...(keyPattern === undefined ? {} : { keyPattern }),
    uploader: otherUploaders.length === 0 ? uploader : [uploader, ...otherUploaders],
    strategy: "blob",
    scope: scopeFor(wanted).scope,
    milestone: wanted.milestone ?? MILESTONE,
    enabledByDefault: false,
    ...(checksum === undefined ? {} : { verification: { checksum: checksum as ChecksumPolicy } }),
  };
};

/** The type as it would be declared; `findReplicableProblems` says what is wrong with it. */
export const replicableFor = (wanted: WantedType): Replicable => defineReplicable(declarationOf(wanted));

/** The identifier that the file exports. */
export const identifierOf = (name: string): string => camelCase(name);

/** The file that declares the type, from the root of the checkout. */
export const pathOf = (name: string): string => `shared/replicables/${name.replaceAll("_", "-")}.ts`;

const exampleKey = ({ keyPattern }: Replicable): string =>
  buildKey(
    keyPattern,
    Object.fromEntries(
      keyPattern.placeholders.map((name) => [name, name === "id" ? "42" : name === keyPattern.rest ? "file.bin" : "7"]),
    ),
  );

/** The text of that file, which has yet to be formatted. For a type without problems. */
export const declarationSource = (wanted: WantedType): string => {
  const { scope: _scope, ...declaration } = declarationOf(wanted);
  const { source } = scopeFor(wanted);
  const replicable = replicableFor(wanted);
  const isUsualPlace =
    replicable.keyPattern.text === replicableFor({ ...wanted, keyPattern: undefined }).keyPattern.text;
  const lines = Object.entries(declaration)
    .filter(([field]) => field !== "keyPattern" || !isUsualPlace)
    .flatMap(([field, value]) => [
      `  ${field}: ${JSON.stringify(value)},`,
      ...(field === "strategy" ? [`  scope: ${source},`] : []),
    ]);
  return `import { ${source.replace(/\(.*/, "")} } from "../geo/replicable-scope.ts";
import { defineReplicable } from "../geo/replicable.ts";

/** ${replicable.names.titlePlural}: \`${exampleKey(replicable)}\`. */
export const ${identifierOf(wanted.name)} = defineReplicable({
${lines.join("\n")}
});
`;
};
