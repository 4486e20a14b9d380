import { GeoError } from "./errors.ts";
import { quoted } from "./key-codec.ts";
import { NO_KEYS, patternsOverlap } from "./key-pattern.ts";
import { publicNames } from "./naming.ts";
import { CHECKSUM_POLICIES, SHARDING_KEYS, type Replicable } from "./replicable.ts";
import { STRATEGIES } from "./replicable-strategy.ts";

/**
 * What is wrong with a list of replicables, all of it: somebody who adds a type mends it in one go. Checked at start-up, of
 * every function and of a deployment; nothing runs with half a list.
 */

/** Names become parts of partition keys, metrics and flags; Geo's longest has 51 characters. */
export const REPLICABLE_NAME_LENGTH_MAX = 63;

/** A site's own status fields are made of these plurals (`projects_count`). */
const RESERVED_PLURALS = ["projects", "repositories", "repositories_checked", "replication_slots"];

const SNAKE_CASE = /^[a-z][a-z0-9]*(?:_[a-z0-9]+)*$/;
const RUBY_CLASS = /^[A-Z][A-Za-z0-9]*(?:::[A-Z][A-Za-z0-9]*)*$/;

/** What is wrong with a type's name, for people; undefined when nothing is. */
export const findNameProblem = (name: string): string | undefined =>
  SNAKE_CASE.test(name) && name.length <= REPLICABLE_NAME_LENGTH_MAX
    ? undefined
    : `its name must be snake_case of at most ${String(REPLICABLE_NAME_LENGTH_MAX)} characters`;

/** One line per problem, for people; empty when the list is good. */
export const findReplicableProblems = (replicables: readonly Replicable[]): readonly string[] => [
  ...(replicables.length === 0 ? ["there is no replicable at all, expected at least one"] : []),
  ...replicables.flatMap((replicable) => ownProblems(replicable).map((text) => `${quoted(replicable.name)}: ${text}`)),
  ...findClashes(replicables),
];

/**
 * Refuses a list with any problem.
 * @throws GeoError GEO_INVALID_REPLICABLE, its message naming every problem
 */
export const assertReplicables = (replicables: readonly Replicable[]): void => {
  const problems = findReplicableProblems(replicables);
  if (problems.length > 0)
    throw new GeoError("GEO_INVALID_REPLICABLE", ["the replicables can not be used:", ...problems].join("\n- "));
};

/**
 * Declarations are typed, but a cast or a plain JavaScript caller gets by the types. Hence the checks of what can not be.
 */
const ownProblems = (replicable: Replicable): string[] => {
  const problems: string[] = [];
  const expect = (good: boolean, problem: string): void => {
    if (!good) problems.push(problem);
  };
  const { name, names, scope, keyPattern } = replicable;
  const nameProblem = findNameProblem(name);
  if (nameProblem !== undefined) problems.push(nameProblem);
  expect(SNAKE_CASE.test(names.plural), `its plural must be snake_case, and is ${quoted(names.plural)}`);
  expect(
    !RESERVED_PLURALS.includes(names.plural),
    `its plural ${quoted(names.plural)} is taken by a site's own status fields`,
  );
  expect(
    RUBY_CLASS.test(replicable.model),
    `its model must be a class name such as Packages::PackageFile, and is ${shown(replicable.model)}`,
  );
  expect(SNAKE_CASE.test(replicable.table), `its table must be snake_case, and is ${shown(replicable.table)}`);
  for (const uploader of replicable.uploaders)
    expect(
      RUBY_CLASS.test(uploader),
      `its uploader must be a class name such as AvatarUploader, and is ${shown(uploader)}`,
    );
  expect(replicable.uploaders.length > 0, "it has no uploader");
  for (const shardingKey of replicable.shardingKeys)
    expect(
      (SHARDING_KEYS as readonly string[]).includes(shardingKey),
      `its sharding key is ${shown(shardingKey)}, expected ${SHARDING_KEYS.join(", ")}`,
    );
  expect(replicable.shardingKeys.length > 0, "it has no sharding key; data of the whole instance says none");
  expect(
    Object.hasOwn(STRATEGIES, replicable.strategy),
    `its strategy is ${shown(replicable.strategy)}, expected ${Object.keys(STRATEGIES).join(", ")}`,
  );
  expect(
    (CHECKSUM_POLICIES as readonly string[]).includes(replicable.checksumPolicy),
    `its checksum is ${shown(replicable.checksumPolicy)}, expected ${CHECKSUM_POLICIES.join(", ")}`,
  );
  expect(
    /^\d{1,3}\.\d{1,3}$/.test(replicable.milestone),
    `its milestone must look like 18.11, and is ${shown(replicable.milestone)}`,
  );
  // The keys of a partitioned type are those of its partitions.
  if (replicable.partitioned)
    expect(
      keyPattern === NO_KEYS && replicable.available === undefined,
      "it is partitioned: expected no key pattern and no filter of its own, as its partitions have them",
    );
  for (const problem of replicable.partitioned ? [] : keyPattern.problems)
    problems.push(`its key pattern ${quoted(keyPattern.text)} can not be used: ${problem}`);
  if ((scope as typeof scope | undefined)?.from === undefined)
    problems.push(
      "it has no selective sync scope; expected namespaceScope(), projectScope(), organizationScope(), metadataScope or alwaysReplicated",
    );
  else if (scope.from === "key")
    expect(
      keyPattern.placeholders.includes(scope.placeholder),
      `its scope needs {${scope.placeholder}}, which its key pattern ${quoted(keyPattern.text)} does not have`,
    );
  return problems;
};

const shown = (value: unknown): string => (typeof value === "string" ? quoted(value) : typeof value);

const findClashes = (replicables: readonly Replicable[]): string[] => {
  const problems: string[] = [];
  const byName = new Map<string, Replicable>();
  for (const replicable of replicables) {
    if (byName.has(replicable.name)) problems.push(`${quoted(replicable.name)} is declared twice`);
    else byName.set(replicable.name, replicable);
  }
  // A type that is declared twice clashes with itself in everything else too; once is enough to say.
  const distinct = [...byName.values()];
  const takenBy = new Map<string, string>();
  for (const { name, names } of distinct)
    for (const [kind, words] of Object.entries(publicNames(names)))
      for (const word of words) {
        const other = takenBy.get(`${kind} ${word}`);
        if (other !== undefined && other !== name)
          problems.push(`${quoted(other)} and ${quoted(name)} share the ${kind} ${quoted(word)}`);
        takenBy.set(`${kind} ${word}`, name);
      }
  problems.push(...findPartitionProblems(distinct, byName));
  // Two rows would fight for one key (R33).
  for (const [index, a] of distinct.entries())
    for (const b of distinct.slice(index + 1))
      if (patternsOverlap(a.keyPattern, b.keyPattern))
        problems.push(
          `${quoted(a.name)} and ${quoted(b.name)} could claim one key: ${quoted(a.keyPattern.text)} overlaps ${quoted(b.keyPattern.text)}`,
        );
  return problems;
};

const findPartitionProblems = (
  replicables: readonly Replicable[],
  byName: ReadonlyMap<string, Replicable>,
): readonly string[] =>
  replicables.flatMap(({ name, partitioned, partitionOf }) => {
    // An installation may do without the whole, and then has partitions alone.
    const whole = partitionOf === undefined ? undefined : byName.get(partitionOf);
    return [
      ...(whole === undefined || whole.partitioned
        ? []
        : [`${quoted(name)} is a partition of ${quoted(whole.name)}, which does not say that it is partitioned`]),
      ...(partitioned && partitionOf !== undefined ? [`${quoted(name)} is partitioned and a partition itself`] : []),
      ...(partitioned && !replicables.some((other) => other.partitionOf === name)
        ? [`${quoted(name)} has the objects of its partitions, and there is none of them`]
        : []),
    ];
  });
