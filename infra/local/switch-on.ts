import type { Replicable } from "../../shared/geo/replicable.ts";
import type { Clock } from "../../shared/ports/clock.ts";
import type { Table } from "../../shared/ports/table.ts";
import { setFlag } from "../../shared/tables/site/flags-item.ts";

/**
 * Switches on the types that are declared off, as an operator does who tries out what is not released yet: a local
 * installation is there to see every type at work.
 *
 * @param primarySiteTable where the flags of all sites are
 */
export const switchOnExperiments = async (
  primarySiteTable: Pick<Table, "update">,
  replicables: readonly Replicable[],
  clock: Clock,
): Promise<void> => {
  const off = replicables.filter(({ enabledByDefault }) => !enabledByDefault);
  await Promise.all(
    off.map(({ names }) => primarySiteTable.update(setFlag(names.flags.replication, true, clock.now()))),
  );
};
