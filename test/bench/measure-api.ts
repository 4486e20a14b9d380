import type { ObjectRef } from "../../shared/geo/registry-row.ts";
import { rowKey } from "../../shared/geo/registry-row.ts";
import type { MemoryTable } from "../../shared/memory/table.ts";
import { API_URL, apiSite } from "../api/support/site.ts";
import { atMost, type Bar } from "./bars.ts";
import { percentiles } from "./percentiles.ts";

/** What is asked of the API. */
export const API_CALLS = ["status", "registries_page", "metrics"] as const;
export type ApiCall = (typeof API_CALLS)[number];

/** What one kind of call costs at a site with so many rows. */
export interface ApiFigures {
  readonly call: ApiCall;
  readonly rows: number;
  /** Requests to tables that one call makes. */
  readonly reads: number;
  /** In the function, without network and table: milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly answerBytes: number;
}

const TYPE = "lfs_object";

const ROWS = [1_000, 100_000, 1_000_000] as const;

const CALLS_BEFORE = 30;
const CALLS = 200;

/** Rows that are put into the table of rows at once. */
const BATCH = 10_000;

/** Of how many rows one has failed: some in every selection. */
const FAILED_EVERY = 100;

/** The gateway takes the stage off the path. */
const ORIGIN = "https://api.invalid";

const ADMIN = { apiUrl: API_URL, tokenName: "bench", tokenScope: "admin_geo" } as const;

/** Rows of a page, as it asks for them. */
const PAGE_ROWS = 20;

const PAGE = `query { geoNode { name primary lfsObjectRegistries(first: ${PAGE_ROWS}) {
  count(limit: 1000) pageInfo { hasNextPage endCursor }
  nodes { id state verificationState lfsObjectId lastSyncedAt verifiedAt } } } }`;

const requestOf = (call: ApiCall): Request => {
  switch (call) {
    case "status":
      return new Request(`${ORIGIN}/api/v4/geo_sites/status`);
    case "metrics":
      return new Request(`${ORIGIN}/metrics`);
    case "registries_page":
      return new Request(`${ORIGIN}/api/graphql`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ query: PAGE }),
      });
  }
};

const rowOf = (id: number, now: number): Readonly<Record<string, string | number>> & { pk: string; sk: string } => {
  const ref: ObjectRef = { replicableName: TYPE, key: `lfs_objects/${id}/4c/8e` };
  const failed = id % FAILED_EVERY === 0;
  return {
    ...rowKey(ref),
    state: failed ? 3 : 2,
    verification_state: failed ? 0 : 2,
    src_size: 1_000,
    created_at: now,
    last_synced_at: now,
    ...(failed ? {} : { verified_at: now }),
  };
};

/** A secondary that has so many rows, counted as its stream would have them counted. */
const siteWith = async (rows: number): Promise<ReturnType<typeof apiSite>> => {
  const site = apiSite("secondary");
  for (let first = 0; first < rows; first += BATCH) {
    const batch = Array.from({ length: Math.min(BATCH, rows - first) }, (_, index) =>
      rowOf(first + index, site.clock.now()),
    );
    for (const row of batch) await site.rowTable.put(row);
    await site.rows(batch);
  }
  return site;
};

const readsOf = async (site: ReturnType<typeof apiSite>, once: () => Promise<unknown>): Promise<number> => {
  let reads = 0;
  const tables: readonly MemoryTable[] = [site.siteTable, site.primarySiteTable, site.rowTable];
  for (const table of tables) table.interference = { before: () => void (reads += 1) };
  await once();
  for (const table of tables) table.interference = undefined;
  return reads;
};

const answerOf = async (site: ReturnType<typeof apiSite>, call: ApiCall): Promise<string> => {
  const response = await site.app.fetch(requestOf(call), ADMIN);
  const text = await response.text();
  if (response.status !== 200 || text.includes('"errors"')) {
    throw new Error(`${call} was answered ${response.status}: ${text.slice(0, 500)}`);
  }
  const nodes = text.match(/"lastSyncedAt"/g)?.length ?? 0;
  if (call === "registries_page" && nodes !== PAGE_ROWS)
    throw new Error(`a page of ${nodes} rows: ${text.slice(0, 500)}`);
  return text;
};

/** What a status, a page of registries and the metrics cost at a site, by its number of rows. */
export const measureApi = async (detail: (text: string) => void): Promise<readonly ApiFigures[]> => {
  const figures: ApiFigures[] = [];
  for (const rows of ROWS) {
    detail(`${rows} rows`);
    const site = await siteWith(rows);
    for (const call of API_CALLS) {
      for (let count = 0; count < CALLS_BEFORE; count += 1) await answerOf(site, call);
      const reads = await readsOf(site, () => answerOf(site, call));
      const times: number[] = [];
      let answer = "";
      for (let count = 0; count < CALLS; count += 1) {
        const before = performance.now();
        answer = await answerOf(site, call);
        times.push(performance.now() - before);
      }
      const { p50, p99 } = percentiles(times);
      figures.push({ call, rows, reads, p50, p99, answerBytes: Buffer.byteLength(answer) });
    }
  }
  return figures;
};

/** A status is less than ten requests to a table, whatever the site holds. */
const STATUS_READS_MAX = 9;

/** What the API may ask its tables for. Times have no bars. */
export const apiBars = (figures: readonly ApiFigures[]): readonly Bar[] =>
  figures.flatMap(({ call, rows, reads }) => {
    const least = figures.find((one) => one.call === call)?.reads ?? 0;
    return [
      ...(call === "registries_page" ? [] : [atMost(`reads of ${call} at ${rows} rows`, STATUS_READS_MAX, reads)]),
      atMost(`reads of ${call} at ${rows} rows, as at the fewest rows`, least, reads),
    ];
  });
