import { describe, expect, test } from "vitest";
import { CHECKSUM_WAIT_MS } from "../../functions/status-api/data-management.ts";
import { ManagedRecordContract, ManagedRecordsContract } from "../../shared/client/data-management-contract.ts";
import { rowKey } from "../../shared/geo/registry-row.ts";
import { VERIFICATION_STATE } from "../../shared/geo/verification-state.ts";
import { setFlag } from "../../shared/tables/site/flags-item.ts";
import { type GivenRow, type GraphQLSite, graphqlSite, lfsKey, lfsRows } from "./support/graphql.ts";

const MODEL = "/api/v4/admin/data_management/lfs_objects";
const idOf = (key: string): string => Buffer.from(key).toString("base64url");
const ONE = `${MODEL}/${idOf(lfsKey(1))}`;

/** A primary with some objects, asked by an administrator. */
const primary = async (objects: readonly GivenRow[] = [], given: Parameters<typeof graphqlSite>[1] = {}) => {
  const site = graphqlSite("primary", given);
  for (const object of objects) await site.put(object);
  const token = await site.token({ scope: "admin_geo" });
  const ask = async (path: string, init: RequestInit = {}): Promise<Response> =>
    site.call(path, { ...init, headers: { "private-token": token } });
  const list = async (query = ""): Promise<readonly string[]> => {
    const response = await ask(`${MODEL}${query}`);
    expect(response.status).toBe(200);
    return ManagedRecordsContract.parse(await response.json()).map(({ record_identifier: id }) =>
      Buffer.from(id, "base64url").toString(),
    );
  };
  return { site, ask, list };
};

const lfs = (n: number, more: Partial<GivenRow> = {}): GivenRow => ({
  replicableName: "lfs_object",
  key: lfsKey(n),
  ...more,
});

/** What the checksum function makes of a record. */
const record = async (
  site: GraphQLSite,
  key: string,
  columns: Readonly<Record<string, string | number>>,
): Promise<void> => {
  const place = rowKey({ replicableName: "lfs_object", key });
  const item = (await site.rowTable.get(place)) ?? {};
  await site.rowTable.put({ ...item, ...place, rev: Number(item["rev"]) + 1, ...columns });
};

describe("GET /api/v4/admin/data_management/:model_name (F79)", () => {
  test("tells of each object what it is, how large, and how its checksum stands", async () => {
    const columns = {
      src_size: 42,
      verification_checksum: "sha256:00",
      verification_retry_count: 2,
      verification_retry_at: Date.UTC(2026, 5, 2),
      verification_failure: "AccessDenied",
    };
    const { ask } = await primary([lfs(1, { verification: "failed", columns })]);
    const answer = await ask(ONE);
    expect(answer.status).toBe(200);
    const found = await answer.json();
    expect(ManagedRecordContract.safeParse(found).success).toBe(true);
    expect(found).toEqual({
      record_identifier: idOf(lfsKey(1)),
      model_class: "LfsObject",
      created_at: "2026-05-01T11:00:00.000Z",
      file_size: 42,
      checksum_information: {
        checksum: "sha256:00",
        last_checksum: null,
        checksum_state: "failed",
        checksum_retry_count: 2,
        checksum_retry_at: "2026-06-02T00:00:00.000Z",
        checksum_failure: "AccessDenied",
      },
    });
    expect(await (await ask(MODEL)).json()).toEqual([found]);
  });

  test("goes through all of them page by page, each once, up and down", async () => {
    const { ask, list } = await primary(lfsRows(45));
    const seen: string[][] = [];
    for (const sort of ["asc", "desc"]) {
      const keys: string[] = [];
      const sizes: number[] = [];
      let path: string | undefined = `${MODEL}?pagination=keyset&sort=${sort}`;
      while (path !== undefined) {
        const page = await ask(path);
        const records = ManagedRecordsContract.parse(await page.json());
        sizes.push(records.length);
        keys.push(...records.map(({ record_identifier: id }) => id));
        path = /^<https:\/\/api\.example\.com\/geo(.*)>; rel="next"$/.exec(page.headers.get("link") ?? "")?.[1];
      }
      expect(sizes).toEqual([20, 20, 5]);
      expect(new Set(keys)).toHaveLength(45);
      seen.push(keys);
    }
    expect(seen[0]).toEqual(seen[1]?.toReversed());
    expect(await list("?per_page=3")).toHaveLength(3);
    expect(await list("?per_page=1000")).toHaveLength(45);
  });

  test("chooses by identifiers and by the state of the checksum", async () => {
    const { list } = await primary([
      ...lfsRows(3),
      lfs(4, { verification: "failed" }),
      lfs(5, { verification: "pending" }),
    ]);
    expect(await list("?checksum_state=failed")).toEqual([lfsKey(4)]);
    expect(await list("?checksum_state=disabled")).toEqual([]);
    const both = `?identifiers[]=${idOf(lfsKey(2))}&identifiers[]=${idOf(lfsKey(4))}`;
    expect((await list(both)).toSorted()).toEqual([lfsKey(2), lfsKey(4)].toSorted());
    expect(await list(`${both}&checksum_state=succeeded`)).toEqual([lfsKey(2)]);
    expect(await list(`?identifiers[]=${idOf("nobody's")}`)).toEqual([]);
  });

  test("calls a type's records as GitLab does", async () => {
    const { ask } = await primary([{ replicableName: "job_artifact", key: "artifacts/1" }]);
    const listed = await ask("/api/v4/admin/data_management/ci_job_artifacts");
    expect(await listed.json()).toEqual([expect.objectContaining({ model_class: "JobArtifact" })]);
    expect((await ask("/api/v4/admin/data_management/job_artifacts")).status).toBe(404);
  });

  test("shows nothing of another type, and no tombstones", async () => {
    const { list, ask } = await primary([
      lfs(1),
      { replicableName: "package_file", key: "packages/1/a" },
      lfs(2, { state: "absent" }),
    ]);
    expect(await list()).toEqual([lfsKey(1)]);
    expect((await ask(`${MODEL}/${idOf("packages/1/a")}`)).status).toBe(404);
    expect((await ask(`${MODEL}/${idOf(lfsKey(2))}`)).status).toBe(404);
  });

  test.each([
    [
      "?checksum_state=done",
      /checksum_state: expected one of pending, started, succeeded, failed, disabled, got "done"/,
    ],
    ["?sort=up", /sort: expected asc or desc/],
    ["?sort=asc&sort=desc", /sort: expected asc or desc, got "asc" and "desc"/],
    ["?per_page=0", /per_page: expected a whole number from 1, got "0"/],
    ["?pagination=offset", /pagination: expected keyset/],
    ["?order_by=size", /order_by: expected id/],
    ["?identifiers[]=%25", /identifiers\[\]: expected record identifiers of this API/],
    [`?${"identifiers[]=YQ&".repeat(101)}`, /identifiers\[\]: expected at most 100, got 101/],
    ["?cursor=eyJ9.AAAA", /cursor: expected one that this list gave to this token/],
  ])("refuses %s and says what was expected", async (query, said) => {
    const { ask } = await primary([lfs(1)]);
    const refused = await ask(`${MODEL}${query}`);
    expect(refused.status).toBe(400);
    expect(await refused.json()).toEqual({ message: expect.stringMatching(said) });
  });

  test("takes a cursor for the list that gave it, and for the token that got it, alone", async () => {
    const { site, ask } = await primary(lfsRows(30));
    const link = (await ask(`${MODEL}?checksum_state=succeeded`)).headers.get("link") ?? "";
    const cursor = new URL(/<(.*)>/.exec(link)?.[1] ?? "").searchParams.get("cursor") ?? "";
    expect((await ask(`${MODEL}?checksum_state=succeeded&cursor=${cursor}`)).status).toBe(200);
    for (const other of [`${MODEL}?cursor=${cursor}`, `${MODEL}?checksum_state=succeeded&sort=desc&cursor=${cursor}`]) {
      expect((await ask(other)).status).toBe(400);
    }
    const headers = { "private-token": await site.token({ scope: "admin_geo" }) };
    expect((await site.call(`${MODEL}?checksum_state=succeeded&cursor=${cursor}`, { headers })).status).toBe(400);
  });

  test.each([MODEL, ONE])("is an administrator's, at the primary, and of types that there are: %s", async (path) => {
    const { site, ask } = await primary([lfs(1)]);
    const reading = { "private-token": await site.token({ scope: "read_geo" }) };
    expect((await site.call(path, { headers: reading })).status).toBe(403);
    expect((await site.app.request(path)).status).toBe(403);
    expect((await ask(path.replace("lfs_objects", "lfs_object"))).status).toBe(404);
    expect((await ask(path.replace("lfs_objects", "constructor"))).status).toBe(404);
    expect((await ask(path, { method: "DELETE" })).status).toBe(405);
    const secondary = graphqlSite();
    const headers = { "private-token": await secondary.token({ scope: "admin_geo" }) };
    const refused = await secondary.call(path, { headers });
    expect(refused.status).toBe(409);
    expect(await refused.json()).toEqual({ message: expect.stringContaining("ask the primary's API") });
  });
});

describe("PUT …/checksum (F79)", () => {
  test("has all checksums of a type made anew in the background, and names what does it", async () => {
    const { site, ask } = await primary(lfsRows(3));
    const asked = await ask(`${MODEL}/checksum`, { method: "PUT" });
    expect(asked.status).toBe(200);
    const answer = (await asked.json()) as { bulk_update_id: string };
    expect(answer).toMatchObject({ status: "success", message: expect.stringContaining("LFS Objects") });
    expect(site.bulkWorkflow.executions.map(({ name }) => name)).toEqual([
      expect.stringContaining(answer.bulk_update_id),
    ]);
  });

  test("of those that are chosen", async () => {
    const { site, ask } = await primary(lfsRows(3));
    const body = JSON.stringify({ checksum_state: "failed", identifiers: [idOf(lfsKey(1))] });
    expect((await ask(`${MODEL}/checksum`, { method: "PUT", body })).status).toBe(200);
    const [begun] = site.siteTable.items().filter(({ pk }) => pk === "bulk_update");
    expect(JSON.stringify(begun)).toContain(lfsKey(1));
    expect(JSON.stringify(begun)).toContain("failed");
  });

  test.each([
    ["{", /body: expected an object/],
    ["[]", /body: expected an object/],
    ['{"state": "failed"}', /there is nothing called state; expected checksum_state, identifiers/],
    ['{"checksum_state": 1}', /checksum_state: expected a text/],
    ['{"checksum_state": "pending"}', /checksum_state: a row that is pending is verified anyway/],
    ['{"identifiers": []}', /identifiers: expected at least one, or no list at all for all records/],
    ['{"identifiers": "YQ"}', /identifiers: expected a list/],
    ['{"identifiers": ["%"]}', /expected record identifiers of this API/],
    [`{"identifiers": ["${idOf("packages/1/a")}"]}`, /keys: expected keys of lfs_object/],
  ])("refuses %s and says what was expected", async (body, said) => {
    const { ask } = await primary([lfs(1)]);
    const refused = await ask(`${MODEL}/checksum`, { method: "PUT", body });
    expect(refused.status).toBe(400);
    expect(await refused.json()).toEqual({ message: expect.stringMatching(said) });
  });

  test("is refused for a type that is switched off", async () => {
    const { site, ask } = await primary([lfs(1)]);
    for (const flag of ["geo_lfs_object_force_primary_checksumming", "geo_lfs_object_replication"]) {
      await site.primarySiteTable.update(setFlag(flag, false, 0));
    }
    for (const path of [`${MODEL}/checksum`, `${ONE}/checksum`]) {
      const refused = await ask(path, { method: "PUT" });
      expect(refused.status).toBe(409);
      expect(await refused.json()).toEqual({ message: expect.stringContaining("lfs_object is switched off") });
    }
  });
});

/** Has one checksum made anew; meanwhile the record becomes what is given, or goes away. */
const waited = async (columns: Readonly<Record<string, string | number>> | undefined, gone = false) => {
  let site: GraphQLSite | undefined;
  const made = await primary([lfs(1)], {
    whileWaiting: async () => {
      if (site !== undefined && gone)
        await site.rowTable.delete({ key: rowKey({ replicableName: "lfs_object", key: lfsKey(1) }) });
      if (site !== undefined && columns !== undefined) await record(site, lfsKey(1), columns);
    },
  });
  site = made.site;
  const since = made.site.clock.now();
  const answer = await made.ask(`${ONE}/checksum`, { method: "PUT" });
  const body = (await answer.json()) as Readonly<Record<string, unknown>>;
  return { status: answer.status, body, waitedMs: made.site.clock.now() - since };
};

describe("PUT …/:id/checksum (F79)", () => {
  test("answers the record with its new checksum", async () => {
    const { status, body } = await waited({ verified_at: Date.UTC(2026, 6, 1), verification_checksum: "sha256:11" });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      checksum_information: {
        checksum: "sha256:11",
        checksum_state: "succeeded",
        last_checksum: "2026-07-01T00:00:00.000Z",
      },
    });
  });

  test("says why it failed", async () => {
    const failed = { verification_state: VERIFICATION_STATE.failed, verification_failure: "AccessDenied" };
    expect(await waited(failed)).toMatchObject({
      status: 400,
      body: { message: "400 Bad request - the checksum could not be made: AccessDenied" },
    });
  });

  test("does not take what was known before for what came of it, and gives up in time", async () => {
    const { status, body, waitedMs } = await waited(undefined);
    expect(status).toBe(202);
    expect(body).toMatchObject({ record_identifier: idOf(lfsKey(1)) });
    expect(waitedMs).toBe(CHECKSUM_WAIT_MS);
  });

  test("is a 404 when there is no such record, or its object is gone meanwhile", async () => {
    const { ask, site } = await primary([lfs(1)]);
    for (const id of [idOf(lfsKey(2)), "%25", "YQ=="]) {
      expect((await ask(`${MODEL}/${id}/checksum`, { method: "PUT" })).status).toBe(404);
    }
    expect(site.bulkWorkflow.executions).toEqual([]);
    expect((await waited(undefined, true)).status).toBe(404);
  });
});
