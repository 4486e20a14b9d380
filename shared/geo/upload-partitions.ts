import { quoted } from "./key-codec.ts";
import type { Replicable } from "./replicable.ts";
import { matchKey, type ReplicableMatch } from "./replicable-match.ts";

/**
 * A partitioned type and its partitions (F90): GitLab's `upload` and the 23 tables that its rows are kept in. Each object is
 * of one or of the other, never of both, by whether the partitioned type is replicated. It is replicated from before there
 * were partitions; the switch-over is to turn all partitions on, and then the old type off.
 */

/**
 * To which type a key belongs now: the partitioned type while that is replicated, else the partition. Any other match is
 * handed back as it came.
 *
 * In the partitioned type an object keeps its partition's owners and uploader. Its record id begins with the partition's
 * name, since the same id may be taken in another partition.
 *
 * @param match what `matchKey` found in the same list
 * @param isReplicated whether a type's replication is on, by its name
 */
export const ownerNow = (
  replicables: readonly Replicable[],
  match: ReplicableMatch,
  isReplicated: (name: string) => boolean,
): ReplicableMatch => {
  const whole = wholeOf(replicables, match.replicable);
  if (whole === undefined || !isReplicated(whole.name)) return match;
  const { name, scope, uploader, uploaders } = match.replicable;
  return {
    replicable: { ...whole, scope, uploader, uploaders },
    modelRecordId: `${name}/${match.modelRecordId}`,
    attributes: match.attributes,
  };
};

/** The type that a partition is a part of; undefined when it is none, or when the list does without the whole. */
const wholeOf = (replicables: readonly Replicable[], { partitionOf }: Replicable): Replicable | undefined =>
  partitionOf === undefined ? undefined : replicables.find(({ name }) => name === partitionOf);

/**
 * The type that an object of a partition belonged to before the last switch-over, or would belong to after the next: what is
 * recorded under it of the same version need not be computed again (F92). Undefined for an object of any other type.
 *
 * @param name the type that the object belongs to now
 */
export const otherOwner = (replicables: readonly Replicable[], key: string, name: string): string | undefined => {
  const partition = matchKey(replicables, key)?.replicable;
  const whole = partition && wholeOf(replicables, partition);
  if (partition === undefined || whole === undefined) return undefined;
  return name === whole.name ? partition.name : whole.name;
};

const partitionsOf = (replicables: readonly Replicable[], whole: Replicable): readonly Replicable[] =>
  replicables.filter(({ partitionOf }) => partitionOf === whole.name);

/** Every key of a type begins with one of these: for listing a bucket. None begins with another. */
export const keyPrefixesOf = (replicables: readonly Replicable[], replicable: Replicable): readonly string[] => {
  if (!replicable.partitioned) return [replicable.keyPattern.literalPrefix];
  const prefixes = partitionsOf(replicables, replicable).map(({ keyPattern }) => keyPattern.literalPrefix);
  // An overridden pattern may begin within another's prefix, or with a placeholder: nothing is to be listed twice.
  return [...new Set(prefixes)].filter(
    (prefix) => !prefixes.some((other) => other !== prefix && prefix.startsWith(other)),
  );
};

/**
 * What speaks against setting a flag, for people; undefined when nothing does. A partitioned type may be switched off when
 * all its partitions are on: otherwise the objects of those that are not would be replicated by nobody.
 *
 * @param isOn whether a flag is on now, by its name
 */
export const findSwitchOverProblem = (
  replicables: readonly Replicable[],
  flag: string,
  value: boolean,
  isOn: (flag: string) => boolean,
): string | undefined => {
  const whole = replicables.find(({ partitioned, names }) => partitioned && names.flags.replication === flag);
  if (whole === undefined || value) return undefined;
  const off = partitionsOf(replicables, whole).filter(({ names }) => !isOn(names.flags.replication));
  return off.length === 0
    ? undefined
    : `${quoted(flag)} can be turned off when every partition of ${quoted(whole.name)} is on, or nobody replicates` +
        ` its objects; turn on first: ${off.map(({ names }) => names.flags.replication).join(", ")}`;
};
