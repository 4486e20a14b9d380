import { describe, expect, test } from "vitest";
import { globalId } from "../../../shared/geo/global-id.ts";
import { type GivenRow, graphqlSite, lfsKey, lfsRows } from "../../api/support/graphql.ts";
import { apiSite } from "../../api/support/site.ts";
import { geoAt, screenOf } from "./at-site.ts";

/** Control characters: an escape would be obeyed by a terminal. */
const FAILURE = "the copy was denied\u001b[31m: AccessDenied";

const FAILED: Partial<GivenRow> = {
  state: "failed",
  verification: "pending",
  columns: { retry_count: 3, retry_at: Date.UTC(2026, 10, 21, 22, 15), last_sync_failure: FAILURE },
};

/** The command at a site with such rows. */
const atSite = async (
  rows: readonly GivenRow[],
  ...around: Parameters<typeof geoAt> extends [unknown, ...infer Rest] ? Rest : never
) => {
  const site = graphqlSite("secondary");
  await site.put(...rows);
  return geoAt(site, ...around);
};

const idOf = (key: string): string => globalId({ registryClass: "LfsObjectRegistry", key });

interface Listed {
  readonly registries: readonly { readonly key: string; readonly replicable_name: string }[];
  readonly next: string | null;
}

const keysIn = (out: string): readonly string[] => (JSON.parse(out) as Listed).registries.map(({ key }) => key);

describe("geo registry list", () => {
  test("shows what failed, why, how often it was tried and when it is tried again", async () => {
    const geo = await atSite([...lfsRows(2), ...lfsRows(1, FAILED, 7)], screenOf(400));
    const { code, out, err } = await geo("registry", "list", "--state", "failed");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    const [heading = "", row = "", , summary] = out.split("\n");
    expect(heading.split(/ {2,}/)).toEqual([
      "key",
      "state",
      "verification",
      "last synced",
      "retries",
      "next retry",
      "failure",
      "id",
    ]);
    expect(row.split(/ {2,}/)).toEqual([
      lfsKey(7),
      "failed",
      "pending",
      "-",
      "3",
      "2026-11-21 22:15:00Z",
      "the copy was denied�[31m: AccessDenied",
      idOf(lfsKey(7)),
    ]);
    expect(summary).toBe("1 registry of frankfurt. That is all.");
  });

  test("puts one fact under the other where the screen is narrow, and what a terminal would obey nowhere", async () => {
    const geo = await atSite(lfsRows(2, FAILED), screenOf(60));
    const { out } = await geo("registry", "list");
    const blocks = out.split("\n\n");
    expect(blocks).toHaveLength(3);
    expect(blocks[0]).toContain(`key           ${lfsKey(1)}\nstate         failed\n`);
    expect(out.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
  });

  test("answers in JSON of one shape, with what was not found as null", async () => {
    const geo = await atSite([...lfsRows(1), ...lfsRows(1, FAILED, 7)]);
    const { out } = await geo("registry", "list", "--output", "json");
    expect(JSON.parse(out)).toEqual({
      site: "frankfurt",
      registries: expect.arrayContaining([
        expect.objectContaining({
          id: idOf(lfsKey(1)),
          key: lfsKey(1),
          replicable_name: "lfs_object",
          state: "synced",
          verification_state: "succeeded",
          last_synced_at: "2026-05-01T12:00:00.000Z",
          verified_at: "2026-05-01T13:00:00.000Z",
          retry_count: 0,
          retry_at: null,
          last_sync_failure: null,
        }),
        expect.objectContaining({ key: lfsKey(7), state: "failed", retry_count: 3, last_sync_failure: FAILURE }),
      ]) as unknown,
      next: null,
    });
    expect(out.endsWith("}\n")).toBe(true);
  });

  test("goes through all types page by page, and shows each registry once", async () => {
    const uploads = Array.from({ length: 7 }, (_, index) => ({
      replicableName: "ci_secure_file",
      key: `ci_secure_files/${index + 1}/secure/file`,
    }));
    const geo = await atSite([...lfsRows(13), ...uploads]);
    const seen: string[] = [];
    let after: readonly string[] = [];
    for (let pages = 0; pages < 20; pages += 1) {
      const { code, out } = await geo("registry", "list", "--limit", "4", "--output", "json", ...after);
      expect(code).toBe(0);
      const { next } = JSON.parse(out) as Listed;
      seen.push(...keysIn(out));
      if (next === null) break;
      after = ["--after", next];
    }
    expect(seen.toSorted()).toEqual([...lfsRows(13), ...uploads].map(({ key }) => key).toSorted());
  });

  test("has twenty on a page unless somebody says how many, and tells how to go on", async () => {
    const geo = await atSite(lfsRows(21));
    const first = await geo("registry", "list", "--type", "lfs_object");
    expect(first.out).toMatch(/20 registries of frankfurt\. There is more\. Go on .* --after lfs_object:\S+\n$/);
    const cursor = /--after (\S+)\n$/.exec(first.out)?.[1] ?? "";
    const second = await geo("registry", "list", "--type", "lfs_object", "--after", cursor);
    expect(second.out).toMatch(/1 registry of frankfurt\. That is all\.\n$/);
    expect(keysIn((await geo("registry", "list", "--limit", "21", "--output", "json")).out)).toHaveLength(21);
  });

  test("finds by id, by key, by record and in an order", async () => {
    const older = { columns: { last_synced_at: 5 } };
    const geo = await atSite([...lfsRows(2), ...lfsRows(1, older, 3)]);
    const json = ["--output", "json"];
    expect(keysIn((await geo("registry", "list", "--id", idOf(lfsKey(2)), ...json)).out)).toEqual([lfsKey(2)]);
    expect(keysIn((await geo("registry", "list", "--keyword", lfsKey(1), ...json)).out)).toEqual([lfsKey(1)]);
    const sorted = await geo("registry", "list", "--type", "lfs_object", "--sort", "last_synced_at_asc", ...json);
    expect(keysIn(sorted.out)[0]).toBe(lfsKey(3));
  });

  test("says in words that there is nothing, and of what", async () => {
    const geo = await atSite(lfsRows(2));
    expect(await geo("registry", "list", "--type", "lfs_object", "--state", "FAILED")).toEqual({
      code: 0,
      out: "frankfurt has no registry of lfs_object that is failed.\n",
      err: "",
    });
    expect((await (await atSite([]))("registry", "list")).out).toBe("frankfurt has no registry.\n");
  });

  test.each([
    [["--type", "lfs"], /--type is "lfs", expected one of .*lfs_object/],
    [["--state", "broken"], /--state is "broken", expected one of pending, started, synced, failed\n/],
    [["--verification-state", "x"], /--verification-state is "x", expected one of pending, started, succeeded, failed/],
    [["--id", "17"], /--id: expected a registry's id such as gid:\/\/geo\/CoolWidgetRegistry\/…, got "17"/],
    [["--id", globalId({ registryClass: "HotWidgetRegistry", key: "a" })], /--id is of "HotWidgetRegistry", expected/],
    [["--type", "upload", "--id", idOf(lfsKey(1))], /--type is "upload", and an --id is of lfs_object/],
    [["--sort", "size"], /--sort is "size", expected one of id_asc, id_desc/],
    [["--limit", "0"], /--limit: expected a whole number from 1 to 1000/],
    [["--limit", "many"], /--limit: expected a whole number from 1 to 1000/],
    [["--after", "lfs_object"], /--after is "lfs_object", expected what the page before has told/],
    [["--after", "lfs_object:forged"], /after: expected a cursor that this list has handed out/],
    [["--keyword", "a/b"], /--keyword is no whole S3 key of any type; expected one, or --type/],
    [["--output", "xml"], /--output: expected table or json/],
  ])("%j is refused with exit code 2, with what was expected", async (args, problem) => {
    const geo = await atSite(lfsRows(1));
    const { code, out, err } = await geo("registry", "list", ...args);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatch(problem);
  });

  test("is for a secondary, and for a token that may see registries", async () => {
    expect(await geoAt(apiSite("primary"))("registry", "list")).toMatchObject({
      code: 2,
      err: "geo: frankfurt is a primary and has no registries: ask a secondary (--site)\n",
    });
    const { code, err } = await (await atSite(lfsRows(1), {}, "read_geo"))("registry", "list");
    expect(code).toBe(4);
    expect(err).toContain("a token of scope admin_geo alone");
  });
});

describe("geo registry show", () => {
  test("tells all of one, by its key or its id", async () => {
    const geo = await atSite(lfsRows(1, FAILED, 7));
    const { code, out } = await geo("registry", "show", lfsKey(7));
    expect(code).toBe(0);
    expect(out).toMatch(/state: failed\n/);
    expect(out).toMatch(/next retry: 2026-11-21 22:15:00Z\n/);
    expect((await geo("registry", "show", idOf(lfsKey(7)))).out).toBe(out);
    expect(JSON.parse((await geo("registry", "show", lfsKey(7), "-o", "json")).out)).toMatchObject({
      site: "frankfurt",
      key: lfsKey(7),
      state: "failed",
      last_sync_failure: FAILURE,
    });
  });

  test.each([
    [lfsKey(9), 1, /frankfurt has no registry of .*ef9.*geo explain/],
    ["some/where", 2, /no type's pattern claims the key "some\/where"; expected a whole S3 key or a registry's id/],
    ["gid://geo/Nothing/x", 2, /--id: .*|--id is of "Nothing"/],
  ])("%s is not found: exit code %i, with what to do", async (wanted, expected, problem) => {
    const { code, err } = await (await atSite(lfsRows(1)))("registry", "show", wanted);
    expect(code).toBe(expected);
    expect(err).toMatch(problem);
  });
});
