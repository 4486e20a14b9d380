import { describe, expect, test } from "vitest";
import { ReleaseContract, RemovalGuardsContract } from "../../shared/client/contract.ts";
import { TableUnavailableError } from "../../shared/geo/errors.ts";
import { siteId } from "../../shared/geo/site-status.ts";
import type { TokenScope } from "../../shared/geo/tokens.ts";
import { replicables } from "../../shared/replicables/index.ts";
import { askToRemove } from "../../shared/services/removal-guard.ts";
import { apiSite } from "./support/site.ts";

const ID = siteId("frankfurt");
const GUARDS = `/api/v4/geo_sites/${ID}/removal_guards`;
const RELEASE = `${GUARDS}/cool_widget/release`;
const LIMIT = 2;

/** A secondary that has held removals of `cool_widget` back for half an hour. */
const pausedSite = async () => {
  const api = apiSite("secondary");
  const site = { ...api, removalGuard: { floor: LIMIT, percent: 0, most: LIMIT } };
  for (let removals = 0; removals <= LIMIT; removals += 1) await askToRemove(site, "cool_widget");
  const pausedAt = new Date(api.clock.now()).toISOString();
  api.clock.advance(30 * 60_000);
  return { api, pausedAt };
};

const headersOf = async (api: ReturnType<typeof apiSite>, scope: TokenScope, name = "alice") => ({
  "PRIVATE-TOKEN": await api.token({ scope, name }),
});

/** Posts as an administrator. */
const post = async (api: ReturnType<typeof apiSite>, body: string, path = RELEASE): Promise<Response> =>
  api.call(path, { method: "POST", headers: await headersOf(api, "admin_geo"), body });

const messageOf = async (response: Response): Promise<string> => {
  const body = (await response.json()) as Readonly<Record<string, string>>;
  expect(Object.keys(body)).toEqual(["message"]);
  return body["message"] ?? "";
};

describe("the removal guards of a secondary", () => {
  test("are told for every type to whoever may read", async () => {
    const { api, pausedAt } = await pausedSite();
    const response = await api.call(GUARDS, { headers: await headersOf(api, "read_geo") });
    expect(response.status).toBe(200);
    expect(response.headers.get("cache-control")).toBe("no-store");
    const guards = RemovalGuardsContract.parse(await response.json());
    expect(guards.map((guard) => guard.replicable_name)).toEqual(replicables.map(({ name }) => name));
    expect(guards.find((guard) => guard.replicable_name === "cool_widget")).toEqual({
      replicable_name: "cool_widget",
      removals: LIMIT,
      limit: LIMIT,
      window_started_at: pausedAt,
      paused_at: pausedAt,
      release: null,
    });
    expect(guards.find((guard) => guard.replicable_name === "package_file")).toEqual({
      replicable_name: "package_file",
      removals: 0,
      limit: null,
      window_started_at: null,
      paused_at: null,
      release: null,
    });
  });

  test("answer under the older word for sites, too", async () => {
    const { api } = await pausedSite();
    const response = await api.app.request(GUARDS.replace("geo_sites", "geo_nodes"));
    expect(RemovalGuardsContract.parse(await response.json())).toHaveLength(replicables.length);
  });

  test("are no matter of a primary, which says whom to ask", async () => {
    const api = apiSite("primary");
    for (const response of [await api.app.request(GUARDS), await post(api, '{"removals": 1}')]) {
      expect(response.status).toBe(404);
      expect(await messageOf(response)).toBe(
        "404 Removal Guard Not Found - a primary removes nothing; ask a secondary",
      );
    }
  });

  test.each([
    ["another site", "/api/v4/geo_sites/1/removal_guards", 404, "404 GeoSite Not Found"],
    ["an id that is no number", "/api/v4/geo_sites/all/removal_guards", 400, "400 Bad request - id is invalid"],
    ["something beside it", `${GUARDS}/cool_widget`, 404, "404 Not Found"],
  ])("of %s are refused in GitLab's form", async (_, path, status, message) => {
    const response = await apiSite().app.request(path);
    expect(response.status).toBe(status);
    expect(await messageOf(response)).toContain(message);
  });

  test.each([
    [GUARDS, "POST", "GET, HEAD"],
    [GUARDS, "DELETE", "GET, HEAD"],
    [RELEASE, "GET", "POST"],
    [RELEASE, "PUT", "POST"],
  ])("%s takes no %s, and says what it takes", async (path, method, allowed) => {
    const response = await apiSite().app.request(path, { method });
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe(allowed);
  });

  test("that can not be read are a 503 that tells the caller nothing of the table", async () => {
    const { api } = await pausedSite();
    api.siteTable.interference = {
      before: () => {
        throw new TableUnavailableError("arn:aws:dynamodb:eu-central-1:123456789012 is throttled");
      },
    };
    const response = await api.app.request(GUARDS);
    expect(response.status).toBe(503);
    expect(await messageOf(response)).toBe("503 Service Unavailable - a table did not answer; try again");
  });
});

describe("a release", () => {
  test("lets so many more through, and tells what the guard is then and when what waits comes again", async () => {
    const { api, pausedAt } = await pausedSite();
    const response = await post(api, '{"removals": 5000, "minutes": 90}');
    expect(response.status).toBe(200);
    expect(ReleaseContract.parse(await response.json())).toEqual({
      replicable_name: "cool_widget",
      removals: LIMIT,
      limit: LIMIT,
      window_started_at: pausedAt,
      paused_at: null,
      release: { removals: 5000, until: new Date(api.clock.now() + 90 * 60_000).toISOString() },
      retried_within_seconds: 1_800,
    });
  });

  test("holds for an hour unless it says how long", async () => {
    const { api } = await pausedSite();
    const answer = ReleaseContract.parse(await (await post(api, '{"removals": 1}')).json());
    expect(answer.release?.until).toBe(new Date(api.clock.now() + 3_600_000).toISOString());
  });

  test("is told of for as long as something is left of it", async () => {
    const { api } = await pausedSite();
    await post(api, '{"removals": 5, "minutes": 60}');
    const release = async () => {
      const guards = RemovalGuardsContract.parse(await (await api.app.request(GUARDS)).json());
      return guards.find((guard) => guard.replicable_name === "cool_widget")?.release;
    };
    expect(await release()).toMatchObject({ removals: 5 });
    api.clock.advance(60 * 60_000);
    expect(await release()).toBeNull();
  });

  test("is logged with whose token it was, what and how much", async () => {
    const { api } = await pausedSite();
    await post(api, '{"removals": 5000}');
    expect(api.telemetry.linesOf("an operator released removals").map(({ fields }) => fields)).toEqual([
      {
        token_name: "alice",
        replicable: "cool_widget",
        removals: 5000,
        minutes: 60,
        until: new Date(api.clock.now() + 3_600_000).toISOString(),
      },
    ]);
  });

  test("is refused to a token that may only read, and leaves the guard as it was", async () => {
    const { api, pausedAt } = await pausedSite();
    const headers = await headersOf(api, "read_geo");
    const response = await api.call(RELEASE, { method: "POST", headers, body: '{"removals": 5000}' });
    expect(response.status).toBe(403);
    expect((await api.call(RELEASE, { method: "POST", body: '{"removals": 5000}' })).status).toBe(401);
    const guards = RemovalGuardsContract.parse(await (await api.call(GUARDS, { headers })).json());
    expect(guards.find((guard) => guard.replicable_name === "cool_widget")).toMatchObject({ paused_at: pausedAt });
    expect(api.telemetry.linesOf("an operator released removals")).toEqual([]);
  });

  const removals = "removals: expected a whole number from 1 to 1000000000";
  const minutes = "minutes: expected a whole number from 1 to 10080";
  test.each([
    ["nothing", "", 'body: expected JSON such as {"removals": 5000, "minutes": 60}, got no JSON'],
    ["no JSON", "removals=5000", 'body: expected JSON such as {"removals": 5000, "minutes": 60}, got no JSON'],
    ["a list", "[5000]", 'body: expected an object such as {"removals": 5000, "minutes": 60}, got [5000]'],
    ["no number of removals", '{"minutes": 60}', `${removals}, got nothing`],
    ["none at all", '{"removals": 0}', `${removals}, got 0`],
    ["one and a half", '{"removals": 1.5}', `${removals}, got 1.5`],
    ["a text", '{"removals": "all"}', `${removals}, got "all"`],
    ["more than there can be", '{"removals": 1e10}', `${removals}, got 10000000000`],
    ["no time", '{"removals": 1, "minutes": 0}', `${minutes}, got 0`],
    ["more than a week", '{"removals": 1, "minutes": 10081}', `${minutes}, got 10081`],
    ["two mistakes", '{"removals": null, "minutes": -1}', `${removals}, got null; ${minutes}, got -1`],
    [
      "a setting that there is not",
      '{"removals": 1, "for": "ever"}',
      "there is no setting called for; expected removals and minutes",
    ],
  ])("of %s is a 400 that names what was expected and what came", async (_, body, message) => {
    const { api } = await pausedSite();
    const response = await post(api, body);
    expect(response.status).toBe(400);
    expect(await messageOf(response)).toBe(`400 Bad request - ${message}`);
    expect(api.telemetry.linesOf("an operator released removals")).toEqual([]);
  });

  test("shows no more than a hundred characters of what came", async () => {
    const { api } = await pausedSite();
    const message = await messageOf(await post(api, `{"removals": "${"x".repeat(900)}"}`));
    expect(message.length).toBeLessThan(250);
  });

  test.each([
    ["a length that is told", true],
    ["a length that is not", false],
  ])("of more than a kilobyte is not read, with %s", async (_, told) => {
    const { api } = await pausedSite();
    const body = `{"removals": 1, "padding": "${"x".repeat(2_000)}"}`;
    const response = await api.call(RELEASE, {
      method: "POST",
      headers: { ...(await headersOf(api, "admin_geo")), ...(told && { "content-length": String(body.length) }) },
      body,
    });
    expect(response.status).toBe(413);
    expect(await messageOf(response)).toBe("413 Payload Too Large - body: expected at most 1024 bytes");
  });

  test("of a type that is none is a 404 that names those that there are", async () => {
    const { api } = await pausedSite();
    const response = await post(api, '{"removals": 1}', RELEASE.replace("cool_widget", "hot_widget"));
    expect(response.status).toBe(404);
    expect(await messageOf(response)).toMatch(/^404 Replicable Not Found - expected one of .*cool_widget/);
  });

  test("of a type that has never removed anything is a 404, and makes no guard of it", async () => {
    const { api } = await pausedSite();
    const response = await post(api, '{"removals": 1}', RELEASE.replace("cool_widget", "package_file"));
    expect(response.status).toBe(404);
    expect(await messageOf(response)).toBe(
      "404 Removal Guard Not Found - package_file has never removed anything at this site",
    );
    const guards = RemovalGuardsContract.parse(await (await api.app.request(GUARDS)).json());
    expect(guards.find((guard) => guard.replicable_name === "package_file")).toMatchObject({ limit: null });
  });
});
