import { cumulative, eachPart } from "../geo/lag-histogram.ts";
import type { LagHistogram, LagPart } from "../geo/type-summary.ts";
import type { Table } from "../ports/table.ts";
import { listCounters } from "../tables/site/list-counters.ts";
import { sumCounters } from "./roll-up.ts";
import { countedTable, type StatusReader } from "./site-status.ts";

/** How long everything took that was ever verified at a site, part by part; by the names of the types. */
export type LagHistograms = ReadonlyMap<string, Readonly<Record<LagPart, LagHistogram>>>;

/**
 * Reads the lag histograms of a site's own counters: one query of a fixed number of items. Writes nothing, other than `rollUp`,
 * so that whoever only shows them needs no right to.
 *
 * @throws TableUnavailableError when the site table did not answer
 */
export const readLagHistograms = async ({
  site,
  replicables,
  siteTable,
}: Pick<StatusReader, "site" | "replicables"> & {
  readonly siteTable: Pick<Table, "query">;
}): Promise<LagHistograms> => {
  const counters = await listCounters(siteTable, countedTable(site.role));
  const byType = Map.groupBy(counters, ({ replicableName }) => replicableName);
  return new Map(
    replicables.map(({ name }) => {
      const { lag, lagMs } = sumCounters(byType.get(name) ?? [], name);
      return [name, eachPart((part) => cumulative({ buckets: lag[part], sumMs: lagMs[part] }))];
    }),
  );
};
