import { describe, expect, test } from "vitest";
import { knownSecondaries, listSecondaries, noteSecondary } from "../../shared/tables/site/known-secondary.ts";
import { statusKey } from "../../shared/tables/site/status-item.ts";
import { API_URL, apiSite } from "./support/site.ts";
import { SITES, HOUR, secondaryOf, call, sitesOf, statusesOf, messageOf, pathOf, OSLO } from "./support/known-sites.ts";

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
