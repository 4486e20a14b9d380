import * as z from "zod/mini";
import { GeoError } from "./errors.ts";
import { quoted } from "./key-codec.ts";
import { parseKeyPattern } from "./key-pattern.ts";
import { findReplicableProblems } from "./replicable-problems.ts";
import { metadataScope } from "./replicable-scope.ts";
import type { Replicable } from "./replicable.ts";

/** Which of the declared replicables an installation replicates, and where its objects are if not at the default place. */
export interface ReplicableSelection {
  readonly names: "all" | readonly string[];
  /** Key patterns that replace the declared ones, by replicable name. */
  readonly keyPatterns: Readonly<Record<string, string>>;
}

const Selection = z.strictObject({
  names: z.union([z.literal("all"), z.array(z.string())]),
  keyPatterns: z.record(z.string(), z.string()),
});

/** The longest selection that is read, in characters: all of a Lambda function's environment may have 4 KB. */
export const SELECTION_LENGTH_MAX = 4_096;

/** All that is wrong with a selection, one line each; empty when it can be applied. */
export const findSelectionProblems = (
  replicables: readonly Replicable[],
  selection: ReplicableSelection,
): readonly string[] => {
  const known = replicables.map(({ name }) => name);
  const expected = `expected ${known.join(", ")}`;
  const names = selection.names === "all" ? known : selection.names;
  const selected = select(replicables, selection);
  return [
    ...(names.length > 0 ? [] : [`no replicable is selected; expected "all" or some of ${known.join(", ")}`]),
    ...names
      .filter((name) => !known.includes(name))
      .map((name) => `there is no replicable ${quoted(name)}; ${expected}`),
    ...names
      .filter((name, index) => names.indexOf(name) !== index)
      .map((name) => `the replicable ${quoted(name)} is selected twice`),
    ...Object.keys(selection.keyPatterns)
      .filter((name) => !known.includes(name))
      .map((name) => `a key pattern is given for ${quoted(name)}, which is no replicable; ${expected}`),
    ...(selected.length > 0 ? findReplicableProblems(selected) : []),
  ];
};

/**
 * The selected replicables, in the order of their declaration, with the installation's key patterns.
 * @throws GeoError GEO_INVALID_REPLICABLE, its message naming every problem
 */
export const applySelection = (
  replicables: readonly Replicable[],
  selection: ReplicableSelection,
): readonly Replicable[] => {
  const problems = findSelectionProblems(replicables, selection);
  if (problems.length > 0)
    throw new GeoError(
      "GEO_INVALID_REPLICABLE",
      ["the selected replicables can not be used:", ...problems].join("\n- "),
    );
  return select(replicables, selection);
};

const select = (
  replicables: readonly Replicable[],
  { names, keyPatterns }: ReplicableSelection,
): readonly Replicable[] =>
  replicables
    .filter(({ name }) => names === "all" || names.includes(name))
    .map((replicable) => {
      const pattern = Object.hasOwn(keyPatterns, replicable.name) ? keyPatterns[replicable.name] : undefined;
      return pattern === undefined ? replicable : withKeyPattern(replicable, pattern);
    });

/** An owner that the new pattern does not find in the key is looked for in user metadata. */
const withKeyPattern = (replicable: Replicable, text: string): Replicable => {
  const keyPattern = parseKeyPattern(text);
  const { scope } = replicable;
  const ownerIsLost = scope.from === "key" && !keyPattern.placeholders.includes(scope.placeholder);
  return { ...replicable, keyPattern, scope: ownerIsLost ? metadataScope : scope };
};

/** The selection as a Lambda's environment carries it. Equal selections give equal text, so that deployments are repeatable. */
export const encodeReplicableSelection = (selection: ReplicableSelection): string =>
  JSON.stringify({
    names: selection.names === "all" ? "all" : selection.names.toSorted(),
    keyPatterns: Object.fromEntries(Object.entries(selection.keyPatterns).toSorted(([a], [b]) => (a < b ? -1 : 1))),
  });

/**
 * Reads what `encodeReplicableSelection` wrote.
 * @throws GeoError GEO_INVALID_ENVIRONMENT for anything else
 */
export const decodeReplicableSelection = (json: string): ReplicableSelection => {
  const refuse = (problem: string, cause?: unknown): never => {
    throw new GeoError(
      "GEO_INVALID_ENVIRONMENT",
      `the selection of replicables can not be read: ${problem}; it is ${quoted(json)}`,
      {
        cause,
      },
    );
  };
  if (json.length > SELECTION_LENGTH_MAX)
    return refuse(`it is ${String(json.length)} characters long, expected at most ${String(SELECTION_LENGTH_MAX)}`);
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    return refuse("it is not JSON", cause);
  }
  const parsed = Selection.safeParse(value);
  return parsed.success ? parsed.data : refuse(`expected {"names": "all" or a list, "keyPatterns": {…}}`, parsed.error);
};
