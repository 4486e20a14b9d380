import { describe, expect, test } from "vitest";
import { SitesContract, SiteContract, SiteStatusContract, SiteStatusesContract } from "../../shared/client/contract.ts";
import { TableUnavailableError } from "../../shared/geo/errors.ts";
import { encodeGathered } from "../../shared/geo/gathered-status.ts";
import { setFlag } from "../../shared/tables/site/flags-item.ts";
import { OBJECT_STORAGE_VERIFICATION } from "../../shared/geo/feature-flags.ts";
import { siteId } from "../../shared/geo/site-status.ts";
import type { TokenScope } from "../../shared/geo/tokens.ts";
import type { TableOperation } from "../../shared/memory/table.ts";
import { replicables } from "../../shared/replicables/index.ts";
import { countChanges } from "../../shared/services/count-changes.ts";
import { type GatheringSite, gatherStatus } from "../../shared/services/gather-status.ts";
import { CachedSwitches } from "../../shared/services/type-switches.ts";
import { knownSecondaries, listSecondaries, noteSecondary } from "../../shared/tables/site/known-secondary.ts";
import { changeSettings } from "../../shared/tables/site/site-record.ts";
import { statusKey, storeStatus } from "../../shared/tables/site/status-item.ts";
import { MemoryTable } from "../../shared/memory/table.ts";
import { API_URL, apiSite } from "./support/site.ts";

const SITES = "/api/v4/geo_sites";
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

type Api = ReturnType<typeof apiSite>;

/** A secondary that has what a real one has, and tells this primary. */
const secondaryOf = (primary: Api, name: string, region = "ap-northeast-1") => {
  const siteTable = new MemoryTable({ name: `${name}-site` });
  const { clock, telemetry } = primary;
  const site: GatheringSite = {
    site: { name, role: "secondary", region },
    apiUrl: `https://${name}.example.com/geo`,
    replicables,
    siteTable,
    switches: new CachedSwitches(primary.siteTable, replicables, clock),
    primary: { name: primary.site.name, siteTable: primary.siteTable },
    syncObjectStorage: true,
    syncTimeoutSeconds: 28_800,
    clock,
    telemetry,
  };
  return { site, siteTable, report: () => gatherStatus(site, clock.now() + MINUTE) };
};

const headersOf = async (api: Api, scope: TokenScope = "admin_geo") => ({
  "PRIVATE-TOKEN": await api.token({ scope, name: "alice" }),
});

const call = async (api: Api, method: string, path: string, body?: unknown): Promise<Response> =>
  api.call(path, {
    method,
    headers: await headersOf(api),
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });

const sitesOf = async (api: Api, query = "") =>
  SitesContract.parse(await (await call(api, "GET", SITES + query)).json());
const statusesOf = async (api: Api, query = "") =>
  SiteStatusesContract.parse(await (await call(api, "GET", `${SITES}/status${query}`)).json());
const messageOf = async (response: Response): Promise<unknown> => {
  const body = (await response.json()) as Readonly<Record<string, unknown>>;
  expect(Object.keys(body)).toEqual(["message"]);
  return body["message"];
};
const pathOf = (name: string): string => `${SITES}/${siteId(name)}`;
/** A write that notes a site. */
const isNote = (operation: TableOperation): boolean =>
  operation.kind === "update" && operation.request.key.pk === "known_site";
const OSLO = { name: "oslo", url: "https://geo.oslo.example" };

describe("the sites that a primary knows (F64)", () => {
  test("are itself, and every secondary that reports, which registers itself with its first report", async () => {
    const api = apiSite("primary");
    expect((await sitesOf(api)).map(({ name }) => name)).toEqual(["frankfurt"]);
    await secondaryOf(api, "tokyo").report();
    await secondaryOf(api, "oslo", "eu-north-1").report();
    const [self, oslo, tokyo, ...others] = await sitesOf(api);
    expect(others).toEqual([]);
    expect(self).toMatchObject({ name: "frankfurt", primary: true, current: true, enabled: true, url: API_URL });
    expect(oslo?.name).toBe("oslo");
    expect(tokyo).toMatchObject({
      id: siteId("tokyo"),
      name: "tokyo",
      url: "https://tokyo.example.com/geo",
      internal_url: "https://tokyo.example.com/geo",
      primary: false,
      current: false,
      enabled: true,
      sync_object_storage: true,
      blob_download_timeout: 28_800,
      web_edit_url: `${API_URL}/admin/geo/sites/${siteId("tokyo")}/edit`,
      web_geo_replication_details_url: expect.stringContaining(
        `https://tokyo.example.com/geo/admin/geo/sites/${siteId("tokyo")}/replication/`,
      ) as string,
      _links: { self: `${API_URL}${pathOf("tokyo")}`, repair: `${API_URL}${pathOf("tokyo")}/repair` },
    });
  });

  test("are told with the settings that they have themselves", async () => {
    const api = apiSite("primary");
    const tokyo = secondaryOf(api, "tokyo");
    const rule = { type: "namespaces", ids: ["7"] } as const;
    await tokyo.siteTable.update(changeSettings({ selectiveSync: rule, syncObjectStorage: false }, 0));
    await tokyo.report();
    const site = SiteContract.parse(await (await call(api, "GET", pathOf("tokyo"))).json());
    expect(site).toMatchObject({
      selective_sync_type: "namespaces",
      selective_sync_namespace_ids: [7],
      sync_object_storage: false,
    });
  });

  test("have all the keys that Geo's have, and one more under the older word", async () => {
    const api = apiSite("primary");
    await secondaryOf(api, "tokyo").report();
    const [primary, tokyo] = await sitesOf(api);
    expect(Object.keys(tokyo ?? {})).toHaveLength(23);
    expect(Object.keys(primary ?? {})).toHaveLength(21);
    expect(primary).not.toHaveProperty("web_geo_replication_details_url");
    const response = await call(api, "GET", `/api/v4/geo_nodes/${siteId("tokyo")}`);
    expect(await response.json()).toMatchObject({
      clone_protocol: "http",
      _links: { self: `${API_URL}/api/v4/geo_nodes/${siteId("tokyo")}` },
    });
  });

  test("come a page at a time, with GitLab's headers", async () => {
    const api = apiSite("primary");
    for (let number = 10; number < 35; number += 1) {
      const response = await call(api, "POST", SITES, { name: `site-${number}`, url: `https://${number}.example` });
      expect(response.status).toBe(201);
    }
    expect(await sitesOf(api)).toHaveLength(20);
    expect((await sitesOf(api, "?page=2")).map(({ name }) => name)).toEqual(
      [29, 30, 31, 32, 33, 34].map((number) => `site-${number}`),
    );
    const response = await call(api, "GET", `${SITES}?page=2&per_page=5`);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "x-total": "26",
      "x-total-pages": "6",
      "x-page": "2",
      "x-per-page": "5",
      "x-next-page": "3",
      "x-prev-page": "1",
    });
    expect(response.headers.get("link")).toContain(`<${API_URL}${SITES}?page=3&per_page=5>; rel="next"`);
  });

  test.each(["?page=x", "?per_page=0", "/status?page=-1"])("are not told for %s", async (query) => {
    const response = await call(apiSite("primary"), "GET", SITES + query);
    expect(response.status).toBe(400);
    expect(await messageOf(response)).toMatch(/expected one whole number from 1/);
  });

  test("are at a secondary itself alone", async () => {
    const api = apiSite("secondary");
    expect((await sitesOf(api)).map(({ name, current }) => [name, current])).toEqual([["frankfurt", true]]);
    expect((await call(api, "GET", pathOf("tokyo"))).status).toBe(404);
  });

  test("take no other method, and say which they take", async () => {
    const response = await call(apiSite("primary"), "PUT", SITES, {});
    expect([response.status, response.headers.get("allow")]).toEqual([405, "GET, HEAD, POST"]);
  });
});

describe("a site that is noted before it is deployed (F64)", () => {
  test("is told as it was noted, has no status yet, and is known by itself once it is there", async () => {
    const api = apiSite("primary");
    const response = await call(api, "POST", SITES, { ...OSLO, internal_url: "https://10.0.0.1", enabled: false });
    expect(response.status).toBe(201);
    expect(SiteContract.parse(await response.json())).toMatchObject({
      id: siteId("oslo"),
      ...OSLO,
      internal_url: "https://10.0.0.1",
      enabled: false,
      primary: false,
      files_max_capacity: 2_880,
    });
    expect(api.telemetry.linesOf("an operator noted a site")[0]?.fields).toEqual({ site: "oslo", token_name: "alice" });
    expect((await call(api, "GET", `${pathOf("oslo")}/status`)).status).toBe(404);
    expect((await statusesOf(api)).map(({ name }) => name)).toEqual(["frankfurt"]);
    await secondaryOf(api, "oslo").report();
    expect((await call(api, "GET", `${pathOf("oslo")}/status`)).status).toBe(200);
    expect((await sitesOf(api))[1]).toMatchObject({ ...OSLO, enabled: true });
  });

  test.each<readonly [string, unknown, unknown]>([
    ["without a name and a URL", {}, { name: ["can't be blank"], url: ["can't be blank"] }],
    ["twice", { ...OSLO, name: "TOKYO" }, { name: ["has already been taken"] }],
    ["as a primary", { ...OSLO, primary: true }, { primary: ["node already exists"] }],
    ["as nothing", "", expect.stringContaining("body: expected JSON")],
    ["as a list", [], expect.stringContaining("body: expected an object")],
  ])("is not noted %s", async (_, body, message) => {
    const api = apiSite("primary");
    await secondaryOf(api, "tokyo").report();
    const response = await call(api, "POST", SITES, body);
    expect(response.status).toBe(400);
    expect(await messageOf(response)).toEqual(message);
    expect(await sitesOf(api)).toHaveLength(2);
  });

  test("is noted once, by two operators at the same time", async () => {
    const api = apiSite("primary");
    const answers = await Promise.all([call(api, "POST", SITES, OSLO), call(api, "POST", SITES, OSLO)]);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201, 400]));
  });

  test("is not noted with more than 64 KiB, by a token that may only read, or at a secondary", async () => {
    const api = apiSite("primary");
    expect((await call(api, "POST", SITES, { ...OSLO, name: "x".repeat(65_536) })).status).toBe(413);
    const headers = await headersOf(api, "read_geo");
    expect((await api.call(SITES, { method: "POST", headers, body: JSON.stringify(OSLO) })).status).toBe(403);
    const refused = await call(apiSite("secondary"), "POST", SITES, OSLO);
    expect(refused.status).toBe(409);
    expect(await messageOf(refused)).toContain("ask the primary's API");
  });
});

describe("a change of what is noted (F64, F67)", () => {
  test("of a site that is not deployed is made, its name included", async () => {
    const api = apiSite("primary");
    await call(api, "POST", SITES, OSLO);
    const change = { name: "bergen", url: "https://b.example", internal_url: "https://i.example", enabled: false };
    const response = await call(api, "PUT", pathOf("oslo"), change);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ id: siteId("bergen"), ...change });
    expect((await sitesOf(api)).map(({ name }) => name)).toEqual(["frankfurt", "bergen"]);
    const back = await call(api, "PUT", pathOf("bergen"), { name: "Bergen", internal_url: null });
    expect(await back.json()).toMatchObject({ name: "Bergen", internal_url: "https://b.example" });
  });

  test("of a site that runs is made, but for its name and its settings, which its own API changes", async () => {
    const api = apiSite("primary");
    const tokyo = secondaryOf(api, "tokyo");
    await tokyo.report();
    expect((await call(api, "PUT", pathOf("tokyo"), { url: "https://t.example" })).status).toBe(200);
    expect((await sitesOf(api))[1]).toMatchObject({ url: "https://t.example", enabled: true });
    const change = { name: "kyoto", files_max_capacity: 5, enabled: false };
    const refused = await call(api, "PUT", pathOf("tokyo"), change);
    expect(refused.status).toBe(400);
    expect(await messageOf(refused)).toEqual({
      enabled: [
        "is a setting of the site itself: change it through the API of tokyo itself: https://tokyo.example.com/geo",
      ],
      files_max_capacity: [
        "is a setting of the site itself: change it through the API of tokyo itself: https://tokyo.example.com/geo",
      ],
      name: [expect.stringContaining("deployed as")],
    });
  });

  test("tells whether a secondary is paused as the secondary last reported it (F98)", async () => {
    const api = apiSite("primary");
    const tokyo = secondaryOf(api, "tokyo");
    await tokyo.report();
    expect((await sitesOf(api))[1]).toMatchObject({ name: "tokyo", enabled: true });
    await tokyo.siteTable.update(changeSettings({ enabled: false }, api.clock.now()));
    await tokyo.report();
    expect((await sitesOf(api))[1]).toMatchObject({ name: "tokyo", enabled: false });
    expect((await statusesOf(api))[1]).toMatchObject({ enabled: false, healthy: true, health_status: "Disabled" });
  });

  test("of the primary takes URLs beside settings, and neither another name nor that it does not count", async () => {
    const api = apiSite("primary");
    const both = { url: "https://f.example", internal_url: "https://i.example", verification_max_capacity: 60 };
    expect(await (await call(api, "PUT", pathOf("frankfurt"), both)).json()).toMatchObject(both);
    expect((await sitesOf(api))[0]).toMatchObject(both);
    const refused = await call(api, "PUT", pathOf("frankfurt"), { enabled: false, name: "x", repos_max_capacity: 3 });
    expect(refused.status).toBe(400);
    expect(await messageOf(refused)).toMatchObject({ enabled: ["Geo primary node cannot be disabled"] });
    const half = await call(api, "PUT", pathOf("frankfurt"), { url: "https://other.example", repos_max_capacity: 0 });
    expect(half.status).toBe(400);
    expect((await sitesOf(api))[0]).toMatchObject({ ...both, repos_max_capacity: 10 });
  });

  test("of a secondary by its own API is refused, with where it is kept", async () => {
    const api = apiSite("secondary");
    const refused = await call(api, "PUT", pathOf("frankfurt"), { url: "https://f.example", files_max_capacity: 5 });
    expect(refused.status).toBe(400);
    expect(await messageOf(refused)).toEqual({ url: [expect.stringContaining("through the primary's API")] });
    expect((await sitesOf(api))[0]).toMatchObject({ files_max_capacity: 2_880 });
  });

  test("to a name that is taken is refused, also when it was taken just now", async () => {
    const api = apiSite("primary");
    await call(api, "POST", SITES, OSLO);
    await call(api, "POST", SITES, { ...OSLO, name: "bergen" });
    const responses = [await call(api, "PUT", pathOf("oslo"), { name: "BERGEN" })];
    api.siteTable.interference = {
      before: async (operation) => {
        if (!isNote(operation)) return;
        api.siteTable.interference = undefined;
        await secondaryOf(api, "molde").report();
      },
    };
    responses.push(await call(api, "PUT", pathOf("oslo"), { name: "molde" }));
    for (const response of responses) {
      expect(response.status).toBe(400);
      expect(await messageOf(response)).toEqual({ name: ["has already been taken"] });
    }
    expect((await sitesOf(api)).map(({ name }) => name)).toEqual(["frankfurt", "bergen", "molde", "oslo"]);
  });

  test("of a name that was interrupted half way goes through when it is said again, and only then", async () => {
    const api = apiSite("primary");
    await call(api, "POST", SITES, OSLO);
    api.siteTable.interference = {
      before: ({ kind }) => {
        if (kind === "delete") throw new TableUnavailableError("throttled");
      },
    };
    expect((await call(api, "PUT", pathOf("oslo"), { name: "bergen" })).status).toBe(503);
    api.siteTable.interference = undefined;
    expect((await sitesOf(api)).map(({ name }) => name)).toEqual(["frankfurt", "bergen", "oslo"]);
    await call(api, "POST", SITES, { ...OSLO, name: "molde" });
    expect((await call(api, "PUT", pathOf("molde"), { name: "bergen" })).status).toBe(400);
    const again = await call(api, "PUT", pathOf("oslo"), { name: "bergen" });
    expect([again.status, await again.json()]).toMatchObject([200, { ...OSLO, name: "bergen" }]);
    expect((await sitesOf(api)).map(({ name }) => name)).toEqual(["frankfurt", "bergen", "molde"]);
    // It is over: another site of the old name can not take the new one.
    await call(api, "POST", SITES, OSLO);
    expect((await call(api, "PUT", pathOf("oslo"), { name: "bergen" })).status).toBe(400);
  });

  test("of a name that was interrupted is refused once a site of the new name has reported", async () => {
    const api = apiSite("primary");
    await call(api, "POST", SITES, OSLO);
    api.siteTable.interference = {
      before: ({ kind }) => {
        if (kind === "delete") throw new TableUnavailableError("throttled");
      },
    };
    await call(api, "PUT", pathOf("oslo"), { name: "bergen" });
    api.siteTable.interference = undefined;
    await secondaryOf(api, "bergen").report();
    const refused = await call(api, "PUT", pathOf("oslo"), { name: "bergen" });
    expect([refused.status, await messageOf(refused)]).toEqual([400, { name: ["has already been taken"] }]);
  });

  test("of a site that was removed meanwhile is a conflict", async () => {
    const api = apiSite("primary");
    await call(api, "POST", SITES, OSLO);
    api.siteTable.interference = {
      before: async (operation) => {
        if (!isNote(operation)) return;
        api.siteTable.interference = undefined;
        await api.siteTable.delete({ key: { pk: "known_site", sk: "oslo" } });
      },
    };
    const response = await call(api, "PUT", pathOf("oslo"), { enabled: false });
    expect(response.status).toBe(409);
    expect(await messageOf(response)).toBe("409 Conflict - oslo was removed meanwhile");
  });

  test.each([
    ["nobody knows", pathOf("atlantis"), 404],
    ["has no number", `${SITES}/x`, 400],
  ])("of a site that %s is refused", async (_, path, status) => {
    const api = apiSite("primary");
    expect((await call(api, "PUT", path, { enabled: false })).status).toBe(status);
    expect((await call(api, "DELETE", path)).status).toBe(status);
    expect((await call(api, "POST", `${path}/repair`)).status).toBe(status);
    expect((await call(api, "GET", path)).status).toBe(status);
  });

  test("that is nothing is refused", async () => {
    const api = apiSite("primary");
    await call(api, "POST", SITES, OSLO);
    const response = await call(api, "PUT", pathOf("oslo"), {});
    expect(await messageOf(response)).toContain("body: expected an object with some of name, url");
    expect((await call(api, "PUT", pathOf("oslo"), "no JSON")).status).toBe(400);
  });
});

describe("a site that is forgotten (F64)", () => {
  test("is one that was only noted, or that has not reported for an hour, with its status", async () => {
    const api = apiSite("primary");
    await call(api, "POST", SITES, OSLO);
    const tokyo = secondaryOf(api, "tokyo");
    await tokyo.report();
    api.clock.advance(HOUR);
    for (const name of ["oslo", "tokyo"]) {
      const response = await call(api, "DELETE", pathOf(name));
      expect([response.status, await response.text()]).toEqual([204, ""]);
    }
    expect((await sitesOf(api)).map(({ name }) => name)).toEqual(["frankfurt"]);
    expect(await api.siteTable.get(statusKey("tokyo"))).toBeUndefined();
    expect(api.telemetry.linesOf("an operator removed a site")).toHaveLength(2);
    await tokyo.report();
    expect(await sitesOf(api)).toHaveLength(2);
  });

  test("is none that has reported within the hour, and the reason is said", async () => {
    const api = apiSite("primary");
    const tokyo = secondaryOf(api, "tokyo");
    await tokyo.report();
    api.clock.advance(HOUR - 1);
    const response = await call(api, "DELETE", pathOf("tokyo"));
    expect(response.status).toBe(409);
    expect(await messageOf(response)).toContain("tokyo has reported within the hour, so it is still deployed");
    expect(await sitesOf(api)).toHaveLength(2);
  });

  test("is none that reports at this very moment", async () => {
    const api = apiSite("primary");
    const tokyo = secondaryOf(api, "tokyo");
    await tokyo.report();
    api.clock.advance(2 * HOUR);
    api.siteTable.interference = {
      before: async ({ kind }) => {
        if (kind !== "delete") return;
        api.siteTable.interference = undefined;
        await tokyo.report();
      },
    };
    expect((await call(api, "DELETE", pathOf("tokyo"))).status).toBe(409);
    expect(await statusesOf(api)).toHaveLength(2);
  });

  test("is one whose last report was of a clock that was a day ahead, and no later", async () => {
    const api = apiSite("primary");
    const tokyo = secondaryOf(api, "tokyo");
    api.clock.advance(24 * HOUR);
    await tokyo.report();
    api.clock.advance(1 - HOUR);
    expect((await call(api, "DELETE", pathOf("tokyo"))).status).toBe(409);
    api.clock.advance(-1);
    expect((await call(api, "DELETE", pathOf("tokyo"))).status).toBe(204);
  });

  test("is one that batch destroys do not wait for any more", async () => {
    const api = apiSite("primary");
    await call(api, "POST", SITES, OSLO);
    for (const name of ["oslo", "tokyo"]) {
      await api.siteTable.update(noteSecondary({ name, region: "eu-north-1", registryTable: name }, api.clock.now()));
    }
    expect((await call(api, "DELETE", pathOf("oslo"))).status).toBe(204);
    const { items } = await api.siteTable.query(listSecondaries);
    expect(knownSecondaries(items, api.clock.now()).map(({ name }) => name)).toEqual(["tokyo"]);
  });

  test("may have a note that can not be read, which hides no other site", async () => {
    const api = apiSite("primary");
    await secondaryOf(api, "tokyo").report();
    await api.siteTable.put({ pk: "known_site", sk: "oslo", site_name: "Oslo", reported_at: "yesterday" });
    await api.siteTable.put({ pk: "known_site", sk: "bergen" });
    await api.siteTable.put({ pk: "known_site", sk: "frankfurt", site_name: "frankfurt", is_enabled: "yes" });
    expect((await sitesOf(api)).map(({ name }) => name)).toEqual(["frankfurt", "tokyo"]);
    expect((await statusesOf(api)).map(({ name }) => name)).toEqual(["frankfurt", "tokyo"]);
    const lines = api.telemetry.linesOf("the note of a site can not be read");
    expect(new Set(lines.map(({ fields }) => fields["site_name"]))).toEqual(new Set(["Oslo", "bergen", "frankfurt"]));
    api.clock.advance(HOUR);
    expect((await call(api, "DELETE", pathOf("tokyo"))).status).toBe(204);
    const refused = await call(api, "DELETE", pathOf("frankfurt"));
    expect(await messageOf(refused)).toMatch(/there are still bergen, Oslo$/);
    for (const name of ["Oslo", "bergen", "frankfurt"]) {
      expect((await call(api, "DELETE", pathOf(name))).status).toBe(204);
    }
    expect(api.siteTable.items().filter(({ pk }) => pk === "known_site")).toEqual([]);
  });

  test("is the primary only when it is alone", async () => {
    const api = apiSite("primary");
    await call(api, "POST", SITES, OSLO);
    const refused = await call(api, "DELETE", pathOf("frankfurt"));
    expect(refused.status).toBe(409);
    expect(await messageOf(refused)).toBe(
      "409 Conflict - the primary can be removed when it is alone; there are still oslo",
    );
    await call(api, "DELETE", pathOf("oslo"));
    await call(api, "PUT", pathOf("frankfurt"), { url: "https://f.example" });
    expect((await call(api, "DELETE", pathOf("frankfurt"))).status).toBe(204);
    expect((await sitesOf(api))[0]).toMatchObject({ url: API_URL });
    expect((await call(api, "DELETE", pathOf("frankfurt"))).status).toBe(204);
  });

  test("is none at a secondary", async () => {
    const api = apiSite("secondary");
    expect((await call(api, "DELETE", pathOf("frankfurt"))).status).toBe(409);
    expect((await call(api, "DELETE", pathOf("tokyo"))).status).toBe(404);
  });
});

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

describe("a repair (F67)", () => {
  test("has a secondary look at itself and tell the primary, and answers its status", async () => {
    const api = apiSite("secondary");
    const response = await call(api, "POST", `${pathOf("frankfurt")}/repair`);
    expect(response.status).toBe(200);
    expect(SiteStatusContract.parse(await response.json())).toMatchObject({
      name: "frankfurt",
      as_of: new Date(api.clock.now()).toISOString(),
    });
    expect(await api.primarySiteTable.get(statusKey("frankfurt"))).toBeDefined();
    expect(await api.primarySiteTable.get({ pk: "known_site", sk: "frankfurt" })).toMatchObject({ api_url: API_URL });
  });

  test("of another site is asked of that site", async () => {
    const api = apiSite("primary");
    await secondaryOf(api, "tokyo").report();
    await call(api, "POST", SITES, OSLO);
    const tokyo = await call(api, "POST", `${pathOf("tokyo")}/repair`);
    expect(tokyo.status).toBe(409);
    expect(await messageOf(tokyo)).toContain("ask tokyo's own API, at https://tokyo.example.com/geo");
    expect(await messageOf(await call(api, "POST", `${pathOf("oslo")}/repair`))).toContain("once it is deployed");
  });

  test("takes a POST and an administrator's token", async () => {
    const api = apiSite("primary");
    const path = `${pathOf("frankfurt")}/repair`;
    const response = await call(api, "GET", path);
    expect([response.status, response.headers.get("allow")]).toEqual([405, "POST"]);
    expect((await api.call(path, { method: "POST", headers: await headersOf(api, "read_geo") })).status).toBe(403);
  });
});

describe("the usage object (F70)", () => {
  test("tells at the primary of every secondary that counts and has reported", async () => {
    const api = apiSite("primary");
    await secondaryOf(api, "tokyo").report();
    const lima = secondaryOf(api, "lima");
    await lima.siteTable.update(changeSettings({ enabled: false }, api.clock.now()));
    await lima.report();
    await call(api, "POST", SITES, OSLO);
    const usage = (await (await call(api, "GET", "/api/v4/usage_data/geo")).json()) as {
      readonly geo_node_usage: readonly Readonly<Record<string, unknown>>[];
    };
    expect(usage).toMatchObject({ geo_enabled: true, geo_nodes: 3, geo_event_log_max_id: null });
    expect(usage.geo_node_usage).toHaveLength(1);
    const [tokyo = {}] = usage.geo_node_usage;
    expect(Object.keys(tokyo)).toHaveLength(replicables.length * 11);
    expect(Object.values(tokyo).every((value) => typeof value === "number")).toBe(true);
  });

  test("is not told at a secondary, nor by another method", async () => {
    const refused = await call(apiSite("secondary"), "GET", "/api/v4/usage_data/geo");
    expect(refused.status).toBe(409);
    expect(await messageOf(refused)).toContain("ask the primary's API");
    const response = await call(apiSite("primary"), "POST", "/api/v4/usage_data/geo");
    expect([response.status, response.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
  });
});
