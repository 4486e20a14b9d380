import { describe, expect, test } from "vitest";
import { SiteStatusContract } from "../../shared/client/contract.ts";
import { replicables } from "../../shared/replicables/index.ts";
import { changeSettings } from "../../shared/tables/site/site-record.ts";
import { statusKey } from "../../shared/tables/site/status-item.ts";
import { API_URL, apiSite } from "./support/site.ts";
import { SITES, secondaryOf, headersOf, call, messageOf, pathOf, OSLO } from "./support/known-sites.ts";

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
