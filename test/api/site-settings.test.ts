import { describe, expect, test } from "vitest";
import { SiteContract } from "../../shared/client/contract.ts";
import { TableUnavailableError } from "../../shared/geo/errors.ts";
import { siteId } from "../../shared/geo/site-status.ts";
import type { TokenScope } from "../../shared/geo/tokens.ts";
import type { TableOperation } from "../../shared/memory/table.ts";
import { readSettings } from "../../shared/services/change-settings.ts";
import { API_URL, apiSite } from "./support/site.ts";

const ID = siteId("frankfurt");
const SITE = `/api/v4/geo_sites/${ID}`;

type Api = ReturnType<typeof apiSite>;

const headersOf = async (api: Api, scope: TokenScope = "admin_geo") => ({
  "PRIVATE-TOKEN": await api.token({ scope, name: "alice" }),
});

const get = async (api: Api) => {
  const response = await api.call(SITE, { headers: await headersOf(api, "read_geo") });
  expect(response.status).toBe(200);
  return SiteContract.parse(await response.json());
};

const put = async (api: Api, body: string, path = SITE): Promise<Response> =>
  api.call(path, { method: "PUT", headers: await headersOf(api), body });

const messageOf = async (response: Response): Promise<string> => {
  const body = (await response.json()) as Readonly<Record<string, string>>;
  expect(Object.keys(body)).toEqual(["message"]);
  return body["message"] ?? "";
};

const CHANGED = "an operator changed settings of the site";

describe("a site", () => {
  test("that nobody has changed tells its defaults under Geo's names", async () => {
    expect(await get(apiSite("secondary"))).toEqual({
      id: ID,
      name: "frankfurt",
      url: API_URL,
      internal_url: API_URL,
      primary: false,
      enabled: true,
      current: true,
      files_max_capacity: 2_880,
      repos_max_capacity: 10,
      verification_max_capacity: 2_880,
      container_repositories_max_capacity: 2,
      selective_sync_type: null,
      selective_sync_shards: [],
      selective_sync_namespace_ids: [],
      selective_sync_organization_ids: [],
      minimum_reverification_interval: 90,
      blob_download_timeout: 28_800,
      checksum_mismatch_report_threshold: null,
      checksum_mismatch_self_heal_cooldown_minutes: null,
      sync_object_storage: true,
      web_edit_url: `${API_URL}/admin/geo/sites/${ID}/edit`,
      web_geo_replication_details_url: `${API_URL}/admin/geo/sites/${ID}/replication/abuse_report_uploads`,
      _links: { self: `${API_URL}${SITE}`, status: `${API_URL}${SITE}/status`, repair: `${API_URL}${SITE}/repair` },
    });
  });

  test("that is a primary has no say on keeping objects", async () => {
    const site = await get(apiSite("primary"));
    expect(site).toMatchObject({ primary: true, selective_sync_type: null });
    expect(site).not.toHaveProperty("sync_object_storage");
  });

  test("answers under the older word for sites, too, and to whoever may read", async () => {
    const api = apiSite();
    const response = await api.call(SITE.replace("geo_sites", "geo_nodes"), {
      headers: await headersOf(api, "read_geo"),
    });
    expect(await response.json()).toMatchObject({ id: ID });
  });

  test.each([
    ["another one", "/api/v4/geo_sites/1", 404, "404 GeoSite Not Found"],
    ["an id that is no number", "/api/v4/geo_sites/all", 400, "400 Bad request - id is invalid"],
  ])("that is %s is neither told nor changed", async (_, path, status, message) => {
    const api = apiSite();
    const responses = [await api.app.request(path), await put(api, '{"files_max_capacity": 1}', path)];
    for (const response of responses) {
      expect(response.status).toBe(status);
      expect(await messageOf(response)).toContain(message);
    }
    expect((await get(api)).files_max_capacity).toBe(2_880);
  });

  test("takes no other method, and says which it takes", async () => {
    const response = await apiSite().app.request(SITE, { method: "PATCH" });
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe("GET, HEAD, PUT, DELETE");
  });

  test("whose record can not be read is a 500: to tell defaults could be wrong", async () => {
    const api = apiSite();
    await api.siteTable.put({ pk: "site", sk: "self", selective_sync_type: "galaxies" });
    expect((await api.app.request(SITE)).status).toBe(500);
    expect((await put(api, '{"files_max_capacity": 1}')).status).toBe(500);
  });

  test("whose table does not answer is a 503", async () => {
    const api = apiSite();
    api.siteTable.interference = {
      before: () => {
        throw new TableUnavailableError("throttled");
      },
    };
    expect((await api.app.request(SITE)).status).toBe(503);
  });
});

describe("a change of settings (F34, F51, F54)", () => {
  test.each([
    ["capacities", { files_max_capacity: 60, verification_max_capacity: 120 }],
    ["the others", { repos_max_capacity: 1, container_repositories_max_capacity: 3 }],
    ["the interval", { minimum_reverification_interval: 7 }],
    ["keeping objects", { sync_object_storage: false }],
    ["a pause (F98)", { enabled: false }],
    ["namespaces", { selective_sync_type: "namespaces", selective_sync_namespace_ids: [7, 42, "007"] }],
    ["shards", { selective_sync_type: "shards", selective_sync_shards: ["default"] }],
    ["organizations", { selective_sync_type: "organizations", selective_sync_organization_ids: [3] }],
  ])("of %s is answered with the site as it is then, and stays", async (_, change) => {
    const api = apiSite("secondary");
    const before = await get(api);
    const response = await put(api, JSON.stringify(change));
    expect(response.status).toBe(200);
    expect(SiteContract.parse(await response.json())).toEqual({ ...before, ...change });
    expect(await get(api)).toEqual({ ...before, ...change });
  });

  test("at a primary holds for what a primary has", async () => {
    const api = apiSite("primary");
    expect((await put(api, '{"verification_max_capacity": 60}')).status).toBe(200);
    expect((await get(api)).verification_max_capacity).toBe(60);
    const refused = await put(api, '{"selective_sync_type": "shards", "selective_sync_shards": ["a"]}');
    expect(refused.status).toBe(400);
    expect(await messageOf(refused)).toContain("is a setting of secondaries, and this site is the primary");
  });

  test("pauses a secondary and has it go on, which its status tells; a primary can not be paused (F98)", async () => {
    const api = apiSite();
    const status = async () => {
      const response = await api.call(`${SITE}/status`, { headers: await headersOf(api) });
      return (await response.json()) as unknown;
    };
    expect(await status()).toMatchObject({ enabled: true, health_status: "Healthy" });
    expect((await put(api, '{"enabled": false}')).status).toBe(200);
    expect(await status()).toMatchObject({ enabled: false, healthy: true, health_status: "Disabled" });
    expect((await put(api, '{"enabled": true}')).status).toBe(200);
    expect(await status()).toMatchObject({ enabled: true, health_status: "Healthy" });
    const wrong = await put(api, '{"enabled": "no"}');
    expect([wrong.status, await messageOf(wrong)]).toEqual([
      400,
      '400 Bad request - enabled: expected true or false, got "no"',
    ]);
    const refused = await put(apiSite("primary"), '{"enabled": false}');
    expect([refused.status, await messageOf(refused)]).toEqual([
      400,
      { enabled: ["Geo primary node cannot be disabled"] },
    ]);
  });

  test("keeps the stored ids when only their type is named", async () => {
    const api = apiSite();
    await put(api, '{"selective_sync_type": "namespaces", "selective_sync_namespace_ids": "7,8"}');
    expect((await put(api, '{"selective_sync_type": "namespaces"}')).status).toBe(200);
    expect((await get(api)).selective_sync_namespace_ids).toEqual([7, 8]);
    expect((await put(api, '{"selective_sync_type": "shards"}')).status).toBe(400);
  });

  test("is logged with whose token it was, and with what was before and is after", async () => {
    const api = apiSite();
    await put(api, '{"files_max_capacity": 60}');
    const [line] = api.telemetry.linesOf(CHANGED);
    expect(line?.fields["token_name"]).toBe("alice");
    expect(JSON.parse(String(line?.fields["before"]))).toMatchObject({ capacities: { files_max_capacity: 2_880 } });
    expect(JSON.parse(String(line?.fields["after"]))).toMatchObject({ capacities: { files_max_capacity: 60 } });
  });

  test("of the rule notes when it was, for walks to follow; said again it is no change", async () => {
    const api = apiSite();
    const rule = '{"selective_sync_type": "namespaces", "selective_sync_namespace_ids": [7]}';
    const changedAt = api.clock.now();
    await put(api, rule);
    api.clock.advance(60_000);
    expect((await put(api, rule)).status).toBe(200);
    await put(api, '{"files_max_capacity": 60, "minimum_reverification_interval": 90}');
    expect((await readSettings(api)).scopeChangedAt).toBe(changedAt);
    expect(api.telemetry.linesOf(CHANGED)).toHaveLength(2);
    await put(api, '{"sync_object_storage": false}');
    expect((await readSettings(api)).scopeChangedAt).toBe(api.clock.now());
  });

  test("that says what is so already writes nothing", async () => {
    const api = apiSite();
    await put(api, '{"sync_object_storage": false}');
    const headers = await headersOf(api);
    await api.call(SITE, { headers }); // the first use of a token is noted
    const operations: TableOperation[] = [];
    api.siteTable.interference = { before: (operation) => void operations.push(operation) };
    const same = { files_max_capacity: 2_880, selective_sync_type: null, sync_object_storage: false };
    const body = JSON.stringify({ ...same, minimum_reverification_interval: 90 });
    expect((await api.call(SITE, { method: "PUT", headers, body })).status).toBe(200);
    expect(operations.map(({ kind }) => kind)).not.toContain("update");
  });

  test.each<readonly [string, string, string]>([
    ["nothing", "", 'body: expected JSON such as {"files_max_capacity": 100}, got no JSON'],
    ["a form", "files_max_capacity=5", 'body: expected JSON such as {"files_max_capacity": 100}, got no JSON'],
    ["null", "null", 'body: expected an object such as {"files_max_capacity": 100}, got null'],
    ["a setting that there is not", '{"colour": "blue"}', 'there is no setting called "colour"; expected some of'],
    ["an unknown type", '{"selective_sync_type": "galaxies"}', 'selective_sync_type: expected "namespaces", "shards"'],
    [
      "an empty list",
      '{"selective_sync_type": "namespaces", "selective_sync_namespace_ids": []}',
      "an empty list would remove every replica that has an owner",
    ],
    ["a capacity of nothing", '{"files_max_capacity": 0}', "files_max_capacity: expected a whole number from 1"],
    ["a capacity of a million", '{"files_max_capacity": 1000000}', "to 100000, got 1000000"],
    ["an interval of nothing", '{"minimum_reverification_interval": 0}', "expected a whole number of days from 1"],
    [
      "a good setting beside a bad one",
      '{"files_max_capacity": 5, "verification_max_capacity": 0}',
      "verification_max_capacity: expected a whole number",
    ],
  ])("that is %s is a 400 that names what was expected, and writes nothing", async (_, body, message) => {
    const api = apiSite();
    const before = await get(api);
    const response = await put(api, body);
    expect(response.status).toBe(400);
    expect(await messageOf(response)).toContain(message);
    expect(await get(api)).toEqual(before);
    expect(api.telemetry.linesOf(CHANGED)).toEqual([]);
  });

  test("of more than 128 KiB is not read", async () => {
    const response = await put(apiSite(), `{"selective_sync_shards": "${"x".repeat(131_072)}"}`);
    expect(response.status).toBe(413);
    expect(await messageOf(response)).toBe("413 Payload Too Large - body: expected at most 131072 bytes");
  });

  test("with as many ids as a rule may have is not too large", async () => {
    const api = apiSite();
    const ids = Array.from({ length: 1_000 }, (_, index) => `${index}`.padStart(64, "s"));
    const body = JSON.stringify({ selective_sync_type: "shards", selective_sync_shards: ids });
    expect((await put(api, body)).status).toBe(200);
    expect((await get(api)).selective_sync_shards).toEqual(ids);
  });

  test("takes an administrator's token", async () => {
    const api = apiSite();
    const body = '{"files_max_capacity": 1}';
    const headers = await headersOf(api, "read_geo");
    expect((await api.call(SITE, { method: "PUT", headers, body })).status).toBe(403);
    expect((await api.call(SITE, { method: "PUT", body })).status).toBe(401);
    expect((await get(api)).files_max_capacity).toBe(2_880);
  });
});
