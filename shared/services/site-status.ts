import { countedTable, sumCells } from "../geo/counters.ts";
import { GeoError } from "../geo/errors.ts";
import type { GatheredPart, StoredStatus } from "../geo/gathered-status.ts";
import { PRODUCT_VERSION } from "../geo/product-version.ts";
import type { SiteSettings } from "../geo/site-settings.ts";
import type { SiteStatus, SitesWord, StatusReplicable, StatusSite } from "../geo/site-status.ts";
import { type LiveFacts, ownStatus } from "../geo/told-status.ts";
import type { WalkProgress } from "../geo/walk-progress.ts";
import type { Clock } from "../ports/clock.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import type { Table } from "../ports/table.ts";
import { listCounters } from "../tables/site/list-counters.ts";
import { parseStatus, statusKey } from "../tables/site/status-item.ts";
import { readSettings } from "./change-settings.ts";
import { sentenceOf } from "./gather-status.ts";
import { reportProgress } from "./registry-consistency/report-progress.ts";

/** What a status is read from. */
export interface StatusReader {
  readonly site: StatusSite;
  readonly replicables: readonly StatusReplicable[];
  readonly siteTable: Pick<Table, "get" | "query">;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}

type Counted = NonNullable<LiveFacts["counted"]>;

/** One part of a status; when it can not be read, what is said of that. */
interface Read<Value> {
  readonly value: Value | undefined;
  readonly problems: readonly string[];
}

/** Reads a part. @param event what the log calls it when it can not be read; its text never leaves the log */
const readPart = async <Value>(
  { site, telemetry }: StatusReader,
  part: GatheredPart,
  event: string,
  read: () => Promise<Value>,
): Promise<Read<Value>> => {
  try {
    return { value: await read(), problems: [] };
  } catch (error) {
    if (!(error instanceof GeoError)) throw error;
    telemetry.error(event, { site_name: site.name, code: error.code, message: error.message });
    return { value: undefined, problems: [sentenceOf(part, error.code)] };
  }
};

const readCounted = async ({ site, siteTable }: StatusReader): Promise<Counted> => {
  const counters = await listCounters(siteTable, countedTable(site.role));
  const times = counters.flatMap(({ asOf }) => asOf ?? []);
  return {
    cells: sumCells(counters.map((counter) => counter.cells)),
    lastChangeAt: times.length === 0 ? undefined : Math.max(...times),
  };
};

/** How far a secondary's walks have come. That nobody can tell makes no site unhealthy. */
const readWalks = async (
  reader: StatusReader,
  counted: Counted | undefined,
): Promise<Readonly<Record<string, WalkProgress>> | undefined> => {
  const { site, replicables, siteTable, clock } = reader;
  if (site.role !== "secondary" || counted === undefined) return undefined;
  const rowsOf = (name: string): number => (counted.cells.get(name) ?? []).reduce((sum, { rows }) => sum + rows, 0);
  const types = replicables.map(({ name }) => ({ name, rows: rowsOf(name) }));
  const read = () => reportProgress(siteTable, types, clock.now());
  return (await readPart(reader, "counters", "consistency_unreadable", read)).value;
};

/** What a secondary is restricted by, and whether it is paused. A site whose settings can not be read decides nothing: it is not healthy. */
const readOwnSettings = async (reader: StatusReader): Promise<Read<SiteSettings>> => {
  const { site, siteTable } = reader;
  if (site.role !== "secondary") return { value: undefined, problems: [] };
  return readPart(reader, "settings", "settings_unreadable", () => readSettings({ siteTable }));
};

/** What the site last gathered. Where that can not be read, the rest is told without it: it is made anew each minute. */
const readStored = async (reader: StatusReader): Promise<StoredStatus | undefined> => {
  const { site, siteTable } = reader;
  const read = async () => parseStatus(await siteTable.get(statusKey(site.name)));
  return (await readPart(reader, "counters", "gathered_status_unreadable", read)).value;
};

/**
 * A site's own status as it is now, from a fixed number of reads: its counters, what it last gathered, and at a secondary the
 * walks of its types and its settings. Never fails for want of the table: a site that can not read its counters says so and
 * is unhealthy.
 *
 * @param apiUrl where the caller reached the API, without a slash at the end
 * @param word the word for sites that the caller used: links have the same
 */
export const readSiteStatus = async (
  reader: StatusReader,
  apiUrl: string,
  word: SitesWord = "geo_sites",
): Promise<SiteStatus> => {
  const { site, replicables, clock } = reader;
  const counted = await readPart(reader, "counters", "counters_unreadable", () => readCounted(reader));
  const consistency = await readWalks(reader, counted.value);
  const settings = await readOwnSettings(reader);
  const stored = await readStored(reader);
  const live: LiveFacts = {
    site,
    version: PRODUCT_VERSION,
    replicables,
    counted: counted.value,
    rule: settings.value?.selectiveSync,
    enabled: settings.value?.enabled ?? true,
    consistency,
    problems: [...counted.problems, ...settings.problems],
  };
  return ownStatus(live, stored, { now: clock.now(), apiUrl, word });
};
