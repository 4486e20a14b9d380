import { describe, expect, test } from "vitest";
import { SiteContract } from "../../shared/client/contract.ts";
import { TableUnavailableError } from "../../shared/geo/errors.ts";
import { siteId } from "../../shared/geo/site-status.ts";
import { changeSettings } from "../../shared/tables/site/site-record.ts";
import { API_URL, apiSite } from "./support/site.ts";
import {
  SITES,
  secondaryOf,
  headersOf,
  call,
  sitesOf,
  statusesOf,
  messageOf,
  pathOf,
  isNote,
  OSLO,
} from "./support/known-sites.ts";

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
