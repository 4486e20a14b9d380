import { describe, expect, test } from "vitest";
import { SiteStatusContract, SiteStatusesContract } from "../../shared/client/contract.ts";
import { TableUnavailableError } from "../../shared/geo/errors.ts";
import { encodeGathered } from "../../shared/geo/gathered-status.ts";
import { setFlag } from "../../shared/tables/site/flags-item.ts";
import { OBJECT_STORAGE_VERIFICATION } from "../../shared/geo/feature-flags.ts";
import { siteId } from "../../shared/geo/site-status.ts";
import type { TableOperation } from "../../shared/memory/table.ts";
import { replicables } from "../../shared/replicables/index.ts";
import { countChanges } from "../../shared/services/count-changes.ts";
import { gatherStatus } from "../../shared/services/gather-status.ts";
import { statusKey, storeStatus } from "../../shared/tables/site/status-item.ts";
import { API_URL, apiSite } from "./support/site.ts";
import { SITES, MINUTE, secondaryOf, call, statusesOf, messageOf, pathOf, OSLO } from "./support/known-sites.ts";

describe("statuses of other sites (F61, F65)", () => {
  test("are those that they reported, with their own types' fields and the primary's time", async () => {
    const api = apiSite("primary");
    await gatherStatus(
      { ...secondaryOf(api, "x").site, site: api.site, siteTable: api.siteTable, primary: undefined },
      Infinity,
    );
    const tokyo = secondaryOf(api, "tokyo");
    const synced = { pk: "lfs_object#0aa", sk: "key", state: 2, verification_state: 2, src_size: 7 };
    const changes = [{ sequenceNumber: "1", changedAt: api.clock.now(), after: synced }];
    await countChanges(tokyo.siteTable, { table: "registry", shard: "shard-1", changes });
    await tokyo.report();
    const reportedAt = api.clock.now();
    api.clock.advance(5 * MINUTE);
    const [own, status] = await statusesOf(api);
    expect(own).toMatchObject({ name: "frankfurt", primary: true });
    expect(status).toMatchObject({
      name: "tokyo",
      primary: false,
      region: "ap-northeast-1",
      healthy: true,
      updated_at: new Date(reportedAt).toISOString(),
      last_successful_status_check_timestamp: Math.floor(reportedAt / 1_000),
      storage_shards_match: true,
      lfs_objects_verified_count: 1,
      lfs_objects_verified_in_percentage: "100.00%",
      lfs_objects_bytes: 7,
      uploads_registry_count: 0,
      lfs_objects_oldest_unsynced_time: -1,
      registry_consistency: null,
      _links: { self: `${API_URL}${pathOf("tokyo")}/status`, site: `${API_URL}${pathOf("tokyo")}` },
    });
    for (const { names } of replicables) {
      for (const field of Object.values(names.statusFields)) expect(status).toHaveProperty(field);
    }
  });

  test("say after an hour that the site has not reported, and when it last did (F59)", async () => {
    const api = apiSite("primary");
    await secondaryOf(api, "tokyo").report();
    const reportedAt = new Date(api.clock.now()).toISOString();
    api.clock.advance(75 * MINUTE);
    const response = await call(api, "GET", `${pathOf("tokyo")}/status`);
    expect(SiteStatusContract.parse(await response.json())).toMatchObject({
      healthy: false,
      health_status: "Unhealthy",
      health: `The site has not reported its status for 75 minutes; it last did at ${reportedAt}.`,
    });
  });

  test("tell of a secondary that keeps other types than the primary", async () => {
    const api = apiSite("primary");
    await gatherStatus(
      { ...secondaryOf(api, "x").site, site: api.site, siteTable: api.siteTable, primary: undefined },
      Infinity,
    );
    const tokyo = secondaryOf(api, "tokyo");
    await gatherStatus({ ...tokyo.site, replicables: replicables.slice(1) }, Infinity);
    expect((await statusesOf(api))[1]).toMatchObject({ storage_shards_match: false });
  });

  test("tell nulls of verifications that the site's flags have switched off", async () => {
    const api = apiSite("primary");
    await api.siteTable.update(setFlag(OBJECT_STORAGE_VERIFICATION, false, api.clock.now()));
    await secondaryOf(api, "tokyo").report();
    expect((await statusesOf(api))[1]).toMatchObject({ lfs_objects_synced_count: 0, lfs_objects_verified_count: null });
  });

  test("that can not be read here, as of another version, are told as that", async () => {
    const api = apiSite("primary");
    await secondaryOf(api, "tokyo").report();
    await api.siteTable.update({
      key: statusKey("tokyo"),
      update: "SET status_document = :text",
      values: { ":text": "{}" },
    });
    expect((await statusesOf(api))[1]).toMatchObject({
      name: "tokyo",
      healthy: false,
      health: "What the site has reported can not be read here (GEO_UNREADABLE_ROW).",
      lfs_objects_synced_count: null,
    });
  });

  test.each([
    ["another site's name", { name: "osaka" }],
    ["the primary's name", { name: "frankfurt", role: "primary" }],
    ["the role of a primary", { role: "primary" }],
  ] as const)("with %s in a secondary's partition are not believed", async (_, said) => {
    const api = apiSite("primary");
    const tokyo = secondaryOf(api, "tokyo");
    const { status } = await tokyo.report();
    const gathered = { ...status.gathered, site: { ...status.gathered.site, ...said } };
    const { key } = storeStatus(status);
    await api.siteTable.update({ ...storeStatus({ ...status, gathered }), key });
    expect((await statusesOf(api)).slice(1)).toMatchObject([
      {
        name: "tokyo",
        primary: false,
        healthy: false,
        health: "What the site has reported can not be read here (GEO_UNREADABLE_ROW).",
      },
    ]);
  });

  test("of a time that is none are told as what can not be read, and one that is noted hides no other site", async () => {
    const api = apiSite("primary");
    const { status } = await secondaryOf(api, "tokyo").report();
    const text = encodeGathered({ ...status.gathered, gatheredAt: 8_640_000_000_000_001 });
    await api.siteTable.update({
      key: statusKey("tokyo"),
      update: "SET status_document = :text",
      values: { ":text": text },
    });
    await api.siteTable.put({ pk: "known_site", sk: "a", site_name: "a", reported_at: 8_640_000_000_000_001 });
    await api.siteTable.put({ ...statusKey("a"), status_document: "{}", reports_failed: 0 });
    expect((await statusesOf(api)).slice(1)).toMatchObject([{ name: "tokyo", healthy: false }]);
  });

  test("come a page at a time", async () => {
    const api = apiSite("primary");
    for (const name of ["a", "b", "c", "d"]) await secondaryOf(api, name).report();
    await call(api, "POST", SITES, OSLO);
    const response = await call(api, "GET", `${SITES}/status?per_page=2&page=2`);
    expect(SiteStatusesContract.parse(await response.json()).map(({ name }) => name)).toEqual(["b", "c"]);
    expect(response.headers.get("x-total")).toBe("5");
    expect(await statusesOf(api, "?page=9")).toEqual([]);
  });

  test("of a hundred secondaries take one query and one batch of reads beside the primary's own", async () => {
    const api = apiSite("primary");
    for (let number = 0; number < 99; number += 1) await secondaryOf(api, `site-${number}`).report();
    const operations: TableOperation[] = [];
    let batches = 0;
    const getMany = api.siteTable.getMany.bind(api.siteTable);
    api.siteTable.getMany = (keys) => {
      batches += 1;
      return getMany(keys);
    };
    api.siteTable.interference = { before: (operation) => void operations.push(operation) };
    const response = await api.app.request(`${SITES}/status?per_page=100`);
    const text = await response.text();
    expect(JSON.parse(text)).toHaveLength(100);
    expect(batches).toBe(1);
    expect(operations.filter(({ kind }) => kind === "query")).toHaveLength(2);
    expect(operations.filter(({ kind }) => kind === "get")).toHaveLength(1 + 99); // what a batch comes to in memory
    expect(Buffer.byteLength(text)).toBeLessThan(6 * 1024 * 1024); // Lambda's limit of an answer
  });

  test("are at a secondary its own alone, and it asks nobody else", async () => {
    const api = apiSite("secondary");
    const asked: TableOperation[] = [];
    api.primarySiteTable.interference = { before: (operation) => void asked.push(operation) };
    expect((await statusesOf(api)).map(({ name }) => name)).toEqual(["frankfurt"]);
    expect(asked).toEqual([]);
  });

  test.each(["true", "false"])("may be asked for with refresh=%s", async (refresh) => {
    const api = apiSite("primary");
    expect((await call(api, "GET", `${pathOf("frankfurt")}/status?refresh=${refresh}`)).status).toBe(200);
  });

  test("may not be asked for with another refresh", async () => {
    const response = await call(apiSite("primary"), "GET", `${pathOf("frankfurt")}/status?refresh=maybe`);
    expect(response.status).toBe(400);
    expect(await messageOf(response)).toBe('400 Bad request - refresh: expected true or false, got "maybe"');
  });

  test("are a 503 when the table does not answer", async () => {
    const api = apiSite("primary");
    api.siteTable.interference = {
      before: () => {
        throw new TableUnavailableError("throttled");
      },
    };
    for (const path of ["", `/${siteId("tokyo")}/status`]) {
      expect((await api.app.request(SITES + path)).status).toBe(503);
    }
  });

  test("are the primary's own alone while nobody can tell which others there are, and the log says why", async () => {
    const api = apiSite("primary");
    await secondaryOf(api, "tokyo").report();
    api.siteTable.interference = {
      before: (operation) => {
        if (operation.kind === "query" && operation.request.values[":pk"] === "known_site") {
          throw new TableUnavailableError("throttled");
        }
      },
    };
    const statuses = await statusesOf(api);
    expect(statuses).toMatchObject([{ name: "frankfurt", healthy: true }]);
    expect(await statusesOf(api, "?page=2")).toEqual([]);
    expect(api.telemetry.linesOf("reports_unreadable")[0]?.fields).toEqual({
      code: "GEO_TABLE_UNAVAILABLE",
      message: "throttled",
    });
  });
});
