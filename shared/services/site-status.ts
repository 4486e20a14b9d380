import { type CountedCell, type CountedTable, sumCells } from "../geo/counters.ts";
import { GeoError } from "../geo/errors.ts";
import {
  type SiteRole,
  type SiteStatus,
  siteStatus,
  type StatusFacts,
  type StatusReplicable,
  type StatusSite,
} from "../geo/site-status.ts";
import type { WalkProgress } from "../geo/walk-progress.ts";
import type { Clock } from "../ports/clock.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import type { Table } from "../ports/table.ts";
import { listCounters } from "../tables/site/list-counters.ts";
import { readSettings } from "./change-settings.ts";
import { reportProgress } from "./registry-consistency/report-progress.ts";

/** The table that a site's rows are counted from. */
export const countedTable = (role: SiteRole): CountedTable => (role === "primary" ? "verification_state" : "registry");

/** What a status is read from. */
export interface StatusReader {
  readonly site: StatusSite;
  readonly replicables: readonly StatusReplicable[];
  readonly siteTable: Pick<Table, "get" | "query">;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}

type Cells = ReadonlyMap<string, readonly CountedCell[]>;

/** How far a secondary's walks have come. That nobody can tell makes no site unhealthy. */
const progressOf = async (
  { site, replicables, siteTable, clock, telemetry }: StatusReader,
  cells: Cells,
): Promise<Readonly<Record<string, WalkProgress>> | undefined> => {
  if (site.role !== "secondary") return undefined;
  const rowsOf = (name: string): number => (cells.get(name) ?? []).reduce((sum, { rows }) => sum + rows, 0);
  try {
    const types = replicables.map(({ name }) => ({ name, rows: rowsOf(name) }));
    return await reportProgress(siteTable, types, clock.now());
  } catch (error) {
    if (!(error instanceof GeoError)) throw error;
    telemetry.error("consistency_unreadable", { site_name: site.name, code: error.code, message: error.message });
    return undefined;
  }
};

/** What a secondary is restricted by. A site whose settings can not be read decides nothing: it is not healthy. */
const restrictionOf = async ({
  site,
  siteTable,
  telemetry,
}: StatusReader): Promise<Pick<StatusFacts, "selectiveSync" | "problem">> => {
  if (site.role !== "secondary") return {};
  try {
    const { selectiveSync } = await readSettings({ siteTable });
    return selectiveSync.type === "none" ? {} : { selectiveSync: selectiveSync.type };
  } catch (error) {
    if (!(error instanceof GeoError)) throw error;
    telemetry.error("settings_unreadable", { site_name: site.name, code: error.code, message: error.message });
    return { problem: `The settings of this site can not be read (${error.code}).` };
  }
};

/**
 * A site's status as it is now, from queries of a fixed number of items: its counters, and at a secondary the walks of its
 * types and its settings. Never fails for want of the table: a site that can not read its counters says so and is unhealthy.
 * @param apiUrl Where the caller reached the API, without a slash at the end.
 */
export const readSiteStatus = async (reader: StatusReader, apiUrl: string): Promise<SiteStatus> => {
  const { site, replicables, siteTable, clock, telemetry } = reader;
  const facts = { site, replicables, apiUrl };
  try {
    const counters = await listCounters(siteTable, countedTable(site.role));
    const cells = sumCells(counters.map((counter) => counter.cells));
    const consistency = await progressOf(reader, cells);
    const restriction = await restrictionOf(reader);
    const walks = consistency === undefined ? {} : { consistency };
    return siteStatus({ ...facts, cells, ...walks, ...restriction, readAt: clock.now() });
  } catch (error) {
    if (!(error instanceof GeoError)) throw error;
    telemetry.error("counters_unreadable", { site_name: site.name, code: error.code, message: error.message });
    // The table's own text may name accounts and endpoints, which are for logs and not for callers.
    const problem = `The counters of this site can not be read (${error.code}).`;
    return siteStatus({ ...facts, cells: undefined, problem, readAt: clock.now() });
  }
};
