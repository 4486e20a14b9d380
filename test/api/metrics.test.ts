import { beforeAll, describe, expect, test } from "vitest";
import { exposition } from "../../functions/status-api/metrics/exposition.ts";
import type { Exposed } from "../../functions/status-api/metrics/exposition.ts";
import { TableUnavailableError } from "../../shared/geo/errors.ts";
import type { SiteStatus } from "../../shared/geo/site-status.ts";
import { eachPart } from "../../shared/geo/lag-histogram.ts";
import { REPLICATION_STATE } from "../../shared/geo/replication-state.ts";
import type { LagHistogram } from "../../shared/geo/type-summary.ts";
import { VERIFICATION_STATE } from "../../shared/geo/verification-state.ts";
import { replicables } from "../../shared/replicables/index.ts";
import { MemoryTable } from "../../shared/memory/table.ts";
import { countChanges } from "../../shared/services/count-changes.ts";
import { gatherStatus } from "../../shared/services/gather-status.ts";
import { changeSettings } from "../../shared/tables/site/site-record.ts";
import { CachedSwitches } from "../../shared/services/type-switches.ts";
import { officialParser, type OfficialParser } from "../support/prometheus-python.ts";
import { type Family, parseExposition } from "../support/prometheus-text.ts";
import { apiSite } from "./support/site.ts";

type Api = ReturnType<typeof apiSite>;

const row = (
  name: string,
  n: number,
  state: keyof typeof REPLICATION_STATE,
  verified: keyof typeof VERIFICATION_STATE,
) => ({
  pk: `${name}#${String(n).padStart(4, "0")}`,
  sk: `key-of-an-object-${n}`,
  state: REPLICATION_STATE[state],
  verification_state: VERIFICATION_STATE[verified],
  src_size: 10,
});

const scrape = async (api: Api, headers: Record<string, string>): Promise<Response> =>
  api.call("/metrics", { headers });

const scraped = async (api: Api): Promise<string> =>
  (await scrape(api, { authorization: `Bearer ${await api.token()}` })).text();

/** The value of a series; nothing when there is none. */
const valueOf = (families: readonly Family[], name: string, labels: Record<string, string>): number | undefined => {
  const samples = families.flatMap((family) => family.samples);
  return samples.find((sample) => {
    const entries = Object.entries(labels);
    return sample.name === name && entries.every(([label, value]) => sample.labels[label] === value);
  })?.value;
};

const seriesIn = (text: string): number => parseExposition(text).flatMap(({ samples }) => samples).length;

const OUTCOMES = { synced: 7, failed: 2, verified: 6, verification_failed: 1, removed: 0 };

const SITE = { name: "frankfurt", url: "frankfurt" };

describe("GET /metrics (F62)", () => {
  test("is read by Prometheus with a reading token: Authorization: Bearer, text format 0.0.4, never cached", async () => {
    const api = apiSite();
    const response = await scrape(api, { authorization: `Bearer ${await api.token({ scope: "read_geo" })}` });
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(parseExposition(await response.text()).length).toBeGreaterThan(replicables.length);
  });

  test("is closed to everybody else, and is only read", async () => {
    const api = apiSite();
    expect((await scrape(api, {})).status).toBe(401);
    expect((await scrape(api, { authorization: `Bearer geo_${"A".repeat(43)}` })).status).toBe(403);
    const headers = { "private-token": await api.token({ scope: "admin_geo" }) };
    expect((await api.call("/metrics", { method: "POST", headers })).status).toBe(405);
  });

  test("tells of each type of a secondary what Geo does, by Geo's names, with the site's name as name and url", async () => {
    const api = apiSite();
    await api.rows([
      row("lfs_object", 1, "synced", "succeeded"),
      row("lfs_object", 2, "synced", "failed"),
      row("lfs_object", 3, "failed", "pending"),
      row("lfs_object", 4, "pending", "pending"),
    ]);
    const families = parseExposition(await scraped(api));
    const gauges = {
      "": 4,
      _registry: 4,
      _synced: 2,
      _failed: 1,
      _verification_total: 2,
      _verified: 1,
      _verification_failed: 1,
    };
    for (const [suffix, value] of Object.entries(gauges)) {
      expect({ [suffix]: valueOf(families, `geo_lfs_objects${suffix}`, SITE) }).toEqual({ [suffix]: value });
    }
    for (const ofThePrimary of ["_checksum_total", "_checksummed", "_checksum_failed"]) {
      expect(families.map(({ name }) => name)).not.toContain(`geo_lfs_objects${ofThePrimary}`);
    }
    expect(valueOf(families, "geo_replication_queued", { name: "frankfurt", replicable_name: "lfs_object" })).toBe(1);
    expect(valueOf(families, "geo_object_bytes", { name: "frankfurt", replicable_name: "lfs_object" })).toBe(40);
    expect(valueOf(families, "geo_site_healthy", { name: "frankfurt" })).toBe(1);
    for (const { names } of replicables) expect(valueOf(families, names.gauges.syncedCount, SITE)).toBeTypeOf("number");
  });

  test("tells of a primary what is checksummed, and leaves out what only a secondary knows", async () => {
    const api = apiSite("primary");
    const { state: _state, ...record } = row("lfs_object", 1, "synced", "succeeded");
    await api.rows([record]);
    const families = parseExposition(await scraped(api));
    expect(valueOf(families, "geo_lfs_objects_checksummed", SITE)).toBe(1);
    expect(valueOf(families, "geo_lfs_objects_checksum_total", SITE)).toBe(1);
    expect(families.map(({ name }) => name)).not.toContain("geo_lfs_objects_synced");
  });

  test("tells at the primary what each secondary last reported, and nothing of one that is paused", async () => {
    const api = apiSite("primary");
    for (const name of ["tokyo", "oslo"]) {
      const siteTable = new MemoryTable({ name: `${name}-site` });
      await countChanges(siteTable, {
        table: "registry",
        shard: "shard-1",
        changes: [{ sequenceNumber: "1", after: row("lfs_object", 1, "synced", "succeeded") }],
      });
      const reporting = {
        site: { name, role: "secondary", region: "eu-north-1" } as const,
        apiUrl: `https://${name}.example.com/geo`,
        replicables,
        siteTable,
        switches: new CachedSwitches(api.siteTable, replicables, api.clock),
        primary: { name: api.site.name, siteTable: api.siteTable },
        syncObjectStorage: true,
        syncTimeoutSeconds: 28_800,
        clock: api.clock,
        telemetry: api.telemetry,
      };
      if (name === "oslo") await siteTable.update(changeSettings({ enabled: false }, api.clock.now()));
      await gatherStatus(reporting, api.clock.now() + 60_000);
    }
    const text = await scraped(api);
    const families = parseExposition(text);
    expect(valueOf(families, "geo_lfs_objects_synced", { name: "tokyo", url: "tokyo" })).toBe(1);
    expect(valueOf(families, "geo_lfs_objects_oldest_unsynced_time", { name: "tokyo" })).toBe(-1);
    expect(valueOf(families, "geo_status_failed_total", { name: "tokyo" })).toBe(0);
    expect(valueOf(families, "geo_site_healthy", { name: "tokyo" })).toBe(1);
    expect(text).not.toContain("oslo");
  });

  test("has a fixed number of series, however many objects there are, and names none of them", async () => {
    const api = apiSite();
    await api.rows([row("lfs_object", 1, "pending", "pending")]);
    const few = await scraped(api);
    await api.rows(Array.from({ length: 500 }, (_, n) => row("lfs_object", n + 2, "pending", "pending")));
    const many = await scraped(api);
    expect(seriesIn(many)).toBe(seriesIn(few));
    expect(many).not.toContain("key-of-an-object");
  });

  test("leaves out what can not be read, and says that the site is not healthy", async () => {
    const api = apiSite("primary");
    const authorization = `Bearer ${await api.token()}`;
    api.siteTable.interference = {
      before: (operation) => {
        if (operation.kind === "query") throw new TableUnavailableError("throttled");
      },
    };
    const response = await scrape(api, { authorization });
    expect(response.status).toBe(200);
    const families = parseExposition(await response.text());
    expect(valueOf(families, "geo_site_healthy", { name: "frankfurt" })).toBe(0);
    expect(families.map(({ name }) => name).filter((name) => name.startsWith("geo_lfs_objects"))).toEqual([]);
  });
});

const histogram: LagHistogram = {
  buckets: [0.25, 0.35, 0.5, 0.7, 1].map((upToSeconds, at) => ({ upToSeconds, count: at + 1 })),
  count: 7,
  sumSeconds: 12.5,
};

/** A status with all that one may say, of a site whose name needs escaping. */
const statusOf = (name: string, more: Readonly<Record<string, unknown>> = {}): SiteStatus => {
  const status = {
    name,
    healthy: true,
    last_event_timestamp: 1_700_000_000,
    status_reports_failed_count: 3,
    lfs_objects_registry_count: 5,
    lfs_objects_synced_count: 4,
    lfs_objects_failed_count: null,
    lfs_objects_verified_count: 1.5,
    lfs_objects_synced_in_percentage: "80.00%",
    lfs_objects_oldest_unsynced_time: -1,
    lfs_objects_backlog_ages: [
      { up_to_seconds: 60, count: 1 },
      { up_to_seconds: null, count: 0 },
    ],
    lfs_objects_recount: { verdict: "different", difference: 2, at: "2026-01-01T00:00:00Z" },
    registry_consistency: { lfs_object: { found_missing_count: 6, found_stale_count: 0 } },
    ...more,
  };
  // As much of one as metrics are made from.
  return status as unknown as SiteStatus;
};

const exposed = async (given: Partial<Exposed> = {}): Promise<string> => {
  const { text } = await exposition({
    replicables,
    statuses: [statusOf("frankfurt"), statusOf("dublin")],
    siteName: "frankfurt",
    totals: new Map([["lfs_object", { lag: eachPart(() => histogram), outcomes: OUTCOMES }]]),
    ...given,
  });
  return text;
};

/** What a name may have in it, and a label must not. */
const NASTY = 'fr"ank\\furt\n# TYPE x gauge';

describe("the metrics", () => {
  test("tell of every site that has a status, in one family", async () => {
    const families = parseExposition(await exposed());
    const synced = families.find(({ name }) => name === "geo_lfs_objects_synced");
    expect(synced).toMatchObject({
      type: "gauge",
      samples: [
        { labels: SITE, value: 4 },
        { labels: { name: "dublin", url: "dublin" }, value: 4 },
      ],
    });
    expect(valueOf(families, "geo_status_failed_total", SITE)).toBe(3);
    expect(valueOf(families, "geo_last_event_timestamp", SITE)).toBe(1_700_000_000);
    expect(valueOf(families, "geo_lfs_objects_oldest_unsynced_time", SITE)).toBe(-1);
  });

  test("are whole numbers, and never nulls, fractions or percentages", async () => {
    const names = parseExposition(await exposed()).map(({ name }) => name);
    for (const left of ["failed", "verified", "synced_in_percentage"]) {
      expect(names).not.toContain(`geo_lfs_objects_${left}`);
    }
  });

  test("have what became of objects at this site, as counters, of types of which anything did", async () => {
    const families = parseExposition(await exposed({ statuses: [statusOf("oslo")] }));
    for (const [outcome, times] of Object.entries(OUTCOMES)) {
      const labels = { replicable_name: "lfs_object", outcome };
      expect(valueOf(families, "geo_object_outcomes_total", labels)).toBe(times);
    }
    const family = families.find(({ name }) => name === "geo_object_outcomes_total");
    expect(family?.type).toBe("counter");
    expect(family?.samples).toHaveLength(Object.keys(OUTCOMES).length);
  });

  test("have the lag of this site, part by part, as histograms whose bounds are a factor of two apart", async () => {
    const families = parseExposition(await exposed());
    const lag = families.find(({ name }) => name === "geo_replication_lag_seconds");
    expect(lag?.type).toBe("histogram");
    const labels = { name: "frankfurt", replicable_name: "lfs_object", part: "copy" };
    const bucket = (le: string) => valueOf(families, "geo_replication_lag_seconds_bucket", { ...labels, le });
    expect([bucket("0.25"), bucket("0.35"), bucket("0.5"), bucket("1"), bucket("+Inf")]).toEqual([
      1,
      undefined,
      3,
      5,
      7,
    ]);
    expect(valueOf(families, "geo_replication_lag_seconds_sum", labels)).toBe(12.5);
    expect(valueOf(families, "geo_replication_lag_seconds_count", labels)).toBe(7);
    expect(new Set(lag?.samples.map((sample) => sample.labels["name"]))).toEqual(new Set(["frankfurt"]));
  });

  test("have the ages of what waits, what a walk found and what a recount did", async () => {
    const families = parseExposition(await exposed());
    const labels = { name: "dublin", replicable_name: "lfs_object" };
    expect(valueOf(families, "geo_replication_backlog", { ...labels, up_to_seconds: "60" })).toBe(1);
    expect(valueOf(families, "geo_replication_backlog", { ...labels, up_to_seconds: "+Inf" })).toBe(0);
    expect(valueOf(families, "geo_reconcile_findings_total", { ...labels, finding: "missing" })).toBe(6);
    expect(valueOf(families, "geo_reconcile_findings_total", { ...labels, finding: "stale" })).toBe(0);
    expect(valueOf(families, "geo_reconcile_findings_total", { ...labels, finding: "orphan" })).toBeUndefined();
    expect(valueOf(families, "geo_recount_difference", labels)).toBe(2);
  });

  test("keep their form whatever a site is called", async () => {
    const families = parseExposition(await exposed({ statuses: [statusOf(NASTY)] }));
    expect(valueOf(families, "geo_site_healthy", { name: NASTY })).toBe(1);
  });

  test("of one call leave nothing for the next", async () => {
    await exposed();
    expect(await exposed({ statuses: [statusOf("oslo")], totals: undefined })).not.toContain("dublin");
  });

  test("stand when a type is called as one of them, and when a stored number is none", async () => {
    const [type] = replicables;
    if (type === undefined) throw new Error("no type is declared");
    const twin = { ...type, names: { ...type.names, gauges: { ...type.names.gauges, count: "geo_site_healthy" } } };
    const broken = statusOf("frankfurt", { status_reports_failed_count: -1, lfs_objects_recount: "none" });
    const families = parseExposition(
      await exposed({ replicables: [twin, ...replicables.slice(1)], statuses: [broken] }),
    );
    expect(families.map(({ name }) => name)).not.toContain("geo_status_failed_total");
    expect(valueOf(families, "geo_site_healthy", { name: "frankfurt" })).toBe(1);
  });
});

describe("the strict reader notices", () => {
  const fine = "# HELP a what\n# TYPE a gauge\na 1\n";
  test("nothing where all is well", () => {
    expect(parseExposition(fine)).toHaveLength(1);
  });

  const said: [string, string, RegExp][] = [
    ["a family without HELP", "# TYPE a gauge\na 1\n", /no HELP/],
    ["a family without TYPE", "# HELP a what\na 1\n", /not of the family/],
    ["a family twice", `${fine}${fine}`, /a family twice/],
    ["a series twice", `${fine}a 2\n`, /a series twice/],
    [
      "labels in another order as no other series",
      '# HELP a w\n# TYPE a gauge\na{b="1",c="2"} 1\na{c="2",b="1"} 1\n',
      /a series twice/,
    ],
    ["a label that is not escaped", '# HELP a what\n# TYPE a gauge\na{b="c"d"} 1\n', /no labels/],
    ["a label with another escape", '# HELP a what\n# TYPE a gauge\na{b="\\t"} 1\n', /no labels/],
    ["a value that is none", "# HELP a what\n# TYPE a gauge\na null\n", /no sample/],
    ["a counter that is not called one", "# HELP a what\n# TYPE a counter\na 1\n", /does not say so/],
    [
      "a histogram without its last bucket",
      '# HELP a w\n# TYPE a histogram\na_bucket{le="1"} 1\na_sum 1\na_count 1\n',
      /bounds/,
    ],
    [
      "buckets that shrink",
      '# HELP a w\n# TYPE a histogram\na_bucket{le="1"} 2\na_bucket{le="+Inf"} 1\na_sum 1\na_count 1\n',
      /counts/,
    ],
    ["a last line that does not end", fine.trimEnd(), /does not end/],
  ];
  test.each(said)("%s", (_, text, reason) => {
    expect(() => parseExposition(text)).toThrow(reason);
  });
});

describe("Prometheus' own parser", () => {
  let parser: OfficialParser | undefined;
  let reason = "";
  beforeAll(async () => {
    const found = await officialParser();
    if ("parser" in found) ({ parser } = found);
    else ({ reason } = found);
  }, 120_000);

  test("reads the same lines out of what a site answers as our own does (F62)", async (context) => {
    if (parser === undefined) return context.skip(reason);
    const api = apiSite();
    await api.rows([row("lfs_object", 1, "synced", "succeeded"), row("upload", 2, "failed", "pending")]);
    for (const text of [await scraped(api), await exposed(), await exposed({ statuses: [statusOf(NASTY)] })]) {
      const read = await parser.parse(text);
      const ours = parseExposition(text).flatMap(({ samples, type }) => samples.map((sample) => ({ ...sample, type })));
      expect(read.map(({ name, labels, value, type }) => ({ name, labels, value, type }))).toEqual(ours);
      expect(read.length).toBeGreaterThan(5);
      expect(read.every(({ help }) => help !== "")).toBe(true);
    }
  });
});
