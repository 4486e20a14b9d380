import { describe, expect, test } from "vitest";
import { TableUnavailableError, WorkflowUnavailableError } from "../../shared/geo/errors.ts";
import { SITE_TABLE_PARTITIONS } from "../../shared/geo/physical-names.ts";
import { siteId } from "../../shared/geo/site-status.ts";
import { graphqlSite, lfsRows } from "./support/graphql.ts";
import { apiSite } from "./support/site.ts";

const FEATURE = "/api/v4/features/geo_lfs_object_replication";
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

type Api = ReturnType<typeof apiSite>;

const remembered = (api: Api) => api.siteTable.items().filter(({ pk }) => pk === SITE_TABLE_PARTITIONS.idempotency);

/** A site where an administrator sets a flag, and how often that was in fact done. */
const changing = async () => {
  const api = apiSite("primary");
  const token = await api.token({ scope: "admin_geo" });
  let changes = 0;
  const set = async (key: string | undefined, value: unknown, { as = token, path = FEATURE } = {}): Promise<Response> =>
    api.call(path, {
      method: "POST",
      headers: { "private-token": as, ...(key === undefined ? {} : { "idempotency-key": key }) },
      body: JSON.stringify({ value }),
    });
  const counting = (): void => {
    api.siteTable.interference = {
      before: (operation) => {
        if (operation.kind === "update" && operation.request.key.pk === SITE_TABLE_PARTITIONS.site) changes += 1;
      },
    };
  };
  counting();
  return { api, token, set, counting, changes: () => changes };
};

describe("a call that changes something, made again under its Idempotency-Key,", () => {
  test("is done once, and answered with the first answer, even when things have changed since", async () => {
    const { set, changes } = await changing();
    const first = await set("a key", false);
    expect(first.headers.get("idempotency-replayed")).toBeNull();
    await set(undefined, true);
    const again = await set("a key", false);
    expect(again.status).toBe(first.status);
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expect(again.headers.get("content-type")).toBe(first.headers.get("content-type"));
    expect(again.headers.get("cache-control")).toBe("no-store");
    expect(await again.text()).toBe(await first.text());
    expect(changes()).toBe(2);
  });

  test("is refused as another call when anything of it differs: 422", async () => {
    const { api, set, token, changes } = await changing();
    await set("a key", false);
    const others = [
      set("a key", true),
      set("a key", false, { path: `${FEATURE}?x=1` }),
      set("a key", false, { path: FEATURE.replace("lfs_object", "package_file") }),
      api.call(FEATURE, { method: "DELETE", headers: { "private-token": token, "idempotency-key": "a key" } }),
    ];
    for (const other of await Promise.all(others)) {
      expect(other.status).toBe(422);
      expect(await other.json()).toEqual({
        message: expect.stringMatching(/^422 Unprocessable Entity - Idempotency-Key: /),
      });
    }
    expect(changes()).toBe(1);
  });

  test("is refused while the first is under way: 409, and answered when that has ended", async () => {
    const { api, set, counting, changes } = await changing();
    const held = Promise.withResolvers<void>();
    const reached = Promise.withResolvers<void>();
    api.siteTable.interference = {
      before: async (operation) => {
        if (operation.kind !== "update" || operation.request.key.pk !== SITE_TABLE_PARTITIONS.site) return;
        reached.resolve();
        await held.promise;
      },
    };
    const first = set("a key", false);
    await reached.promise;
    const early = await set("a key", false);
    expect(early.status).toBe(409);
    expect(early.headers.get("retry-after")).toBe("1");
    counting();
    held.resolve();
    expect((await first).status).toBe(200);
    expect((await set("a key", false)).headers.get("idempotency-replayed")).toBe("true");
    expect(changes()).toBe(0); // the one change was the first one's, and was held
  });

  test("is done by one of any number that come at once", async () => {
    const { set, changes } = await changing();
    const answers = await Promise.all(Array.from({ length: 20 }, () => set("a key", false)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(19);
    expect(changes()).toBe(1);
  });

  test("is another one's own when another token makes it, whatever that one is called", async () => {
    const { api, set, changes } = await changing();
    const as = await api.token({ scope: "admin_geo", name: "tests" });
    await set("a key", false);
    expect(await (await set("a key", true, { as })).json()).toMatchObject({ state: "on" });
    expect(changes()).toBe(2);
  });

  test("is done anew when it was not done for a failure of ours", async () => {
    const { api, set, counting } = await changing();
    api.siteTable.interference = {
      before: (operation) => {
        if (operation.kind === "update" && operation.request.key.pk === SITE_TABLE_PARTITIONS.site) {
          throw new TableUnavailableError("throttled");
        }
      },
    };
    expect((await set("a key", false)).status).toBe(503);
    counting();
    const again = await set("a key", false);
    expect(again.status).toBe(200);
    expect(again.headers.get("idempotency-replayed")).toBeNull();
  });

  test("of GraphQL is done anew when its answer has a failure of ours inside, whatever its status", async () => {
    const site = graphqlSite();
    await site.put(...lfsRows(1));
    const query =
      "mutation { geoRegistriesBulkUpdate(input: { registryClass: LFS_OBJECT_REGISTRY, action: RESYNC_ALL }) { errors } }";
    const resync = async (): Promise<Response> => site.send(JSON.stringify({ query }), { "idempotency-key": "a key" });
    site.bulkWorkflow.interference = {
      before: () => {
        throw new WorkflowUnavailableError("throttled");
      },
    };
    expect(await (await resync()).json()).toMatchObject({ errors: [{ extensions: { code: "UNAVAILABLE" } }] });
    site.bulkWorkflow.interference = undefined;
    const again = await resync();
    expect(again.headers.get("idempotency-replayed")).toBeNull();
    expect(await again.json()).toEqual({ data: { geoRegistriesBulkUpdate: { errors: [] } } });
    expect(site.bulkWorkflow.executions).toHaveLength(1);
    expect((await resync()).headers.get("idempotency-replayed")).toBe("true");
  });

  test("is answered again also when there is nothing to say: 204", async () => {
    const api = apiSite("primary");
    const headers = { "private-token": await api.token({ scope: "admin_geo" }) };
    const noted = { name: "tokyo", url: "https://tokyo.example.com" };
    const sites = "/api/v4/geo_sites";
    expect((await api.call(sites, { method: "POST", headers, body: JSON.stringify(noted) })).status).toBe(201);
    const forget = async (): Promise<Response> =>
      api.call(`${sites}/${siteId("tokyo")}`, {
        method: "DELETE",
        headers: { ...headers, "idempotency-key": "a key" },
      });
    expect((await forget()).status).toBe(204);
    const again = await forget();
    expect(again.status).toBe(204);
    expect(again.headers.get("idempotency-replayed")).toBe("true");
  });

  test("is done anew when nobody can be at the first any more", async () => {
    const { api, set, changes } = await changing();
    await set("a key", false);
    const [item] = remembered(api);
    // As a worker leaves it that was killed before it had an answer.
    const { answer_status: _status, answer_type: _type, answer_body: _body, ...begun } = item ?? { pk: "", sk: "" };
    await api.siteTable.put({ ...begun, gone_at: api.clock.now() + MINUTE_MS });
    expect((await set("a key", false)).status).toBe(409);
    api.clock.advance(MINUTE_MS);
    await set(undefined, true);
    expect((await set("a key", false)).status).toBe(200);
    expect(changes()).toBe(3);
  });

  test("keeps a refusal for its answer as well", async () => {
    const { set } = await changing();
    const refused = await set("a key", "maybe");
    const again = await set("a key", "maybe");
    expect([refused.status, again.status]).toEqual([400, 400]);
    expect(again.headers.get("idempotency-replayed")).toBe("true");
  });
});

describe("what is remembered of calls", () => {
  test("holds for a day, and is then taken away by whoever comes", async () => {
    const { api, set, changes } = await changing();
    for (let call = 0; call < 20; call += 1) await set(`key ${call}`, call % 2 === 1);
    api.clock.advance(DAY_MS - 1);
    expect((await set("key 0", false)).headers.get("idempotency-replayed")).toBe("true");
    api.clock.advance(1);
    expect((await set("key 0", false)).headers.get("idempotency-replayed")).toBeNull();
    expect(changes()).toBe(21);
    for (let call = 0; call < 40; call += 1) await set(`later ${call}`, false);
    expect(remembered(api).length).toBeLessThan(44);
  });

  test("does not bear the key, nor the body that came with it", async () => {
    const { api, set } = await changing();
    await set("a key that may be a secret", "1234");
    const items = remembered(api).map((item) => ({ ...item, answer_body: "" }));
    expect(items).toHaveLength(1);
    expect(JSON.stringify(items)).not.toMatch(/secret|1234/);
  });

  test("is not what a call fails for: an answer that can not be kept is given all the same", async () => {
    const { api, set } = await changing();
    api.siteTable.interference = {
      before: (operation) => {
        const ours = operation.kind === "update" && operation.request.key.pk === SITE_TABLE_PARTITIONS.idempotency;
        if (ours || operation.kind === "query") throw new TableUnavailableError("throttled");
      },
    };
    expect((await set("a key", false)).status).toBe(200);
    expect(api.telemetry.lines.filter(({ event }) => event === "a call could not be remembered")).toHaveLength(2);
  });
});

describe("an Idempotency-Key", () => {
  test.each(["", "x".repeat(256), "schl\u00fcssel"])(
    "that is none (%j) is refused, and nothing is done: 400",
    async (key) => {
      const { set, changes } = await changing();
      const refused = await set(key, false);
      expect(refused.status).toBe(400);
      expect(await refused.json()).toEqual({
        message: expect.stringMatching(
          /^400 Bad request - Idempotency-Key: expected 1 to 255 printable ASCII characters, got /,
        ),
      });
      expect(changes()).toBe(0);
    },
  );

  test("may be of 255 characters", async () => {
    const { set } = await changing();
    expect((await set("~".repeat(255), false)).status).toBe(200);
  });

  test("of a token that may only read is nothing that anybody remembers, in a POST of a query neither", async () => {
    const { api } = await changing();
    const reading = await api.token({ scope: "read_geo" });
    const headers = { "private-token": reading, "idempotency-key": "a key", "content-type": "application/json" };
    const body = JSON.stringify({ query: "{ geoNode { name } }" });
    expect((await api.call("/api/graphql", { method: "POST", headers, body })).status).toBe(200);
    expect(remembered(api)).toEqual([]);
  });

  test("on a call that only reads is nobody's business", async () => {
    const { api, token } = await changing();
    const headers = { "private-token": token, "idempotency-key": "a key" };
    expect((await api.call("/api/v4/features", { headers })).status).toBe(200);
    expect(remembered(api)).toEqual([]);
  });
});
