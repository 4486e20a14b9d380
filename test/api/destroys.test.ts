import { describe, expect, test } from "vitest";
import { geoClient } from "../../shared/client/client.ts";
import { siteId } from "../../shared/geo/site-status.ts";
import { destroyingWorld } from "../support/destroying.ts";
import { API_URL, apiSite } from "./support/site.ts";

const PATH = `/api/v4/geo_sites/${siteId("frankfurt")}/destroys`;

/** A primary's API, called as its administrator. */
const primary = async () => {
  const site = apiSite("primary");
  const token = await site.token({ scope: "admin_geo", name: "amelia" });
  const call = (method: string, path = "", body?: unknown): Promise<Response> =>
    site.call(`${PATH}${path}`, {
      method,
      headers: { "private-token": token },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
  return { ...site, call, token };
};

const messageOf = async (response: Response): Promise<string> =>
  ((await response.json()) as { readonly message: string }).message;

describe("POST …/destroys", () => {
  test("begins a dry run and says who asked for it", async () => {
    const { call, destroys } = await primary();
    const response = await call("POST", "", { namespace_id: 42, replicable_name: "upload" });
    expect(response.status).toBe(202);
    const answer = (await response.json()) as { readonly id: string };
    expect(answer).toMatchObject({
      id: expect.stringMatching(/^[a-z0-9]{12}$/),
      state: "planning",
      replicable_names: ["upload"],
      parent: { kind: "namespace", id: "42" },
      requested_by: "amelia",
      object_count: 0,
      expires_at: null,
    });
    expect(destroys.executions).toMatchObject([
      { name: `${answer.id}-plan-1`, input: { destroy_id: answer.id, work: "plan", run: 1, looks: 0 } },
    ]);
  });

  test.each([
    [{ project_id: "7" }, { kind: "project", id: "7" }],
    [{ organization_id: 1 }, { kind: "organization", id: "1" }],
    [{ prefix: "uploads/" }, { kind: "prefix", prefix: "uploads/" }],
    [
      { keys: ["b", "a", "b"], replicable_name: null },
      { kind: "keys", count: 2 },
    ],
  ])("takes %j", async (body, parent) => {
    const { call } = await primary();
    const response = await call("POST", "", body);
    expect(response.status).toBe(202);
    expect(await response.json()).toMatchObject({ parent });
  });

  test.each([
    ["no JSON", "{", /body: expected an object such as/],
    ["a list", [1], /body: expected an object .* got \[1\]/],
    ["no parent", {}, /expected exactly one of namespace_id, .*, got none/],
    ["two parents", { namespace_id: 1, prefix: "a" }, /got namespace_id, prefix/],
    ["no id", { namespace_id: -1 }, /namespace_id: expected an id such as 42, got -1/],
    ["a fraction", { project_id: 1.5 }, /project_id: expected an id/],
    ["an odd id", { organization_id: "a/b" }, /organization_id: expected an id such as 42, got "a\/b"/],
    ["an empty prefix", { prefix: "" }, /prefix: expected the beginning of a key/],
    ["a prefix that is none", { prefix: 7 }, /prefix: expected the beginning of a key, 1 to 1,024 bytes, got 7/],
    ["no keys", { keys: [] }, /keys: expected a list of 1 to 1000 keys/],
    ["too many keys", { keys: Array.from({ length: 1_001 }, String) }, /keys: expected a list of 1 to 1000/],
    ["a key that is none", { keys: ["a", 7] }, /keys: "7" is no key of an object/],
    [
      "keys that are too long together",
      { keys: Array.from({ length: 300 }, (_, i) => `${i}`.padEnd(1_000, "x")) },
      /bytes together/,
    ],
    [
      "another type",
      { namespace_id: 1, replicable_name: "nothing" },
      /replicable_name: expected one of .*, got "nothing"/,
    ],
    ["an unknown field", { namespace_id: 1, force: true }, /there is no field force/],
  ])("refuses %s with 400, naming what was expected", async (_name, body, problem) => {
    const { call, destroys } = await primary();
    const response = await call("POST", "", body);
    expect(response.status).toBe(400);
    expect(await messageOf(response)).toMatch(problem);
    expect(destroys.executions).toEqual([]);
  });
});

describe("a destroy that was asked for", () => {
  test("is told of, alone and in the list, with its progress", async () => {
    const { call, clock } = await primary();
    const ids: string[] = [];
    for (const namespace of [1, 2]) {
      clock.advance(1_000);
      const response = await call("POST", "", { namespace_id: namespace });
      ids.push(((await response.json()) as { readonly id: string }).id);
    }
    const listed = (await (await call("GET")).json()) as readonly { readonly id: string }[];
    expect(listed.map(({ id }) => id)).toEqual(ids.toReversed());
    expect(await (await call("GET", `/${ids[0]}`)).json()).toMatchObject({
      id: ids[0],
      slices_count: 0,
      secondaries: {},
    });
  });

  test.each([
    ["GET", "/aaaaaaaaaaaa", undefined, 404],
    ["GET", "/..%2F", undefined, 404],
    ["POST", "/aaaaaaaaaaaa/confirm", { object_count: 1 }, 404],
    ["POST", "/aaaaaaaaaaaa/confirm", {}, 400],
    ["POST", "/aaaaaaaaaaaa/confirm", undefined, 400],
    ["POST", "/aaaaaaaaaaaa/cancel", undefined, 404],
    ["POST", "/aaaaaaaaaaaa/undo", undefined, 404],
    ["POST", `/${"x".repeat(1_100)}/confirm`, { object_count: 1 }, 404],
    ["POST", `/${"x".repeat(1_100)}/cancel`, undefined, 404],
    ["POST", `/${"x".repeat(1_100)}/undo`, undefined, 404],
    ["DELETE", "/aaaaaaaaaaaa", undefined, 405],
    ["DELETE", "", undefined, 405],
    ["GET", "/aaaaaaaaaaaa/confirm", undefined, 405],
  ])("%s %s with %j is answered with %4$i", async (method, path, body, status) => {
    const { call } = await primary();
    expect((await call(method, path, body)).status).toBe(status);
  });

  test("that can not be confirmed yet is a 409, and a cancelled one is told as such", async () => {
    const { call } = await primary();
    const { id } = (await (await call("POST", "", { namespace_id: 1 })).json()) as { readonly id: string };
    const refused = await call("POST", `/${id}/confirm`, { object_count: 5 });
    expect([refused.status, await messageOf(refused)]).toEqual([
      409,
      "409 Conflict - the dry run showed 0 objects, and 5 were confirmed",
    ]);
    expect((await call("POST", `/${id}/undo`)).status).toBe(409);
    expect(await (await call("POST", `/${id}/cancel`)).json()).toMatchObject({ state: "cancelled" });
  });
});

describe("who may", () => {
  test("a secondary destroys nothing", async () => {
    const site = apiSite("secondary");
    const token = await site.token({ scope: "admin_geo" });
    for (const [method, path] of [
      ["GET", ""],
      ["POST", ""],
      ["GET", "/aaaaaaaaaaaa"],
      ["POST", "/aaaaaaaaaaaa/confirm"],
      ["POST", "/aaaaaaaaaaaa/cancel"],
      ["POST", "/aaaaaaaaaaaa/undo"],
    ] as const) {
      const response = await site.call(`${PATH}${path}`, { method, headers: { "private-token": token } });
      expect([response.status, await messageOf(response)]).toEqual([
        404,
        "404 Destroy Not Found - a secondary destroys nothing; ask the primary",
      ]);
    }
  });

  test("a token that only reads sees destroys and can not ask for one", async () => {
    const site = apiSite("primary");
    const token = await site.token({ scope: "read_geo" });
    const headers = { "private-token": token };
    expect((await site.call(PATH, { headers })).status).toBe(200);
    expect((await site.call(PATH, { method: "POST", headers, body: '{"namespace_id":1}' })).status).toBe(403);
  });
});

test("the client plans, confirms, looks, cancels and undoes as the API wants it", async () => {
  const world = destroyingWorld();
  await world.putAll(["namespace_uploads/7/1/avatar.png"]);
  const site = apiSite("primary", { siteTable: world.primarySiteTable, destroys: world.workflow, clock: world.clock });
  const client = geoClient({
    url: API_URL,
    token: await site.token({ scope: "admin_geo" }),
    fetch: (url, init) => site.call(url.replace(API_URL, ""), init),
  });
  const id = siteId("frankfurt");
  const { id: destroy } = await client.planDestroy(id, { namespace_id: 7 });
  await world.step({ step: "build_manifest", destroy_id: destroy });
  expect(await client.destroy(id, destroy)).toMatchObject({ state: "planned", object_count: 1 });
  expect(await client.confirmDestroy(id, destroy, 1)).toMatchObject({ state: "destroying" });
  await world.destroy(destroy);
  await world.progress(destroy);
  expect(await client.destroy(id, destroy)).toMatchObject({
    state: "destroyed",
    destroyed_count: 1,
    secondaries: { dublin: { slices_followed_count: 0 }, oslo: { slices_followed_count: 0 } },
  });
  expect(await client.undoDestroy(id, destroy)).toMatchObject({ state: "undoing" });
  expect(await client.destroys(id)).toHaveLength(1);
  const other = await client.planDestroy(id, { prefix: "x" });
  expect(await client.cancelDestroy(id, other.id)).toMatchObject({ state: "cancelled" });
});
