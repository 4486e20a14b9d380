import { describe, expect, test } from "vitest";
import { FeatureContract, FeaturesContract, type FeatureState } from "../../shared/client/contract.ts";
import { flagDefaults, OBJECT_STORAGE_VERIFICATION } from "../../shared/geo/feature-flags.ts";
import type { TokenScope } from "../../shared/geo/tokens.ts";
import { replicables } from "../../shared/replicables/index.ts";
import { changeFeature } from "../../shared/services/change-flags.ts";
import { CachedSwitches } from "../../shared/services/type-switches.ts";
import { setFlag } from "../../shared/tables/site/flags-item.ts";
import { apiSite } from "./support/site.ts";

const FEATURES = "/api/v4/features";
const WIDGETS = "geo_cool_widget_replication";
const LFS = "geo_lfs_object_replication";

type Api = ReturnType<typeof apiSite>;

const headersOf = async (api: Api, scope: TokenScope = "admin_geo") => ({
  "PRIVATE-TOKEN": await api.token({ scope, name: "alice" }),
});

const list = async (api: Api): Promise<readonly FeatureState[]> => {
  const response = await api.call(FEATURES, { headers: await headersOf(api, "read_geo") });
  expect(response.status).toBe(200);
  return FeaturesContract.parse(await response.json());
};

const one = async (api: Api, name: string) => (await list(api)).find((feature) => feature.name === name);

const post = async (api: Api, name: string, body: string): Promise<Response> =>
  api.call(`${FEATURES}/${name}`, { method: "POST", headers: await headersOf(api), body });

const remove = async (api: Api, name: string): Promise<Response> =>
  api.call(`${FEATURES}/${name}`, { method: "DELETE", headers: await headersOf(api) });

const messageOf = async (response: Response): Promise<string> => {
  const body = (await response.json()) as Readonly<Record<string, string>>;
  expect(Object.keys(body)).toEqual(["message"]);
  return body["message"] ?? "";
};

const CHANGED = "an operator changed a feature flag";

describe("the feature flags", () => {
  test("are told, every one, with what they are while nobody says anything", async () => {
    const features = await list(apiSite("primary"));
    const defaults = flagDefaults(replicables);
    expect(features.map(({ name }) => name)).toEqual(Object.keys(defaults).sort());
    for (const feature of features) {
      const standard = defaults[feature.name] === true ? "on" : "off";
      expect(feature).toEqual({
        name: feature.name,
        state: standard,
        default: standard,
        overridden: false,
        changed_at: null,
      });
    }
    expect(features.find(({ name }) => name === OBJECT_STORAGE_VERIFICATION)?.state).toBe("on");
  });

  test("are the primary's at a secondary, too", async () => {
    const api = apiSite("secondary");
    await api.primarySiteTable.update(setFlag(WIDGETS, true, api.clock.now()));
    expect(await one(api, WIDGETS)).toMatchObject({ state: "on", default: "off", overridden: true });
  });

  test.each(["POST", "DELETE"])("are not changed by a %s at a secondary, which says whom to ask", async (method) => {
    const api = apiSite("secondary");
    const headers = await headersOf(api);
    const body = method === "POST" ? { body: '{"value": true}' } : {};
    const response = await api.call(`${FEATURES}/${WIDGETS}`, { method, headers, ...body });
    expect(response.status).toBe(409);
    expect(await messageOf(response)).toContain("ask the primary's API to change one");
    expect(await one(api, WIDGETS)).toMatchObject({ state: "off", overridden: false });
  });

  test("take no other methods, and say which they take", async () => {
    const api = apiSite("primary");
    const whole = await api.app.request(FEATURES, { method: "POST" });
    expect([whole.status, whole.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
    const single = await api.app.request(`${FEATURES}/${WIDGETS}`);
    expect([single.status, single.headers.get("allow")]).toEqual([405, "POST, DELETE"]);
  });
});

describe("a flag (F84, F85, F87)", () => {
  test("that is set is so for every function, and says since when", async () => {
    const api = apiSite("primary");
    const response = await post(api, WIDGETS, '{"value": true}');
    expect(response.status).toBe(200);
    const set = { name: WIDGETS, state: "on", default: "off", overridden: true };
    const changedAt = new Date(api.clock.now()).toISOString();
    expect(FeatureContract.parse(await response.json())).toEqual({ ...set, changed_at: changedAt });
    expect(await one(api, WIDGETS)).toEqual({ ...set, changed_at: changedAt });
    const switches = new CachedSwitches(api.siteTable, replicables, api.clock);
    expect(await switches.of("cool_widget")).toMatchObject({ replication: true });
  });

  test("that is given back is as it was declared, and still says when that was", async () => {
    const api = apiSite("primary");
    await post(api, LFS, '{"value": false}');
    expect(await one(api, LFS)).toMatchObject({ state: "off", default: "on", overridden: true });
    api.clock.advance(60_000);
    const response = await remove(api, LFS);
    expect(response.status).toBe(200);
    expect(await one(api, LFS)).toEqual({
      name: LFS,
      state: "on",
      default: "on",
      overridden: false,
      changed_at: new Date(api.clock.now()).toISOString(),
    });
  });

  test("that is set as it is, is no change: walks through history would follow one", async () => {
    const api = apiSite("primary");
    await post(api, WIDGETS, '{"value": true}');
    const before = await one(api, WIDGETS);
    api.clock.advance(60_000);
    expect((await post(api, WIDGETS, '{"value": true}')).status).toBe(200);
    expect((await remove(api, LFS)).status).toBe(200);
    expect(await one(api, WIDGETS)).toEqual(before);
    expect(await one(api, LFS)).toMatchObject({ changed_at: null });
    expect(api.telemetry.linesOf(CHANGED)).toHaveLength(1);
  });

  test("that is changed is logged with whose token it was", async () => {
    const api = apiSite("primary");
    await post(api, LFS, '{"value": false}');
    expect(api.telemetry.linesOf(CHANGED).map(({ fields }) => fields)).toEqual([
      { token_name: "alice", flag: LFS, before: "on", after: "off", overridden: true },
    ]);
  });

  test("of the partitioned type is not turned off, or given back, while a partition would be replicated by nobody", async () => {
    const api = apiSite("primary");
    const whole = replicables.find(({ partitioned }) => partitioned);
    if (whole === undefined) throw new Error("there is no partitioned type");
    const flag = whole.names.flags.replication;
    expect((await post(api, flag, '{"value": true}')).status).toBe(200);
    const [partition] = replicables.filter(({ partitionOf }) => partitionOf === whole.name);
    await post(api, partition?.names.flags.replication ?? "", '{"value": false}');
    const refused = await post(api, flag, '{"value": false}');
    expect(refused.status).toBe(409);
    expect(await messageOf(refused)).toContain(partition?.names.flags.replication ?? "no partition");
    expect(await one(api, flag)).toMatchObject({ state: "on" });
    for (const { names } of replicables.filter(({ partitionOf }) => partitionOf === whole.name)) {
      await post(api, names.flags.replication, '{"value": true}');
    }
    expect((await post(api, flag, '{"value": false}')).status).toBe(200);
  });

  test("of the partitioned type is not given back to a declaration that is off, either", async () => {
    const api = apiSite("primary");
    const ofToday = replicables.map((type) => (type.partitioned ? { ...type, enabledByDefault: false } : type));
    const flag = ofToday.find(({ partitioned }) => partitioned)?.names.flags.replication ?? "";
    const changing = { ...api, replicables: ofToday };
    expect(await changeFeature(changing, flag, true, "alice")).toMatchObject({ feature: { state: "on" } });
    expect(await changeFeature(changing, flag, undefined, "alice")).toHaveProperty("problem");
  });

  test.each(["geo_hot_widget_replication", "constructor", "geo_cool_widget_replication%20"])(
    "that there is not (%s) is a 404 that names what there is",
    async (name) => {
      const api = apiSite("primary");
      for (const response of [await post(api, name, '{"value": true}'), await remove(api, name)]) {
        expect(response.status).toBe(404);
        expect(await messageOf(response)).toMatch(/^404 Feature Not Found - there is no flag .*cool_widget/);
      }
    },
  );

  test.each([
    ["nothing", "", "no JSON"],
    ["a text", '{"value": "true"}', '{"value":"true"}'],
    ["a percentage", '{"value": 30}', '{"value":30}'],
    ["a list", "[true]", "[true]"],
    ["null", "null", "null"],
    ["another name", '{"values": true}', '{"values":true}'],
    ["more than a value", '{"value": true, "user": "me"}', '{"value":true,"user":"me"}'],
    ["something long", `{"value": "${"x".repeat(900)}"}`, `{"value":"${"x".repeat(90)}…`],
  ])("set to %s is a 400 that names what was expected and what came", async (_, body, came) => {
    const api = apiSite("primary");
    const response = await post(api, WIDGETS, body);
    expect(response.status).toBe(400);
    const expected = 'body: expected {"value": true} or {"value": false}';
    expect(await messageOf(response)).toBe(`400 Bad request - ${expected}, got ${came}`);
    expect(await one(api, WIDGETS)).toMatchObject({ overridden: false });
  });

  test("is not changed by more than a kilobyte, nor by whoever may only read", async () => {
    const api = apiSite("primary");
    expect((await post(api, WIDGETS, `{"value": "${"x".repeat(2_000)}"}`)).status).toBe(413);
    const headers = await headersOf(api, "read_geo");
    const path = `${FEATURES}/${WIDGETS}`;
    expect((await api.call(path, { method: "POST", headers, body: '{"value": true}' })).status).toBe(403);
    expect((await api.call(path, { method: "DELETE", headers })).status).toBe(403);
    expect((await api.call(path, { method: "DELETE" })).status).toBe(401);
    expect(await one(api, WIDGETS)).toMatchObject({ overridden: false });
  });
});
