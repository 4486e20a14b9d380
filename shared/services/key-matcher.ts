import type { ReplicableMatch } from "../geo/replicable-match.ts";
import { matchKey } from "../geo/replicable-match.ts";
import type { Replicable } from "../geo/replicable.ts";
import { ownerNow } from "../geo/upload-partitions.ts";
import type { SwitchReader } from "../ports/site.ts";

/** To which type a key belongs now. */
export type KeyMatcher = (key: string) => ReplicableMatch | undefined;

/**
 * Matches keys by what is switched on now: an object of a partition belongs to the partitioned type while that is replicated
 * (F90). Made once per message: the flags that it goes by are as old as the message's first look at them.
 *
 * @throws TableUnavailableError when the flags can not be read
 */
export const keyMatcher = async (
  replicables: readonly Replicable[],
  switches: Pick<SwitchReader, "of">,
): Promise<KeyMatcher> => {
  const whole = replicables.filter(({ partitioned }) => partitioned);
  const on = new Set<string>();
  for (const { name } of whole) if ((await switches.of(name)).replication) on.add(name);
  return (key) => {
    const match = matchKey(replicables, key);
    return match === undefined ? undefined : ownerNow(replicables, match, (name) => on.has(name));
  };
};
