import { describe, expect, test } from "vitest";
import { WalkAskedContract } from "../../shared/client/contract.ts";
import { siteId } from "../../shared/geo/site-status.ts";
import { setFlag } from "../../shared/tables/site/flags-item.ts";
import { askedForQuery, parseAskedFor } from "../../shared/tables/site/walk-pace-item.ts";
import { apiSite } from "./support/site.ts";

const WALK = `/api/v4/geo_sites/${siteId("frankfurt")}/registry_consistency/lfs_object/walk`;

type Api = ReturnType<typeof apiSite>;

const post = async (api: Api, path = WALK): Promise<Response> =>
  api.call(path, {
    method: "POST",
    headers: { "PRIVATE-TOKEN": await api.token({ scope: "admin_geo", name: "bob" }) },
  });

const askedFor = async (api: Api) => [...parseAskedFor((await api.siteTable.query(askedForQuery())).items)];

const messageOf = async (response: Response): Promise<string> =>
  ((await response.json()) as { readonly message: string }).message;

describe("a walk through a type", () => {
  test("is asked for, and begins with a later run", async () => {
    const api = apiSite("secondary");
    const response = await post(api);
    expect(response.status).toBe(202);
    const now = api.clock.now();
    expect(WalkAskedContract.parse(await response.json())).toEqual({
      replicable_name: "lfs_object",
      asked_at: new Date(now).toISOString(),
    });
    expect(await askedFor(api)).toEqual([["lfs_object", now]]);
    expect(api.telemetry.linesOf("an operator asked for a walk").map(({ fields }) => fields)).toEqual([
      { token_name: "bob", replicable: "lfs_object" },
    ]);
  });

  test("of a type that is switched off is not taken: nobody would walk", async () => {
    const api = apiSite("secondary");
    await api.primarySiteTable.update(setFlag("geo_lfs_object_replication", false, 0));
    const response = await post(api);
    expect(response.status).toBe(409);
    expect(await messageOf(response)).toContain("geo_lfs_object_replication");
    expect(await askedFor(api)).toEqual([]);
  });

  test("is no matter of a primary, of another site or of a type that is none", async () => {
    const refused = async (api: Api, path = WALK) => {
      const response = await post(api, path);
      expect(await askedFor(api)).toEqual([]);
      return [response.status, await messageOf(response)];
    };
    expect(await refused(apiSite("primary"))).toEqual([
      404,
      "404 Registry Not Found - a primary has none; ask a secondary",
    ]);
    expect(await refused(apiSite(), WALK.replace(/geo_sites\/\d+/, "geo_sites/1"))).toEqual([
      404,
      "404 GeoSite Not Found",
    ]);
    const [status, message] = await refused(apiSite(), WALK.replace("lfs_object", "hot_widget"));
    expect(status).toBe(404);
    expect(message).toMatch(/^404 Replicable Not Found - expected one of .*lfs_object/);
  });

  test("takes POST only, and an administrator's token", async () => {
    const api = apiSite();
    const response = await api.app.request(WALK);
    expect([response.status, response.headers.get("allow")]).toEqual([405, "POST"]);
    const headers = { "PRIVATE-TOKEN": await api.token() };
    expect((await api.call(WALK, { method: "POST", headers })).status).toBe(403);
  });
});
