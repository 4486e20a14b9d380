import { quoted } from "../../shared/geo/key-codec.ts";
import { findNameProblem, findReplicableProblems } from "../../shared/geo/replicable-problems.ts";
import type { Replicable } from "../../shared/geo/replicable.ts";
import { LIST, withListed } from "./listed.ts";
import { declarationSource, identifierOf, pathOf, replicableFor, type WantedType } from "./new-declaration.ts";
import { SUPPORT_PAGE, supportPage } from "./support-page.ts";
import type { PlannedFile } from "./write-files.ts";

/** What a new type comes to. Texts have yet to be formatted. */
export type NewTypePlan =
  | {
      readonly outcome: "planned";
      readonly replicable: Replicable;
      readonly created: readonly PlannedFile[];
      readonly changed: readonly PlannedFile[];
    }
  | { readonly outcome: "refused"; readonly problems: readonly string[] };

/** Words that no constant may be called, and what the files import under other names. */
const TAKEN_IDENTIFIERS = new Set(
  (
    "arguments await break case catch class const continue debugger default delete do else enum eval export extends false " +
    "finally for function if implements import in instanceof interface let new null package private protected public " +
    "return static super switch this throw true try typeof undefined var void while with yield " +
    "defineReplicable metadataScope namespaceScope organizationScope projectScope replicables Replicable"
  ).split(" "),
);

const refused = (...problems: readonly string[]): NewTypePlan => ({ outcome: "refused", problems });

/**
 * Plans the files of a new type, or says all that is wrong with it. Writes nothing.
 * @param existing the declared types
 * @param list the text of the list of types
 */
export const planNewType = (wanted: WantedType, existing: readonly Replicable[], list: string): NewTypePlan => {
  const { name } = wanted;
  // All other names are made of this one, and would be wrong with it.
  const nameProblem = findNameProblem(name);
  if (nameProblem !== undefined) return refused(`${quoted(name)}: ${nameProblem}`);
  if (existing.some((other) => other.name === name)) {
    return refused(`${quoted(name)} is taken: expected a name that no declared type has`);
  }
  const replicable = replicableFor(wanted);
  const problems = findReplicableProblems([...existing, replicable]);
  if (problems.length > 0) return refused(...problems);
  const identifier = identifierOf(name);
  if (TAKEN_IDENTIFIERS.has(identifier) || new RegExp(`\\b${identifier}\\b`).test(list)) {
    return refused(
      `${quoted(name)} would be called ${identifier} in TypeScript, and that is taken there; expected another name`,
    );
  }
  const path = pathOf(name);
  const listed = withListed(list, identifier, path.replace(/^.*\//, "").replace(/\.ts$/, ""));
  if (listed === undefined) {
    return refused(
      `${LIST} has no list of types to add to; expected imports, and "export const replicables … = [" with a name on each line`,
    );
  }
  return {
    outcome: "planned",
    replicable,
    created: [{ path, text: declarationSource(wanted) }],
    changed: [
      { path: LIST, text: listed },
      { path: SUPPORT_PAGE, text: supportPage([...existing, replicable]) },
    ],
  };
};
