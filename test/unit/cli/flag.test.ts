import { describe, expect, test } from "vitest";
import { twoSites } from "./two-sites.ts";

const FLAG = "geo_lfs_object_replication";

describe("geo flag (F84)", () => {
  test("lists every flag, sets one at all sites, and gives it back", async () => {
    const { geo } = await twoSites();
    const { out } = await geo("flag", "list");
    expect(out).toMatch(/^name +state +default +set at\n/);
    expect(out).toMatch(new RegExp(`^${FLAG} +on +on +-$`, "m"));
    expect((await geo("flag", "list", "--changed")).out).toBe("Every flag is as its type declares it.\n");
    expect(await geo("flag", "set", FLAG, "off", "--yes")).toMatchObject({
      code: 0,
      out: `${FLAG} is off at every site, within ten seconds.\n`,
    });
    expect(JSON.parse((await geo("flag", "list", "--changed", "-o", "json")).out)).toMatchObject([
      { name: FLAG, state: "off", default: "on", overridden: true },
    ]);
    expect(JSON.parse((await geo("flag", "list", "--site", "frankfurt", "--changed", "-o", "json")).out)).toHaveLength(
      1,
    );
    expect((await geo("flag", "reset", FLAG)).out).toBe(
      `${FLAG} is on at every site, within ten seconds, as its type declares it.\n`,
    );
  });

  test("asks before it switches one off, and says in a dry run what would be", async () => {
    const { geo } = await twoSites();
    expect(await geo("flag", "set", FLAG, "off")).toMatchObject({
      code: 2,
      err: expect.stringContaining("say --yes") as string,
    });
    expect((await geo("flag", "set", FLAG, "off", "--dry-run")).out).toBe(
      `${FLAG} is on and would be off at every site. Nothing was done.\n`,
    );
    expect((await geo("flag", "list", "--changed")).out).toBe("Every flag is as its type declares it.\n");
    expect((await geo("flag", "set", "geo_cool_widget_replication", "on")).code).toBe(0);
  });

  test.each([
    [["set", FLAG, "perhaps"], 2, /<value> is "perhaps", expected on or off/],
    [["set", "lfs_object", "off"], 2, /no flag "lfs_object"; is it one of geo_lfs_object_.*All of them: geo flag list/],
    [["reset", "geo_nothing"], 2, /no flag "geo_nothing" All of them: geo flag list|no flag "geo_nothing"/],
    [["set", FLAG, "off", "--site", "frankfurt", "--yes"], 2, /frankfurt is a secondary, and flags are the primary's/],
  ])("%j is refused with exit code %i, with what to do", async (args, expected, text) => {
    const { geo } = await twoSites();
    const { code, err } = await geo("flag", ...args);
    expect(code).toBe(expected);
    expect(err).toMatch(text);
  });
});
