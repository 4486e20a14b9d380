import { type CountedTable, sumCells } from "../geo/counters.ts";
import type { SiteRole } from "../geo/site-status.ts";
import { type LagHistogram, type RolledUp, type TypeSummary } from "../geo/type-summary.ts";
import type { Table } from "../ports/table.ts";
import { listCounters } from "../tables/site/list-counters.ts";

/** What rolling up needs. */
export interface RollUpSite {
  readonly siteTable: Pick<Table, "get" | "query" | "put">;
  readonly replicables: readonly { readonly name: string }[];
  readonly role: SiteRole;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

const TABLE_OF: Readonly<Record<SiteRole, CountedTable>> = { primary: "verification_state", secondary: "registry" };

const NOTHING: LagHistogram = { buckets: [], count: 0, sumSeconds: 0 };

/**
 * Adds up the counters of a site.
 *
 * @throws TableUnavailableError when the site table did not answer
 */
export const rollUp = async ({ siteTable, replicables, role }: RollUpSite): Promise<RolledUp> => {
  const counters = await listCounters(siteTable, TABLE_OF[role]);
  const cells = sumCells(counters.map((counter) => counter.cells));
  const times = counters.flatMap(({ asOf }) => (asOf === undefined ? [] : [asOf]));
  const summaryOf = (name: string): TypeSummary => ({
    cells: cells.get(name) ?? [],
    oldestUnsyncedTime: undefined,
    backlogAges: [],
    lag: { total: undefined, notify: undefined, queue: undefined, copy: undefined, verify: undefined },
    lagHistogram: { total: NOTHING, notify: NOTHING, queue: NOTHING, copy: NOTHING, verify: NOTHING },
    audit: undefined,
  });
  return {
    asOf: times.length === 0 ? undefined : Math.max(...times),
    types: new Map(replicables.map(({ name }) => [name, summaryOf(name)])),
  };
};
