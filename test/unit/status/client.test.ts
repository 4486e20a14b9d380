import { createServer } from "node:net";
import { describe, expect, test } from "vitest";
import { GeoApiError, geoClient } from "../../../shared/client/client.ts";
import { countsOf } from "../../../shared/client/contract.ts";
import { siteId } from "../../../shared/geo/site-status.ts";
import { coolWidget } from "../../../shared/replicables/cool-widget.ts";
import { apiSite } from "../../api/support/site.ts";

const TOKEN = `geo_${"s".repeat(43)}`;
const URL_BASE = "https://api.example.com/geo";

/** A client whose every call gets the same answer. */
const answering = (status: number, body: string) =>
  geoClient({ url: URL_BASE, token: TOKEN, fetch: () => Promise.resolve(new Response(body, { status })) });

const failureOf = async (call: Promise<unknown>): Promise<GeoApiError> => {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof GeoApiError) return error;
  throw new Error(`expected a GeoApiError, got ${String(error)}`);
};

/** A server that takes a call and never answers. */
const untilAborted = (_: string, init: RequestInit): Promise<Response> =>
  new Promise((_answered, failed) => {
    init.signal?.addEventListener("abort", () => failed(init.signal?.reason as Error));
  });

/** A client of an API in memory. */
const clientOf = (api: ReturnType<typeof apiSite>, token: string) =>
  geoClient({ url: `${URL_BASE}/`, token, fetch: (url, init) => api.call(url.slice(URL_BASE.length), init) });

describe("a client", () => {
  test("reads what the API says, with the numbers of each type", async () => {
    const api = apiSite("secondary");
    await api.rows([{ pk: "cool_widget#0aa", state: 2, verification_state: 2, src_size: 7 }]);
    const client = clientOf(api, await api.token());
    const [status] = await client.siteStatuses();
    expect(status && countsOf(status, coolWidget.names)).toMatchObject({
      registryCount: 1,
      syncedCount: 1,
      verifiedCount: 1,
      failedCount: 0,
      checksummedCount: null,
      queued: 0,
      verificationQueued: 0,
      bytes: 7,
    });
    expect(await client.siteStatus(siteId("frankfurt"))).toMatchObject({ name: "frankfurt" });
  });

  test("reads and changes a site, and asks it for walks", async () => {
    const api = apiSite("secondary");
    const id = siteId("frankfurt");
    const client = clientOf(api, await api.token({ scope: "admin_geo" }));
    const changed = await client.changeSite(id, {
      files_max_capacity: 60,
      selective_sync_type: "namespaces",
      selective_sync_namespace_ids: [7, 42],
    });
    expect(changed).toMatchObject({ files_max_capacity: 60, selective_sync_namespace_ids: [7, 42] });
    expect(await client.site(id)).toEqual(changed);
    expect(await client.askForWalk(id, "lfs_object")).toMatchObject({ replicable_name: "lfs_object" });
  });

  test("reads and changes feature flags", async () => {
    const api = apiSite("primary");
    const client = clientOf(api, await api.token({ scope: "admin_geo" }));
    const flag = coolWidget.names.flags.replication;
    expect(await client.setFeature(flag, true)).toMatchObject({ name: flag, state: "on", overridden: true });
    expect((await client.features()).filter(({ overridden }) => overridden).map(({ name }) => name)).toEqual([flag]);
    expect(await client.resetFeature(flag)).toMatchObject({ state: "off", overridden: false });
  });

  test("shows all that is wrong with what was sent, and why something can not be done now", async () => {
    const api = apiSite("secondary");
    const client = clientOf(api, await api.token({ scope: "admin_geo" }));
    const ids = Array.from({ length: 9 }, (_, index) => `no id ${index}`);
    const invalid = await failureOf(client.changeSite(siteId("frankfurt"), { selective_sync_shards: ids }));
    expect(invalid).toMatchObject({ reason: "invalid", status: 400, code: "GEO_API_REFUSED" });
    const conflict = await failureOf(client.setFeature("geo_cool_widget_replication", true));
    expect(conflict).toMatchObject({ reason: "conflict", status: 409 });
    expect(conflict.message).toContain("ask the primary's API");
    const several = await failureOf(
      client.changeSite(siteId("frankfurt"), { selective_sync_type: "shards", selective_sync_shards: ids }),
    );
    for (const id of ids) expect(several.message).toContain(id);
  });

  test("says what is wrong with the token and with the address", async () => {
    const api = apiSite();
    expect(await failureOf(clientOf(api, TOKEN).siteStatuses())).toMatchObject({ reason: "forbidden", status: 403 });
    expect(await failureOf(clientOf(api, await api.token()).siteStatus(1))).toMatchObject({ reason: "not_found" });
  });

  test.each([
    [400, "invalid"],
    [401, "unauthorized"],
    [403, "forbidden"],
    [404, "not_found"],
    [409, "conflict"],
    [413, "invalid"],
    [429, "throttled"],
    [500, "failed"],
    [502, "failed"],
  ])("calls a %d %s, and shows what the API said", async (status, reason) => {
    const failure = await failureOf(answering(status, '{"message":"so it is"}').siteStatuses());
    expect(failure).toMatchObject({ reason, status, code: "GEO_API_REFUSED" });
    expect(failure.message).toContain("so it is");
  });

  test.each([
    ["no JSON", "<html>Sign in</html>"],
    ["another shape", '{"sites":[]}'],
    ["a status without its health", '[{"geo_node_id":1}]'],
  ])("refuses an answer that is %s, and shows the beginning of it", async (_, body) => {
    const failure = await failureOf(answering(200, body.padEnd(100_000)).siteStatuses());
    expect(failure.reason).toBe("unexpected");
    expect(failure.message).toContain(body.slice(0, 20));
    expect(failure.message.length).toBeLessThan(1_000);
  });

  test("says that nobody is there", async () => {
    const server = createServer();
    await new Promise<void>((listening) => void server.listen(0, "127.0.0.1", listening));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    await new Promise((closed) => void server.close(closed));
    const failure = await failureOf(geoClient({ url: `http://127.0.0.1:${port}`, token: TOKEN }).siteStatuses());
    expect(failure).toMatchObject({ reason: "unreachable", status: undefined, code: "GEO_API_UNREACHABLE" });
    expect(failure.message).toMatch(/can not be reached: .*ECONNREFUSED/);
  });

  test("gives up after its time", async () => {
    const failure = await failureOf(
      geoClient({ url: URL_BASE, token: TOKEN, timeoutMs: 1, fetch: untilAborted }).siteStatuses(),
    );
    expect(failure.reason).toBe("unreachable");
  });

  test.each(["", "geo_with a space", `${TOKEN}\n`])("refuses the token %j without repeating it", (token) => {
    expect(() => geoClient({ url: URL_BASE, token })).toThrow("the token is empty or has characters that no token has");
  });
});

describe("sites", () => {
  test("are noted, changed, repaired and forgotten", async () => {
    const api = apiSite("primary");
    const client = clientOf(api, await api.token({ scope: "admin_geo" }));
    const noted = await client.noteSite({ name: "oslo", url: "https://oslo.example" });
    expect(await client.changeSite(noted.id, { enabled: false })).toMatchObject({ name: "oslo", enabled: false });
    expect((await client.sites()).map(({ name }) => name)).toEqual(["frankfurt", "oslo"]);
    expect(await client.repairSite(siteId("frankfurt"))).toMatchObject({ name: "frankfurt", healthy: true });
    await client.forgetSite(noted.id);
    expect(await client.sites()).toHaveLength(1);
  });
});

/** Asks for a page of registries, with such an answer. */
const registries = (data: unknown) => answering(200, JSON.stringify(data)).registries(coolWidget.names, { first: 20 });

describe("a client that asks for registries", () => {
  test("has none, and no next page, where the site has no list of the type", async () => {
    expect(await registries({ data: { geoNode: { registries: null } } })).toEqual({ registries: [], next: null });
  });

  test.each([
    [
      "what was asked for is wrong",
      { errors: [{ message: "sort: no", extensions: { code: "ARGUMENT_ERROR" } }] },
      "invalid",
    ],
    ["a table did not answer", { errors: [{ message: "try again", extensions: { code: "UNAVAILABLE" } }] }, "failed"],
    ["the token may not see them", { data: { geoNode: null } }, "forbidden"],
    ["the answer is something else", { data: { geoNode: { registries: { nodes: [{}] } } } }, "unexpected"],
  ] as const)("says why it has no answer: %s", async (_why, answer, reason) => {
    expect(await failureOf(registries(answer))).toMatchObject({ reason });
  });
});
