import { describe, expect, test } from "vitest";
import { BulkUpdateContract, BulkUpdatesContract } from "../../shared/client/contract.ts";
import { WorkflowUnavailableError } from "../../shared/geo/errors.ts";
import { siteId } from "../../shared/geo/site-status.ts";
import { setFlag } from "../../shared/tables/site/flags-item.ts";
import { endBulkUpdate } from "../../shared/tables/site/bulk-updates.ts";
import { apiSite } from "./support/site.ts";

const UPDATES = `/api/v4/geo_sites/${siteId("frankfurt")}/bulk_updates`;
const RESYNC = { action: "resync", replicable_name: "lfs_object" } as const;

type Api = ReturnType<typeof apiSite>;

const call = async (api: Api, path: string, method = "GET", body?: unknown): Promise<Response> =>
  api.call(path, {
    method,
    headers: { "PRIVATE-TOKEN": await api.token({ scope: "admin_geo", name: "bob" }) },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });

const ask = (api: Api, body: unknown): Promise<Response> => call(api, UPDATES, "POST", body);

const messageOf = async (response: Response): Promise<string> =>
  ((await response.json()) as { readonly message: string }).message;

describe("POST …/bulk_updates", () => {
  test.each([
    ["secondary", RESYNC],
    ["secondary", { action: "reverify" }],
    ["secondary", { action: "retry_now", failure: "forbidden" }],
    ["primary", { action: "checksum", replicable_name: "lfs_object" }],
    ["primary", { action: "retry_now" }],
  ] as const)("begins what is asked for at a %s, and says who asked: %j (F77)", async (role, body) => {
    const api = apiSite(role);
    const response = await ask(api, body);
    expect(response.status).toBe(202);
    const answer = BulkUpdateContract.parse(await response.json());
    expect(answer).toMatchObject({ action: body.action, state: "running", asked_by: "bob", changed_count: 0 });
    const [execution] = api.bulkWorkflow.executions;
    expect(execution).toMatchObject({ status: "running", input: { bulk_id: answer.id, execution: 1, round: 1 } });
  });

  test("takes one key as well as all rows (F76)", async () => {
    const response = await ask(apiSite(), { ...RESYNC, keys: ["lfs_objects/42/4c/8e/31f2"] });
    expect(await response.json()).toMatchObject({ keys_count: 1, replicable_name: "lfs_object" });
  });

  test("answers what is under way when the same is asked for again", async () => {
    const api = apiSite();
    const first = BulkUpdateContract.parse(await (await ask(api, RESYNC)).json());
    const second = await ask(api, RESYNC);
    expect(second.status).toBe(200);
    expect(await second.json()).toEqual({ ...first, asked: "same" });
    expect(api.bulkWorkflow.executions).toHaveLength(1);
  });

  test.each([
    ["no JSON", '400 Bad request - body: expected JSON such as {"action": "retry_now"}, got no JSON'],
    [
      { action: "resync", replication_state: "broken" },
      '400 Bad request - replication_state: expected one of pending, started, synced, failed, got "broken"',
    ],
    [
      { ...RESYNC, keys: [] },
      "400 Bad request - keys: expected 1 key or more, got an empty list; leave it out for all rows",
    ],
    [{ ...RESYNC, keys: ["uploads/1"] }, '400 Bad request - keys: expected keys of lfs_object, got "uploads/1"'],
    [
      { action: "checksum", force: 1 },
      '400 Bad request - action: expected one of resync, reconcile, reverify, retry_now, got "checksum"; force: expected true or false, got 1',
    ],
  ])("says what was expected and what came: %j", async (body, message) => {
    const api = apiSite();
    const response = await ask(api, body);
    expect(response.status).toBe(400);
    expect(await messageOf(response)).toBe(message);
    expect(api.bulkWorkflow.executions).toEqual([]);
  });

  test("names the types that there are when it was asked for another", async () => {
    const message = await messageOf(await ask(apiSite(), { action: "resync", replicable_name: "lfs" }));
    expect(message).toMatch(/^400 Bad request - replicable_name: expected one of .*lfs_object.*, got "lfs"$/);
  });

  test("does nothing about a type that is switched off (F84)", async () => {
    const api = apiSite();
    await api.primarySiteTable.update(setFlag("geo_lfs_object_replication", false, 0));
    const response = await ask(api, RESYNC);
    expect(response.status).toBe(409);
    expect(await messageOf(response)).toBe(
      "409 Conflict - lfs_object is switched off, so nothing of it is done; see the features of this site",
    );
  });

  test("refuses a body that is larger than any request", async () => {
    expect((await ask(apiSite(), `"${"x".repeat(1_100_000)}"`)).status).toBe(413);
  });

  test("may be made again when Step Functions did not answer, and then begins it", async () => {
    const api = apiSite();
    api.bulkWorkflow.interference = {
      before: () => {
        throw new WorkflowUnavailableError("no answer");
      },
    };
    const failed = await ask(api, RESYNC);
    expect(failed.status).toBe(503);
    expect(await messageOf(failed)).toBe("503 Service Unavailable - Step Functions did not answer; try again");
    api.bulkWorkflow.interference = undefined;
    expect((await ask(api, RESYNC)).status).toBe(202);
    expect(api.bulkWorkflow.executions).toMatchObject([{ status: "running" }]);
  });
});

describe("what was asked for", () => {
  test("is listed, the latest first, and shown one by one", async () => {
    const api = apiSite();
    const first = BulkUpdateContract.parse(await (await ask(api, RESYNC)).json());
    api.clock.advance(1_000);
    const second = BulkUpdateContract.parse(await (await ask(api, { action: "reverify" })).json());
    const listed = BulkUpdatesContract.parse(await (await call(api, UPDATES)).json());
    expect(listed.map(({ id }) => id)).toEqual([second.id, first.id]);
    const { asked, ...shown } = first;
    expect(asked).toBe("new");
    expect(await (await call(api, `${UPDATES}/${first.id}`)).json()).toEqual(shown);
  });

  test("is cancelled once, and stays so", async () => {
    const api = apiSite();
    const { id } = BulkUpdateContract.parse(await (await ask(api, RESYNC)).json());
    for (const _again of [1, 2]) {
      const response = await call(api, `${UPDATES}/${id}/cancel`, "POST");
      expect(response.status).toBe(200);
      expect(await response.json()).toMatchObject({ id, state: "cancelled" });
    }
    expect(api.telemetry.linesOf("an operator cancelled a bulk update")).toMatchObject([
      { fields: { id, token_name: "bob" } },
    ]);
  });

  test("can not be cancelled when it has ended", async () => {
    const api = apiSite();
    const { id } = BulkUpdateContract.parse(await (await ask(api, RESYNC)).json());
    await api.siteTable.update(endBulkUpdate(id, { state: "failed", failure: "no table" }, 0));
    const response = await call(api, `${UPDATES}/${id}/cancel`, "POST");
    expect(response.status).toBe(409);
    expect(await messageOf(response)).toBe("409 Conflict - it has failed and can not be cancelled");
    expect(await (await call(api, `${UPDATES}/${id}`)).json()).toMatchObject({ state: "failed", error: "no table" });
  });

  test.each([`${UPDATES}/0123456789abcdef`, `${UPDATES}/nonsense`])("is not found: %s", async (path) => {
    const api = apiSite();
    for (const response of [await call(api, path), await call(api, `${path}/cancel`, "POST")]) {
      expect(response.status).toBe(404);
      expect(await messageOf(response)).toMatch(/^404 Bulk Update Not Found/);
    }
  });
});

describe("who may", () => {
  test("is an administrator: reading takes less", async () => {
    const api = apiSite();
    const headers = { "PRIVATE-TOKEN": await api.token() };
    expect((await api.call(UPDATES, { headers })).status).toBe(200);
    expect((await api.call(UPDATES, { method: "POST", headers, body: JSON.stringify(RESYNC) })).status).toBe(403);
    expect((await api.call(UPDATES)).status).toBe(401);
  });

  test("asks the site itself, by the methods that there are", async () => {
    const api = apiSite();
    const { id } = BulkUpdateContract.parse(await (await ask(api, RESYNC)).json());
    for (const [path, method] of [
      ["/api/v4/geo_sites/7/bulk_updates", "POST"],
      ["/api/v4/geo_sites/7/bulk_updates", "GET"],
      [`/api/v4/geo_sites/7/bulk_updates/${id}`, "GET"],
      [`/api/v4/geo_sites/7/bulk_updates/${id}/cancel`, "POST"],
    ] as const) {
      expect((await call(api, path, method, method === "POST" ? RESYNC : undefined)).status).toBe(404);
    }
    for (const [path, allowed] of [
      [UPDATES, "GET, HEAD, POST"],
      [`${UPDATES}/${id}`, "GET, HEAD"],
      [`${UPDATES}/${id}/cancel`, "POST"],
    ] as const) {
      const response = await call(api, path, "DELETE");
      expect(response.status).toBe(405);
      expect(response.headers.get("allow")).toBe(allowed);
    }
  });
});
