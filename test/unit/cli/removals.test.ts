import { describe, expect, test } from "vitest";
import { askToRemove } from "../../../shared/services/removal-guard.ts";
import { twoSites } from "./two-sites.ts";

const LIMIT = 2;

/** Two sites, of which the secondary holds removals of `lfs_object` back. */
const heldBack = async (around: Parameters<typeof twoSites>[0] = {}) => {
  const sites = await twoSites(around);
  const guarded = { ...sites.secondary, removalGuard: { floor: LIMIT, percent: 0, most: LIMIT } };
  for (let removals = 0; removals <= LIMIT; removals += 1) await askToRemove(guarded, "lfs_object");
  const removes = async (): Promise<string> => (await askToRemove(guarded, "lfs_object")).removal;
  return { ...sites, removes };
};

describe("geo removals list", () => {
  test("shows the guards of types that ever removed anything, and since when they hold back", async () => {
    const { geo, clock } = await heldBack();
    const { code, out } = await geo("removals", "list");
    expect(code).toBe(0);
    const [, row = "", ...others] = out.trimEnd().split("\n");
    const since = new Date(clock.now())
      .toISOString()
      .replace("T", " ")
      .replace(/\.\d+Z$/, "Z");
    expect(row.split(/ {2,}/)).toEqual(["lfs_object", String(LIMIT), String(LIMIT), since, "-"]);
    expect(others).toEqual([]);
  });

  test("tells scripts of all types, and people in words that there is nothing", async () => {
    const { geo } = await twoSites();
    expect((await geo("removals", "list")).out).toBe("frankfurt has never removed anything.\n");
    const told = JSON.parse((await geo("removals", "list", "-o", "json")).out) as { removal_guards: unknown[] };
    expect(told.removal_guards.length).toBeGreaterThan(10);
  });
});

describe("geo removals release", () => {
  const RELEASE = ["removals", "release", "lfs_object", "--removals", "1"] as const;

  test("lets so many through and no more, and says when what was held back comes again", async () => {
    const { geo, removes } = await heldBack();
    expect(await removes()).toBe("held_back");
    const { code, out } = await geo(...RELEASE, "--yes");
    expect(code).toBe(0);
    expect(out).toMatch(
      /^Let through: 1 more removal of lfs_object at frankfurt, within 60 minutes\. .* tried again within/,
    );
    expect(out).toContain("geo redrive --site frankfurt --type lfs_object --reason removal_guard --yes\n");
    expect([await removes(), await removes()]).toEqual(["allowed", "held_back"]);
  });

  test("asks first, and does nothing without an answer, after a no, or with --dry-run", async () => {
    const none = await heldBack();
    expect(await none.geo(...RELEASE)).toMatchObject({ code: 2, err: expect.stringContaining("--yes") as string });
    expect((await none.geo(...RELEASE, "--dry-run")).out).toMatch(/^Would let through: .* Nothing was done\.\n$/);
    expect(await none.removes()).toBe("held_back");
    const no = await heldBack({ ask: () => Promise.resolve(false) });
    expect(await no.geo(...RELEASE)).toMatchObject({ code: 1, out: "" });
    expect(await no.removes()).toBe("held_back");
  });

  test("tells scripts how the guard stands then", async () => {
    const { geo } = await heldBack();
    const told = JSON.parse((await geo(...RELEASE, "--minutes", "5", "--yes", "-o", "json")).out) as unknown;
    expect(told).toMatchObject({ site: "frankfurt", replicable_name: "lfs_object", release: { removals: 1 } });
  });

  test.each([
    [["removals", "release", "lfs", "--removals", "1", "--yes"], 2, /"lfs", expected one of .*lfs_object/],
    [["removals", "release", "lfs_object", "--yes"], 2, /required option '--removals/],
    [
      ["removals", "release", "lfs_object", "--removals", "0", "--yes"],
      2,
      /--removals: expected a whole number from 1/,
    ],
    [[...RELEASE, "--minutes", "x", "--yes"], 2, /--minutes: expected a whole number from 1 to 10080/],
    [["removals", "list", "--site", "virginia"], 2, /virginia is a primary and removes nothing: ask a secondary/],
    [["removals", "release", "ci_secure_file", "--removals", "1", "--yes"], 1, /has never removed anything/],
  ])("%j is refused with exit code %i, with what was expected", async (args, expected, problem) => {
    const { geo, removes } = await heldBack();
    const { code, err } = await geo(...args);
    expect(code).toBe(expected);
    expect(err).toMatch(problem);
    expect(await removes()).toBe("held_back");
  });
});
