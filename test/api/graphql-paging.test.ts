import { describe, expect, test } from "vitest";
import { globalId } from "../../shared/geo/global-id.ts";
import { ROW_PARTITIONS, rowPartition } from "../../shared/geo/registry-row.ts";
import { cursorKeyKey, parseCursorKey } from "../../shared/tables/site/cursor-key-item.ts";
import { type GraphQLSite, graphqlSite, lfsKey, lfsRows, listLfsObjects } from "./support/graphql.ts";

/** Every key of a list, page by page, in the order in which they came; `between` runs behind each page. */
const everyKey = async (
  site: GraphQLSite,
  args: string,
  way: "forwards" | "backwards",
  between: (page: number) => Promise<void> = () => Promise.resolve(),
): Promise<readonly string[]> => {
  const keys: string[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < 200; page += 1) {
    const [size, behind] = way === "forwards" ? ["first: 37", "after"] : ["last: 37", "before"];
    const from = cursor === null ? "" : `, ${behind}: "${cursor}"`;
    const { keys: found, pageInfo, error } = await listLfsObjects(site, `${size}${from}${args}`);
    expect(error).toBeUndefined();
    keys.push(...(way === "forwards" ? found : found.toReversed()));
    const [more, next] =
      way === "forwards"
        ? [pageInfo.hasNextPage, pageInfo.endCursor]
        : [pageInfo.hasPreviousPage, pageInfo.startCursor];
    if (!more) return keys;
    expect(next).not.toBe(cursor);
    cursor = next;
    await between(page);
  }
  throw new Error("the pages do not end");
};

const numbered = (from: number, count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => lfsKey(from + index));

/** Puts a row into that partition, whatever its key. */
const inPartition = (partition: number) => ({ pk: rowPartition("lfs_object", partition) });

describe("the pages of a list", () => {
  test("show each of a thousand rows once, in either direction and either order (F72)", async () => {
    const site = graphqlSite();
    await site.put(...lfsRows(1_000));
    const forwards = await everyKey(site, "", "forwards");
    expect(forwards.toSorted()).toEqual(numbered(1, 1_000).toSorted());
    expect(await everyKey(site, "", "backwards")).toEqual(forwards.toReversed());
    expect(await everyKey(site, ", sort: ID_DESC", "forwards")).toEqual(forwards.toReversed());
    expect(await everyKey(site, ", sort: ID_DESC", "backwards")).toEqual(forwards);
  });

  test.each(["forwards", "backwards"] as const)(
    "show each row once that is there all the time, while others come and go: %s (F72)",
    async (way) => {
      const site = graphqlSite();
      await site.put(...lfsRows(300));
      const keys = await everyKey(site, "", way, async (page) => {
        await site.put(...lfsRows(20, {}, 1_000 + page * 20));
        // It is written again, and settles differently.
        await site.put(...lfsRows(5, { state: "failed", verification: "pending" }, 1 + page * 5));
      });
      expect(new Set(keys).size).toBe(keys.length);
      expect(keys.filter((key) => numbered(1, 300).includes(key)).toSorted()).toEqual(numbered(1, 300).toSorted());
    },
  );

  test.each(["forwards", "backwards"] as const)(
    "of what has failed show each row once, in the order of ids: %s (F72)",
    async (way) => {
      const site = graphqlSite();
      await site.put(...lfsRows(200, { state: "failed", verification: "pending" }), ...lfsRows(100, {}, 201));
      const all = await everyKey(site, "", way);
      const failed = await everyKey(site, ", replicationState: FAILED", way);
      const expected = new Set(numbered(1, 200));
      expect(failed).toEqual(all.filter((key) => expected.has(key)));
    },
  );

  test.each(["LAST_SYNCED_AT_ASC", "VERIFIED_AT_DESC"])("of %s show each row once, by its time (F72)", async (sort) => {
    const site = graphqlSite();
    for (let number = 1; number <= 150; number += 1) {
      // Many of the same time, and some of none.
      const time = number % 10 === 0 ? {} : { last_synced_at: number % 7, verified_at: number % 5 };
      const state = number % 10 === 0 ? ({ state: "pending", verification: "pending" } as const) : {};
      await site.put(...lfsRows(1, { columns: time, ...state }, number));
    }
    const forwards = await everyKey(site, `, sort: ${sort}`, "forwards");
    expect(forwards.toSorted()).toEqual(numbered(1, 150).toSorted());
    expect(await everyKey(site, `, sort: ${sort}`, "backwards")).toEqual(forwards.toReversed());
  });

  test.each(["forwards", "backwards"] as const)(
    "show each row of a partition once that has more than one query reads, and those on both sides of it: %s (F72)",
    async (way) => {
      const site = graphqlSite();
      await site.put(...lfsRows(700, { columns: inPartition(7) }));
      await site.put(
        ...lfsRows(3, { columns: inPartition(6) }, 1_001),
        ...lfsRows(3, { columns: inPartition(8) }, 2_001),
      );
      const expected = [...numbered(1, 700), ...numbered(1_001, 3), ...numbered(2_001, 3)].toSorted();
      expect((await everyKey(site, "", way)).toSorted()).toEqual(expected);
      // Few of them fit, and these stand at the far end.
      await site.put(...lfsRows(2, { verification: "disabled", columns: inPartition(7) }, 998));
      await site.put(...lfsRows(2, { verification: "disabled", columns: inPartition(8) }, 2_010));
      expect((await everyKey(site, ", verificationState: DISABLED", way)).toSorted()).toEqual(
        [...numbered(998, 2), ...numbered(2_010, 2)].toSorted(),
      );
    },
  );

  test("may be bounded on both sides (F72)", async () => {
    const site = graphqlSite();
    await site.put(...lfsRows(20));
    const { data } = await site.ask("{ geoNode { lfsObjectRegistries { edges { cursor node { id } } } } }");
    // What the query above asks for.
    const { edges } = (data as { geoNode: { lfsObjectRegistries: { edges: { cursor: string }[] } } }).geoNode
      .lfsObjectRegistries;
    const all = (await listLfsObjects(site, "")).keys;
    const between = `after: "${edges[4]?.cursor}", before: "${edges[12]?.cursor}"`;
    expect((await listLfsObjects(site, between)).keys).toEqual(all.slice(5, 12));
    const first = await listLfsObjects(site, `first: 3, ${between}`);
    expect(first.keys).toEqual(all.slice(5, 8));
    expect(first.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: true });
    expect((await listLfsObjects(site, `last: 3, ${between}`)).keys).toEqual(all.slice(9, 12));
    const failed = await listLfsObjects(site, "replicationState: FAILED");
    expect(failed.keys).toEqual([]);
  });

  test("say where they stand among all (F72)", async () => {
    const site = graphqlSite();
    await site.put(...lfsRows(3));
    const first = await listLfsObjects(site, "first: 2");
    expect(first.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: false });
    const rest = await listLfsObjects(site, `first: 2, after: "${first.pageInfo.endCursor}"`);
    expect(rest.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true });
    expect([...first.keys, ...rest.keys].toSorted()).toEqual(numbered(1, 3));
    const back = await listLfsObjects(site, `last: 2, before: "${rest.pageInfo.startCursor}"`);
    expect(back.keys).toEqual(first.keys);
    expect(await listLfsObjects(site, "first: 0")).toMatchObject({ keys: [], error: undefined });
  });

  test("hold a hundred rows unless somebody asks for fewer, and never more (F72)", async () => {
    const site = graphqlSite();
    await site.put(...lfsRows(150));
    const { keys, pageInfo } = await listLfsObjects(site, "");
    expect(keys).toHaveLength(100);
    expect(pageInfo.hasNextPage).toBe(true);
    for (const size of ["first: 101", "first: -1", "last: 101"]) {
      expect((await listLfsObjects(site, size)).error).toMatch(/expected a number from 0 to 100, got/);
    }
    expect((await listLfsObjects(site, "first: 1, last: 1")).error).toMatch(/expected one of them, got both/);
  });
});

describe("what a page costs", () => {
  test("is bounded: where few rows fit it may hold none, and tells where to go on (F72)", async () => {
    const site = graphqlSite();
    // Too many that are not settled for the index to be read as a whole, among which one has failed.
    await site.put(...lfsRows(20_002, { state: "pending", verification: "pending" }));
    await site.put(...lfsRows(1, { state: "failed", verification: "pending" }, 30_000));
    let read = 0;
    let queries = 0;
    site.rowTable.interference = {
      before: (operation) => {
        if (operation.kind === "query" && operation.request.index === undefined) {
          queries += 1;
          read += operation.request.limit;
        }
      },
    };
    const found: string[] = [];
    let pages = 0;
    let after = "";
    for (let more = true; more; pages += 1) {
      [read, queries] = [0, 0];
      const page = await listLfsObjects(site, `replicationState: FAILED${after}`);
      expect(page.error).toBeUndefined();
      expect(queries).toBeLessThanOrEqual(512);
      found.push(...page.keys);
      more = page.pageInfo.hasNextPage;
      after = `, after: "${page.pageInfo.endCursor}"`;
    }
    expect(found).toEqual([lfsKey(30_000)]);
    expect(pages).toBeGreaterThan(3);
  }, 60_000);

  test("is bounded by the rows that are read, where a partition has many (F72)", async () => {
    const site = graphqlSite();
    await site.put(...lfsRows(6_000, { columns: inPartition(7) }));
    await site.put(...lfsRows(1, { verification: "disabled", columns: inPartition(8) }, 9_999));
    const first = await listLfsObjects(site, "verificationState: DISABLED");
    expect(first).toMatchObject({ keys: [], error: undefined, pageInfo: { hasNextPage: true } });
    const second = await listLfsObjects(site, `verificationState: DISABLED, after: "${first.pageInfo.endCursor}"`);
    expect(second).toMatchObject({ keys: [lfsKey(9_999)], pageInfo: { hasNextPage: false } });
  });

  test("does not grow with the rows of a type: a full page asks few partitions (F72)", async () => {
    const site = graphqlSite();
    await site.put(...lfsRows(3_000));
    let queries = 0;
    site.rowTable.interference = { before: () => void (queries += 1) };
    expect((await listLfsObjects(site, "first: 100")).keys).toHaveLength(100);
    expect(queries).toBeLessThan(300);
    expect(queries).toBeLessThan(ROW_PARTITIONS / 10);
  });

  test("asks nothing of a type without rows", async () => {
    const site = graphqlSite();
    await site.put({ replicableName: "job_artifact", key: "p_ci_job_artifacts/7/43/log" });
    let queries = 0;
    site.rowTable.interference = { before: () => void (queries += 1) };
    expect((await listLfsObjects(site, "")).keys).toEqual([]);
    expect(queries).toBe(0);
  });

  test("by time is refused for more rows than are sorted, in words that say what to do (F72)", async () => {
    const site = graphqlSite();
    await site.put(...lfsRows(1_001), ...lfsRows(2, { state: "failed", verification: "pending" }, 2_000));
    const { error } = await listLfsObjects(site, "sort: LAST_SYNCED_AT_ASC");
    expect(error).toMatch(
      /only up to 1000 rows can be ordered by time, and 1003 fit; choose fewer by ids, or by a state/,
    );
    expect((await listLfsObjects(site, "sort: LAST_SYNCED_AT_ASC, replicationState: FAILED")).keys).toHaveLength(2);
  });

  test("by time is refused by the counts alone where a type is large", async () => {
    const site = graphqlSite();
    await site.put(...lfsRows(5_001));
    let reads = 0;
    site.rowTable.interference = { before: () => void (reads += 1) };
    expect((await listLfsObjects(site, "sort: VERIFIED_AT_ASC")).error).toMatch(/this type has more than 5000/);
    expect(reads).toBe(0);
  });

  test("by time is refused for too many that are not settled", async () => {
    const site = graphqlSite();
    await site.put(...lfsRows(5_001, { state: "failed", verification: "pending" }));
    const { error } = await listLfsObjects(site, "sort: LAST_SYNCED_AT_ASC, replicationState: FAILED");
    expect(error).toMatch(/more than 5000 of this type are not settled/);
  });
});

const first = async (site: GraphQLSite, args = ""): Promise<string> => {
  const { pageInfo } = await listLfsObjects(site, `first: 1${args}`);
  return pageInfo.endCursor ?? "";
};

describe("a cursor", () => {
  const FORGED = /expected a cursor that this list has handed out to this token, for the same arguments/;

  test("leads on in the list that handed it out, and nowhere else (F72)", async () => {
    const site = graphqlSite();
    await site.put(...lfsRows(3));
    const cursor = await first(site);
    const on = (args: string) => listLfsObjects(site, `first: 1, after: "${cursor}"${args}`);
    expect((await on("")).error).toBeUndefined();
    for (const args of [
      ", sort: ID_DESC",
      ", replicationState: SYNCED",
      ", verificationState: SUCCEEDED",
      `, ids: ["${globalId({ registryClass: "LfsObjectRegistry", key: lfsKey(1) })}"]`,
    ]) {
      expect((await on(args)).error).toMatch(FORGED);
    }
    const elsewhere = `{ geoNode { jobArtifactRegistries(after: "${cursor}") { nodes { id } } } }`;
    expect((await site.ask(elsewhere)).errors?.[0]?.message).toMatch(FORGED);
  });

  test("leads nobody else on, and is good at no other site", async () => {
    const site = graphqlSite();
    await site.put(...lfsRows(3));
    const cursor = await first(site);
    const bob = { "PRIVATE-TOKEN": await site.tokenOf("bob", "admin_geo") };
    expect((await listLfsObjects(site, `after: "${cursor}"`, bob)).error).toMatch(FORGED);
  });

  test.each([
    ["nothing that was signed", "bm90aGluZw"],
    ["a made-up place", `${Buffer.from("[0,null,null]").toString("base64url")}.${"A".repeat(43)}`],
    ["a signature of nothing", `.${"A".repeat(43)}`],
    ["very long", "A".repeat(20_000)],
    ["no text of ours", "%00 ../etc\\\\passwd"],
  ])("that is %s is refused, in words", async (_what, cursor) => {
    const site = graphqlSite();
    for (const argument of ["after", "before"]) {
      expect((await listLfsObjects(site, `${argument}: "${cursor}"`)).error).toMatch(FORGED);
    }
  });

  test("that somebody has changed is refused", async () => {
    const site = graphqlSite();
    await site.put(...lfsRows(3));
    const cursor = await first(site);
    for (let index = 0; index < cursor.length; index += 7) {
      const other = cursor[index] === "A" ? "B" : "A";
      const changed = cursor.slice(0, index) + other + cursor.slice(index + 1);
      expect((await listLfsObjects(site, `after: "${changed}"`)).error).toMatch(FORGED);
    }
  });

  test("is signed with one secret, whoever makes it first", async () => {
    const site = graphqlSite();
    await site.put(...lfsRows(3));
    const cursor = await first(site);
    // Another process of the same site, which knows no secret yet.
    const other = graphqlSite("secondary", { siteTable: site.siteTable, clock: site.clock });
    const secret = parseCursorKey(await other.siteTable.get(cursorKeyKey));
    expect(secret).toHaveLength(32);
    const headers = { "PRIVATE-TOKEN": await site.tokenOf("alice", "admin_geo") };
    expect((await listLfsObjects(other, `after: "${cursor}"`, headers)).error).toBeUndefined();
  });
});
