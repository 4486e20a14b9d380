import { matchKeyPattern, type KeyMatch } from "./key-pattern.ts";
import type { Replicable } from "./replicable.ts";

/** To which replicable a key belongs, and what its pattern finds in it. */
export interface ReplicableMatch extends KeyMatch {
  readonly replicable: Replicable;
}

/**
 * Finds the replicable that `key` belongs to, or `undefined`: a bucket may hold other things too, and a type may leave some
 * of its own out (`available`). At most one fits, as overlapping patterns are refused at start-up (R33). A key of a
 * partition is found as the partition's; see `ownerNow`. `replicables` must not change afterwards: it is indexed once.
 */
export const matchKey = (replicables: readonly Replicable[], key: string): ReplicableMatch | undefined => {
  const index = indexOf(replicables);
  const [firstSegment] = key.split("/", 1);
  for (const replicable of [...(index.get(firstSegment) ?? []), ...(index.get(undefined) ?? [])]) {
    const match = matchKeyPattern(replicable.keyPattern, key);
    if (match === undefined) continue;
    return replicable.available?.(match.attributes) === false ? undefined : { replicable, ...match };
  }
  return undefined;
};

/**
 * Types by the first segment of their keys; `undefined` is for those whose first segment is not plain text. Most patterns
 * start with a table's name: of some forty types, a key is held against one or two.
 */
type Index = ReadonlyMap<string | undefined, readonly Replicable[]>;

const indexes = new WeakMap<readonly Replicable[], Index>();

const indexOf = (replicables: readonly Replicable[]): Index => {
  const known = indexes.get(replicables);
  if (known !== undefined) return known;
  const index = Map.groupBy(replicables, firstText);
  indexes.set(replicables, index);
  return index;
};

const firstText = ({ keyPattern }: Replicable): string | undefined => {
  const [first] = keyPattern.segments;
  return first?.kind === "text" ? first.text : undefined;
};
