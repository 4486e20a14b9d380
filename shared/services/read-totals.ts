import { countedTable } from "../geo/counters.ts";
import { cumulative, eachPart } from "../geo/lag-histogram.ts";
import { ROW_OUTCOMES, type RowOutcome } from "../geo/row-outcomes.ts";
import type { LagHistogram, LagPart } from "../geo/type-summary.ts";
import type { Table } from "../ports/table.ts";
import { listCounters } from "../tables/site/list-counters.ts";
import { sumCounters } from "./roll-up.ts";
import type { StatusReader } from "./site-status.ts";

/** What has happened to one type at a site since its counters began. */
export interface TypeTotals {
  /** How long everything took that was ever verified, part by part. */
  readonly lag: Readonly<Record<LagPart, LagHistogram>>;
  /** How often what became of a row. */
  readonly outcomes: Readonly<Record<RowOutcome, number>>;
}

/**
 * Reads the totals of a site's own counters, by the names of its types: one query of a fixed number of items. Writes nothing,
 * other than `rollUp`, so that whoever only shows them needs no right to.
 *
 * @throws TableUnavailableError when the site table did not answer
 */
export const readTotals = async ({
  site,
  replicables,
  siteTable,
}: Pick<StatusReader, "site" | "replicables"> & {
  readonly siteTable: Pick<Table, "query">;
}): Promise<ReadonlyMap<string, TypeTotals>> => {
  const counters = await listCounters(siteTable, countedTable(site.role));
  const byType = Map.groupBy(counters, ({ replicableName }) => replicableName);
  return new Map(
    replicables.map(({ name }) => {
      const ofType = byType.get(name) ?? [];
      const { lag, lagMs } = sumCounters(ofType, name);
      const times = (outcome: RowOutcome): number =>
        ofType.reduce((sum, { outcomes }) => sum + (outcomes.get(outcome) ?? 0), 0);
      return [
        name,
        {
          lag: eachPart((part) => cumulative({ buckets: lag[part], sumMs: lagMs[part] })),
          // The entries are of every outcome.
          outcomes: Object.fromEntries(ROW_OUTCOMES.map((outcome) => [outcome, times(outcome)])) as Record<
            RowOutcome,
            number
          >,
        },
      ];
    }),
  );
};
