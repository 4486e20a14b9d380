import { describe, expect, test } from "vitest";
import { SiteStatusesContract } from "../../shared/client/contract.ts";
import { NO_FINDINGS } from "../../shared/geo/consistency.ts";
import { TableUnavailableError } from "../../shared/geo/errors.ts";
import { siteId } from "../../shared/geo/site-status.ts";
import type { TableOperation } from "../../shared/memory/table.ts";
import { replicables } from "../../shared/replicables/index.ts";
import {
  advanceRange,
  beginWalk,
  claimRange,
  newRange,
  parseRange,
} from "../../shared/tables/site/consistency-items.ts";
import { changeSettings } from "../../shared/tables/site/site-record.ts";
import { API_URL, apiSite } from "./support/site.ts";

const row = (state: number, verification: number, bytes = 100) => ({
  pk: "cool_widget#0aa",
  sk: "key",
  state,
  verification_state: verification,
  src_size: bytes,
});

const statusOf = async (api: ReturnType<typeof apiSite>): Promise<Record<string, unknown>> => {
  const headers = { "PRIVATE-TOKEN": await api.token() };
  const response = await api.call("/api/v4/geo_sites/status", { headers });
  expect(response.status).toBe(200);
  const [status, ...others] = SiteStatusesContract.parse(await response.json());
  expect(others).toEqual([]);
  return status ?? {};
};

describe("the status of a secondary (F56, F65)", () => {
  test("counts each type's rows by what has become of them", async () => {
    const api = apiSite("secondary");
    // 4 verified, 1 synced and waiting, 1 not to be verified, 1 differing, 1 pending, 1 started, 1 failed, 1 tombstone.
    await api.rows([
      ...Array.from({ length: 4 }, () => row(2, 2)),
      row(2, 0),
      row(2, 4),
      row(2, 3),
      row(0, 0),
      row(1, 0),
      row(3, 0),
      row(5, 0),
    ]);
    expect(await statusOf(api)).toMatchObject({
      cool_widgets_count: 10,
      cool_widgets_registry_count: 10,
      cool_widgets_synced_count: 7,
      cool_widgets_failed_count: 1,
      cool_widgets_verification_total_count: 6,
      cool_widgets_verified_count: 4,
      cool_widgets_verification_failed_count: 1,
      cool_widgets_synced_in_percentage: "70.00%",
      cool_widgets_verified_in_percentage: "40.00%",
      cool_widgets_checksum_total_count: null,
      cool_widgets_checksummed_count: null,
      cool_widgets_checksum_failed_count: null,
      cool_widgets_queued_count: 2,
      cool_widgets_verification_queued_count: 1,
      cool_widgets_bytes: 1_000,
    });
  });

  test("has every status field of every type, and zeros for a type that has no rows", async () => {
    const status = await statusOf(apiSite("secondary"));
    for (const { names } of replicables) {
      for (const field of Object.values(names.statusFields)) expect(status).toHaveProperty(field);
      expect(status[names.statusFields.registryCount]).toBe(0);
      expect(status[names.statusFields.syncedInPercentage]).toBe("0.00%");
    }
  });

  test("names the site and says that it is healthy", async () => {
    const api = apiSite("secondary");
    const id = siteId("frankfurt");
    expect(await statusOf(api)).toMatchObject({
      geo_node_id: id,
      name: "frankfurt",
      primary: false,
      region: "eu-central-1",
      healthy: true,
      health: "Healthy",
      health_status: "Healthy",
      revision: null,
      selective_sync_type: null,
      updated_at: new Date(api.clock.now()).toISOString(),
      _links: { self: `${API_URL}/api/v4/geo_sites/${id}/status`, site: `${API_URL}/api/v4/geo_sites/${id}` },
    });
  });
});

test("the status of a primary counts checksums, and has nulls for what only a secondary has", async () => {
  const api = apiSite("primary");
  await api.rows([2, 2, 3, 0, 4].map((verification) => ({ pk: "cool_widget#0aa", verification_state: verification })));
  expect(await statusOf(api)).toMatchObject({
    primary: true,
    cool_widgets_count: 5,
    cool_widgets_checksum_total_count: 4,
    cool_widgets_checksummed_count: 2,
    cool_widgets_checksum_failed_count: 1,
    cool_widgets_registry_count: null,
    cool_widgets_synced_count: null,
    cool_widgets_failed_count: null,
    cool_widgets_verification_total_count: null,
    cool_widgets_verified_count: null,
    cool_widgets_verification_failed_count: null,
    cool_widgets_synced_in_percentage: "0.00%",
    cool_widgets_queued_count: null,
    cool_widgets_verification_queued_count: 1,
  });
});

test.each([
  ["primary", ["query", "query", "get"]], // the sites that it knows, its counters, what it last gathered
  ["secondary", ["query", "query", "get", "get"]], // its counters, its walks, its settings, what it last gathered
] as const)(
  "a status read at a %s asks the table as often as ever, for a thousand rows, a hundred thousand and a million: %j",
  async (role, asked) => {
    const api = apiSite(role);
    for (const count of [1_000, 100_000, 1_000_000]) {
      // A status reads counters, whatever has filled them: each cell is made to hold so many.
      await api.rows(replicables.map(({ name }) => ({ ...row(2, 2), pk: `${name}#0aa` })));
      for (const item of api.siteTable.items()) {
        const cells = Object.keys(item).filter((name) => name.startsWith("c#"));
        if (cells.length > 0)
          await api.siteTable.put({ ...item, ...Object.fromEntries(cells.map((name) => [name, count])) });
      }
      const operations: TableOperation[] = [];
      api.siteTable.interference = { before: (operation) => void operations.push(operation) };
      const response = await api.app.request("/api/v4/geo_sites/status");
      const [status] = SiteStatusesContract.parse(await response.json());
      api.siteTable.interference = undefined;
      expect(Number(status?.[`lfs_objects_count`])).toBeGreaterThanOrEqual(count);
      expect(operations.map(({ kind }) => kind)).toEqual(asked);
    }
  },
);

describe("registry_consistency", () => {
  test("says of each type how far its walk has come, in one query more while any is under way", async () => {
    const api = apiSite("secondary");
    await api.rows(Array.from({ length: 200 }, () => row(2, 2)));
    const scope = "all";
    const range = { prefix: "cool_widgets/", after: undefined, until: undefined };
    const key = "cool_widgets/17/widget.bin";
    const findings = { ...NO_FINDINGS, listed: 50, missing: 3, enqueued: 3 };
    const walk = { id: "walk-1", reason: "scheduled", ranges: 1, scope, now: api.clock.now() } as const;
    await api.siteTable.update(beginWalk("cool_widget", undefined, walk));
    const item = newRange("cool_widget", walk.id, 0, range);
    await api.siteTable.put(item);
    await api.siteTable.put(newRange("cool_widget", "a walk that never began", 0, range));
    await api.siteTable.update(claimRange(parseRange(item), "token", api.clock.now(), api.clock.now() + 60_000));
    const leaseUntil = api.clock.now() + 60_000;
    await api.siteTable.update(advanceRange(parseRange(item), "token", { seenUntil: key, findings, leaseUntil }));
    api.clock.advance(30_000);
    const operations: TableOperation[] = [];
    api.siteTable.interference = { before: (operation) => void operations.push(operation) };
    const response = await api.app.request("/api/v4/geo_sites/status");
    const [status] = SiteStatusesContract.parse(await response.json());
    expect(operations.filter(({ kind }) => kind === "query")).toHaveLength(3);
    expect(Object.keys(status?.registry_consistency ?? {})).toEqual(replicables.map(({ name }) => name));
    expect(status?.registry_consistency).toMatchObject({
      cool_widget: {
        state: "under_way",
        ranges_count: 1,
        ranges_done_count: 0,
        listed_count: 50,
        found_missing_count: 3,
        position: key,
        share_done: 0.25,
        estimated_seconds_left: 90,
      },
      package_file: { state: "never" },
    });
  });

  test("is null at a primary", async () => {
    expect(await statusOf(apiSite("primary"))).toMatchObject({ registry_consistency: null });
  });

  test("is null where it can not be read, and the counts are there all the same", async () => {
    const api = apiSite("secondary");
    await api.rows([row(2, 2)]);
    await api.siteTable.put({ pk: "consistency", sk: "walk#cool_widget", walk: 5 });
    expect(await statusOf(api)).toMatchObject({
      healthy: true,
      cool_widgets_synced_count: 1,
      registry_consistency: null,
    });
    expect(JSON.stringify(api.telemetry.lines)).toContain("GEO_UNREADABLE_ROW");
  });
});

test("a site that is restricted says by what", async () => {
  const api = apiSite("secondary");
  const rule = { type: "namespaces", ids: ["7"] } as const;
  await api.siteTable.update(changeSettings({ selectiveSync: rule }, api.clock.now()));
  expect(await statusOf(api)).toMatchObject({ selective_sync_type: "namespaces", healthy: true });
});

test("a site that can not read its settings says so: its functions decide nothing then", async () => {
  const api = apiSite("secondary");
  await api.rows([row(2, 2)]);
  await api.siteTable.put({ pk: "site", sk: "self", selective_sync_type: "galaxies" });
  expect(await statusOf(api)).toMatchObject({
    healthy: false,
    health: "The settings of this site can not be read (GEO_UNREADABLE_ROW).",
    selective_sync_type: null,
    cool_widgets_synced_count: 1,
  });
});

test.each(["primary", "secondary"] as const)(
  "a %s that can not read its counters says so, without counts and without the table's own words",
  async (role) => {
    const api = apiSite(role);
    await api.rows([row(2, 2)]);
    api.siteTable.interference = {
      before: ({ kind }) => {
        if (kind === "query")
          throw new TableUnavailableError("arn:aws:dynamodb:eu-central-1:123456789012 is throttled");
      },
    };
    const response = await api.app.request("/api/v4/geo_sites/status");
    const text = await response.text();
    expect(response.status).toBe(200);
    expect(text).not.toContain("arn:aws");
    expect(JSON.parse(text)).toMatchObject([
      {
        healthy: false,
        health_status: "Unhealthy",
        health: "The counters of this site can not be read (GEO_TABLE_UNAVAILABLE).",
        cool_widgets_synced_count: null,
        cool_widgets_queued_count: null,
      },
    ]);
    expect(api.telemetry.linesOf("reports_unreadable")).toHaveLength(role === "primary" ? 1 : 0);
  },
);

describe("paths (F66)", () => {
  test("the older geo_nodes words answer as well", async () => {
    const api = apiSite();
    const response = await api.app.request("/api/v4/geo_nodes/status");
    expect(await response.json()).toHaveLength(1);
  });

  test("one site's status is found by its number", async () => {
    const api = apiSite();
    const response = await api.app.request(`/api/v4/geo_sites/${siteId("frankfurt")}/status`);
    expect(await response.json()).toMatchObject({ name: "frankfurt" });
  });

  test.each([
    ["an unknown site", "/api/v4/geo_sites/1/status", 404, "404 GeoSite Not Found"],
    ["an unknown path", "/api/v4/secrets", 404, "404 Not Found"],
    ["the root", "/", 404, "404 Not Found"],
    ["a path that climbs", "/api/v4/../../etc/passwd", 404, "404 Not Found"],
    ["an id that is no number", "/api/v4/geo_sites/all/status", 400, "400 Bad request - id is invalid"],
    ["an id that is too long", `/api/v4/geo_sites/${"9".repeat(500)}/status`, 400, "400 Bad request - id is invalid"],
    ["an id that is not decodable", "/api/v4/geo_sites/%ff/status", 400, "400 Bad request - id is invalid"],
  ])("%s is refused in GitLab's form", async (_, path, status, message) => {
    const response = await apiSite().app.request(path);
    expect(response.status).toBe(status);
    const body = (await response.json()) as { readonly message: string };
    expect(body.message).toContain(message);
    expect(Object.keys(body)).toEqual(["message"]);
  });

  test.each(["POST", "PUT", "PATCH", "DELETE"])("%s on a status is not allowed, and says what is", async (method) => {
    const response = await apiSite().app.request("/api/v4/geo_sites/status", { method });
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe("GET, HEAD");
    expect(await response.json()).toEqual({ message: "405 Method Not Allowed" });
  });

  test("a defect in the API is a 500 that tells the caller nothing, and the log everything", async () => {
    const api = apiSite();
    api.siteTable.interference = {
      before: () => {
        throw new RangeError("at /var/task/index.mjs:1");
      },
    };
    const response = await api.app.request("/api/v4/geo_sites/status");
    expect(response.status).toBe(500);
    expect(await response.text()).toBe('{"message":"500 Internal Server Error"}');
    expect(JSON.stringify(api.telemetry.lines)).toContain("/var/task/index.mjs:1");
  });

  test("no answer may be kept by anybody on the way", async () => {
    const response = await apiSite().app.request("/api/v4/geo_sites/status");
    expect(response.headers.get("cache-control")).toBe("no-store");
  });
});
