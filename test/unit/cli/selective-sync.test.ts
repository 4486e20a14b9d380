import { describe, expect, test } from "vitest";
import { registryRow, twoSites } from "./two-sites.ts";

const selection = async ({ geo }: Awaited<ReturnType<typeof twoSites>>) =>
  JSON.parse((await geo("selective-sync", "show", "-o", "json")).out) as unknown;

describe("geo selective-sync (F51)", () => {
  test("narrows a site when that was agreed to, and names what holds removals back", async () => {
    const questions: string[] = [];
    const sites = await twoSites({
      ask: (question) => {
        questions.push(question);
        return Promise.resolve(true);
      },
    });
    await sites.secondary.rows([registryRow("synced", "succeeded", 1), registryRow("synced", "succeeded", 2)]);
    const { code, out, err } = await sites.geo("selective-sync", "set", "--namespaces", "7, 42");
    expect(code).toBe(0);
    expect(err).toMatch(/^frankfurt: Full -> Selective \(namespaces: 7, 42\)\n/);
    expect(err).toMatch(/Of its 2 replicas, .* delete markers\. The removal guard holds them back/);
    expect(questions).toEqual(["Narrow what frankfurt keeps?"]);
    expect(out).toContain("geo status --site frankfurt");
    expect(await selection(sites)).toEqual({ site: "frankfurt", type: "namespaces", ids: ["7", "42"] });
    expect((await sites.geo("status", "--site", "frankfurt")).out).toContain(
      "Sync Settings: Selective (namespaces: 7, 42)",
    );
    expect((await sites.geo("selective-sync", "show")).out).toBe("frankfurt: Selective (namespaces: 7, 42)\n");
  });

  test("widens a site without a question", async () => {
    const sites = await twoSites();
    await sites.geo("selective-sync", "set", "--shards", "a", "--yes");
    expect((await sites.geo("selective-sync", "set", "--shards", "a,b")).code).toBe(0);
    expect(await selection(sites)).toMatchObject({ type: "shards", ids: ["a", "b"] });
    expect((await sites.geo("selective-sync", "clear")).code).toBe(0);
    expect(await selection(sites)).toMatchObject({ type: null });
    expect((await sites.geo("selective-sync", "clear")).out).toContain("nothing was done");
  });

  test("says in a dry run how the selection would change", async () => {
    const sites = await twoSites();
    await sites.geo("selective-sync", "set", "--organizations", "1,2", "--yes");
    const { out } = await sites.geo("selective-sync", "set", "--organizations", "2,3", "--dry-run");
    expect(out).toMatch(/That leaves out organizations 1; takes in organizations 3\.\n/);
    expect(
      JSON.parse((await sites.geo("selective-sync", "set", "--namespaces", "1", "--dry-run", "-o", "json")).out),
    ).toEqual({
      site: "frankfurt",
      before: { type: "organizations", ids: ["1", "2"] },
      after: { type: "namespaces", ids: ["1"] },
      leaves_out: null,
      takes_in: null,
      replicas_at_most: 0,
      changed: false,
    });
    expect(await selection(sites)).toMatchObject({ ids: ["1", "2"] });
  });

  test.each([
    [["set"], 2, /expected exactly one of --namespaces, --shards, --organizations; got 0/],
    [["set", "--shards", "a", "--namespaces", "1"], 2, /got 2/],
    [
      ["set", "--namespaces", " , "],
      2,
      /expected ids with commas between them; to want everything: geo selective-sync clear/,
    ],
    [["set", "--namespaces", "7"], 2, /Nobody is there to answer; say --yes/],
    [["set", "--namespaces", "a b", "--yes"], 2, /selective_sync_namespace_ids/],
    [["show", "--site", "virginia"], 2, /virginia is a primary and wants everything/],
  ])("%j is refused with exit code %i, with what was expected", async (args, expected, text) => {
    const { geo } = await twoSites();
    const { code, err } = await geo("selective-sync", ...args);
    expect(code).toBe(expected);
    expect(err).toMatch(text);
  });
});
