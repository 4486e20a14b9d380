import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import { primaryRow, registryRow, twoSites } from "./two-sites.ts";

const some = async (around: Parameters<typeof twoSites>[0] = {}) => {
  const sites = await twoSites(around);
  await sites.primary.rows([primaryRow("succeeded", 1), primaryRow("succeeded", 2), primaryRow("pending", 3)]);
  await sites.secondary.rows([
    registryRow("synced", "succeeded", 1),
    registryRow("synced", "pending", 2),
    registryRow("failed", "pending", 3),
  ]);
  return sites;
};

describe("geo status", () => {
  test("tells of every site in the order and the words of Geo's own (F95)", async () => {
    const { geo } = await some();
    const { code, out, err } = await geo("status");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    const [primary = "", secondary = ""] = out.split("\n\n");
    expect(primary).toMatch(/^virginia \(primary, eu-central-1\)\nhttp:\/\/127\.0\.0\.1:1\/geo\n-{60}\n/);
    expect(primary).toMatch(/^ *LFS Objects Checksummed: 2\/3 \(66\.66%\), 1 queued, /m);
    const order = [
      "frankfurt (secondary",
      "http://127.0.0.1:2/geo",
      "Version: ",
      "Geo Role: Secondary",
      "Health Status: Healthy",
      "Sync Settings: Full",
      "LFS Objects Replicated: 2/3 (66.66%), 1 failed",
      "LFS Objects Verified: 1/3 (33.33%), 1 queued",
      "Without objects: ",
      "Last event seen from primary: never",
      "Last event processed: ",
      "Last status report was: 0 seconds ago",
    ].map((words) => secondary.indexOf(words));
    expect(order).toEqual(order.toSorted((a, b) => a - b));
    expect(Math.min(...order)).toBeGreaterThanOrEqual(0);
  });

  test("folds types without objects into a line, unless all are wanted", async () => {
    const { geo } = await some();
    expect((await geo("status", "--site", "frankfurt")).out).not.toContain("Cool Widgets");
    const { out } = await geo("status", "--site", "frankfurt", "--all");
    expect(out).toContain("Cool Widgets Replicated: 0/0 (100%), 0 B");
    expect(out).not.toContain("virginia");
  });

  test("is no wider than a screen of 60 columns, in colours where somebody looks", async () => {
    const narrow = await some({ screen: { columns: () => 60 }, colours: true });
    const { out } = await narrow.geo("status", "--all");
    expect(out).toContain("\u001b[3");
    const lines = stripVTControlCharacters(out).split("\n");
    expect(lines.filter((line) => line.length > 60)).toEqual([]);
  });

  test("is one JSON document for scripts", async () => {
    const { geo } = await some();
    const { code, out } = await geo("status", "-o", "json");
    expect(code).toBe(0);
    const document = JSON.parse(out);
    expect(document).toMatchObject({
      healthy: false,
      problems: [{ site: "frankfurt", kind: "failed", remedy: expect.stringContaining("geo registry list") as string }],
      sites: [
        { name: "virginia", primary: true, source: "own", paused: false },
        { name: "frankfurt", primary: false, source: "own", selective_sync_type: null },
      ],
      unreached: [],
    });
    const lfs = document.sites[1].types.find(
      (type: Readonly<Record<string, unknown>>) => type["replicable_name"] === "lfs_object",
    );
    expect(lfs).toMatchObject({
      replicated: { done: 2, total: 3, failed: 1, queued: 0, percentage: "66.66%" },
      verified: { done: 1, total: 3, failed: 0, queued: 1, percentage: "33.33%" },
      checksummed: null,
    });
  });

  test("tells of the others when a site does not answer, and of it what its primary knows", async () => {
    const { geo, down } = await some();
    down.add("secondary");
    const { code, out } = await geo("status");
    expect(code).toBe(0);
    expect(out).toContain("virginia (primary");
    expect(out).toMatch(/\nfrankfurt\nNobody could tell of it: http:\/\/127\.0\.0\.1:2\/geo/);
    expect(out).toContain("ECONNREFUSED");
    down.add("primary");
    expect(await geo("status")).toMatchObject({
      code: 1,
      err: expect.stringContaining("can not be reached") as string,
    });
  });

  test.each([
    ["objects that failed", async () => {}, /LFS Objects failed to be copied \(geo registry list --site frankfurt/],
    [
      "a site that does not answer",
      async ({ down }: Awaited<ReturnType<typeof twoSites>>) => void down.add("secondary"),
      /frankfurt: does not answer: .*\(geo doctor --site frankfurt\)/,
    ],
  ])("--check ends with exit code 3 for %s, and says what to do next (F95)", async (_, arrange, text) => {
    const sites = await some();
    await arrange(sites);
    const { code, err } = await sites.geo("status", "--check");
    expect(code).toBe(3);
    expect(err).toMatch(text);
  });

  test("--check is content with sites that are well", async () => {
    const { geo } = await twoSites();
    expect(await geo("status", "--check")).toMatchObject({ code: 0, err: "" });
  });

  test("--watch says a line of each site now and then, until somebody interrupts", async () => {
    const listeners: (() => void)[] = [];
    let looks = 0;
    const { geo } = await some({
      onInterrupt: (interrupted) => {
        listeners.push(interrupted);
        return () => void listeners.splice(0);
      },
      sleep: () => {
        looks += 1;
        if (looks < 3) return Promise.resolve();
        for (const interrupt of listeners) interrupt();
        return new Promise(() => {});
      },
    });
    const { code, out } = await geo("status", "--watch");
    expect(code).toBe(0);
    const lines = out.trimEnd().split("\n");
    expect(lines).toHaveLength(6);
    expect(lines[1]).toMatch(/frankfurt: 66\.66% of 3 replicated \(1 failed\), 33\.33% of 3 verified; Healthy$/);
    expect(listeners).toEqual([]);
  });

  test("--watch draws a screen anew", async () => {
    const listeners: (() => void)[] = [];
    const { geo } = await some({
      screen: { columns: () => 80 },
      onInterrupt: (interrupted) => {
        listeners.push(interrupted);
        return () => {};
      },
      sleep: () => {
        for (const interrupt of listeners) interrupt();
        return new Promise(() => {});
      },
    });
    const { out } = await geo("status", "--watch");
    expect(out.startsWith("\u001b[H\u001b[2Jvirginia")).toBe(true);
    expect(out.endsWith("Ctrl-C ends this.\n")).toBe(true);
  });

  test.each([
    [["--site", "oslo"], 2, /--site is "oslo", expected one of virginia, frankfurt/],
    [["--output", "xml"], 2, /--output: expected table or json/],
    [["--watch", "--interval", "soon"], 2, /--interval is "soon", expected a time such as 90s/],
  ])("%j is refused with exit code %i, with what was expected", async (args, expected, text) => {
    const { geo } = await twoSites();
    const { code, out, err } = await geo("status", ...args);
    expect({ code, out }).toEqual({ code: expected, out: "" });
    expect(err).toMatch(text);
  });

  test("with a token that is none ends with exit code 4", async () => {
    const { geo, sitesFile } = await twoSites();
    await sitesFile({ primary: "geo_none", secondary: "geo_none" });
    expect(await geo("status")).toMatchObject({ code: 4, err: expect.stringContaining("geo token list") as string });
  });
});
