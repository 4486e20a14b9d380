import type { Replicable } from "../../shared/geo/replicable.ts";
import type { Clock } from "../../shared/ports/clock.ts";
import type { Table } from "../../shared/ports/table.ts";
import { setFlag } from "../../shared/tables/site/flags-item.ts";

/**
 * Switches on the types that are declared off, as an operator does who tries out what is not released yet, and switches
 * over from a partitioned type to its partitions: a local installation is there to see every type at work.
 *
 * @param primarySiteTable where the flags of all sites are
 */
export const switchOnExperiments = async (
  primarySiteTable: Pick<Table, "update">,
  replicables: readonly Replicable[],
  clock: Clock,
): Promise<void> => {
  const set = (types: readonly Replicable[], value: boolean): Promise<unknown> =>
    Promise.all(
      types.map(({ names }) => primarySiteTable.update(setFlag(names.flags.replication, value, clock.now()))),
    );
  await set(
    replicables.filter(({ enabledByDefault }) => !enabledByDefault),
    true,
  );
  // The partitions are all on now, so that the type that they are parts of may go.
  await set(
    replicables.filter(({ partitioned }) => partitioned),
    false,
  );
};
