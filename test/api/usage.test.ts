import { describe, expect, test } from "vitest";
import { UsageContract } from "../../shared/client/usage-contract.ts";
import { DAY_MS } from "../../shared/geo/daily-usage.ts";
import { TableUnavailableError } from "../../shared/geo/errors.ts";
import { siteId } from "../../shared/geo/site-status.ts";
import { replicables } from "../../shared/replicables/index.ts";
import { UsageLedger } from "../../shared/services/daily-usage.ts";
import { apiSite } from "./support/site.ts";

const USAGE = `/api/v4/geo_sites/${siteId("frankfurt")}/usage`;

type Api = ReturnType<typeof apiSite>;

const get = async (api: Api, query = ""): Promise<Response> =>
  api.call(`${USAGE}${query}`, { headers: { "PRIVATE-TOKEN": await api.token() } });

const ledgerOf = (api: Api): UsageLedger =>
  new UsageLedger({
    site: api.site,
    replicables,
    siteTable: api.siteTable,
    clock: api.clock,
    telemetry: api.telemetry,
  });

const copies = (api: Api, count: number): Promise<void> =>
  api.rows(
    Array.from({ length: count }, () => ({
      pk: "lfs_object#0aa",
      sk: "lfs_objects/a",
      state: 2,
      verification_state: 2,
      rep_version_id: "v",
      verified_at: 1,
      src_size: 10,
    })),
  );

describe("the usage of a site", () => {
  test("is told day by day and type by type, to a token that may only read", async () => {
    const api = apiSite("secondary");
    const ledger = ledgerOf(api);
    for (const count of [3, 4]) {
      await ledger.note();
      await copies(api, count);
      api.clock.advance(DAY_MS);
    }
    const response = await get(api, "?days=30");
    expect(response.status).toBe(200);
    const usage = UsageContract.parse(await response.json());
    expect(usage).toMatchObject({ name: "frankfurt", primary: false, as_of: new Date(api.clock.now()).toISOString() });
    expect(usage.days.map(({ types }) => types)).toEqual(
      [3, 4].map((count, day) => [
        {
          replicable_name: "lfs_object",
          synced_count: count,
          verified_count: count,
          failed_count: 0,
          verification_failed_count: 0,
          removed_count: 0,
          changes_count: count,
          objects_count: day === 0 ? 3 : 7,
          bytes: day === 0 ? 30 : 70,
        },
      ]),
    );
  });

  test("is empty before the first day was noted, and under the older word the same", async () => {
    const api = apiSite("primary");
    expect(await (await get(api)).json()).toMatchObject({ primary: true, days: [] });
    const headers = { "PRIVATE-TOKEN": await api.token() };
    expect((await api.call(USAGE.replace("geo_sites", "geo_nodes"), { headers })).status).toBe(200);
  });

  test.each(["0", "401", "many", "1e2"])("of %s days is refused, with what was expected", async (days) => {
    const response = await get(apiSite(), `?days=${days}`);
    expect([response.status, await response.json()]).toEqual([
      400,
      { message: `400 Bad request - days: expected a number from 1 to 400, got "${days}"` },
    ]);
  });

  test("is told by the site itself alone, to GET alone", async () => {
    const api = apiSite();
    const headers = { "PRIVATE-TOKEN": await api.token({ scope: "admin_geo" }) };
    expect((await api.call(USAGE.replace(/geo_sites\/\d+/, "geo_sites/1"), { headers })).status).toBe(404);
    const response = await api.app.request(USAGE, { method: "DELETE" });
    expect([response.status, response.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
  });

  test("is a 503 while the table does not answer", async () => {
    const api = apiSite();
    const token = await api.token();
    api.siteTable.interference = {
      before: (operation) => {
        if (operation.kind === "query") throw new TableUnavailableError("throttled");
      },
    };
    expect((await api.call(USAGE, { headers: { "PRIVATE-TOKEN": token } })).status).toBe(503);
  });
});
