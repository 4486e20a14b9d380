import { type CountedTable, sumCells } from "../geo/counters.ts";
import { GeoError } from "../geo/errors.ts";
import {
  type SiteRole,
  type SiteStatus,
  siteStatus,
  type StatusReplicable,
  type StatusSite,
} from "../geo/site-status.ts";
import type { Clock } from "../ports/clock.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import type { Table } from "../ports/table.ts";
import { listCounters } from "../tables/site/list-counters.ts";

/** The table that a site's rows are counted from. */
export const countedTable = (role: SiteRole): CountedTable => (role === "primary" ? "verification_state" : "registry");

/** What a status is read from. */
export interface StatusReader {
  readonly site: StatusSite;
  readonly replicables: readonly StatusReplicable[];
  readonly siteTable: Pick<Table, "query">;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}

/**
 * A site's status as it is now, from one query of a fixed number of counters. Never fails for want of the table: a site
 * that can not read its counters says so and is unhealthy.
 * @param apiUrl Where the caller reached the API, without a slash at the end.
 */
export const readSiteStatus = async (reader: StatusReader, apiUrl: string): Promise<SiteStatus> => {
  const { site, replicables, siteTable, clock, telemetry } = reader;
  const facts = { site, replicables, apiUrl };
  try {
    const counters = await listCounters(siteTable, countedTable(site.role));
    return siteStatus({ ...facts, cells: sumCells(counters.map(({ cells }) => cells)), readAt: clock.now() });
  } catch (error) {
    if (!(error instanceof GeoError)) throw error;
    telemetry.error("counters_unreadable", { site_name: site.name, code: error.code, message: error.message });
    // The table's own text may name accounts and endpoints, which are for logs and not for callers.
    const problem = `The counters of this site can not be read (${error.code}).`;
    return siteStatus({ ...facts, cells: undefined, problem, readAt: clock.now() });
  }
};
