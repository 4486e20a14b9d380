import { describe, expect, test } from "vitest";
import { ID, registryRow, twoSites } from "./two-sites.ts";

const SITE = `/api/v4/geo_sites/${ID.secondary}`;

/** A site's settings, as its own API tells them. */
const settings = async ({ secondary, tokens }: Awaited<ReturnType<typeof twoSites>>) => {
  const answer = await secondary.call(SITE, { headers: { "PRIVATE-TOKEN": tokens.secondary } });
  return (await answer.json()) as Readonly<Record<string, unknown>>;
};

describe("geo site list", () => {
  test("has a row for each site, those that are only noted or do not answer among them (F94)", async () => {
    const { geo, primary, tokens, down } = await twoSites();
    await primary.call("/api/v4/geo_sites", {
      method: "POST",
      headers: { "PRIVATE-TOKEN": tokens.primary },
      body: JSON.stringify({ name: "tokyo", url: "https://geo.tokyo.example.com" }),
    });
    down.add("secondary");
    const { code, out, err } = await geo("site", "list");
    expect(code).toBe(0);
    expect(out).toMatch(/^virginia +primary /m);
    expect(out).toContain("not deployed");
    expect(err).toMatch(/^frankfurt: .*can not be reached/);
    const { out: json } = await geo("site", "list", "--output", "json");
    expect(JSON.parse(json)).toMatchObject([
      { name: "virginia", role: "primary", health: "healthy" },
      { name: "tokyo", health: "not deployed", url: "https://geo.tokyo.example.com" },
      { name: "frankfurt", health: "unreachable" },
    ]);
  });

  test("is a table where there is room for it, and elsewhere a line for each cell", async () => {
    const { geo } = await twoSites({ screen: { columns: () => 120 } });
    const narrow = await twoSites({ screen: { columns: () => 60 } });
    expect((await narrow.geo("site", "list")).out).toMatch(
      /^name {4}virginia\nrole {4}primary\nregion {2}eu-central-1\n/,
    );
    const { out } = await geo("site", "list");
    expect(out).toMatch(/^name +role +region +health +state +sync +url\nvirginia +primary +eu-central-1 +healthy/);
    expect(out.split("\n").filter((line) => /\s$/.test(line))).toEqual([]);
  });
});

describe("geo site show", () => {
  test("tells a site's settings, for people and for scripts", async () => {
    const { geo } = await twoSites();
    const { out } = await geo("site", "show", "frankfurt");
    expect(out).toMatch(/Name: frankfurt\n[\s\S]*State: enabled\n *Sync Settings: Full\n/);
    expect(JSON.parse((await geo("site", "show", "--output", "json")).out)).toMatchObject({
      name: "frankfurt",
      enabled: true,
      minimum_reverification_interval: 90,
    });
    expect(JSON.parse((await geo("site", "show", "virginia", "-o", "json")).out)).toMatchObject({ primary: true });
  });
});

describe("geo site pause and resume (F98)", () => {
  test("say what it means and ask, pause, show it in the status, and have the site go on", async () => {
    const questions: string[] = [];
    const sites = await twoSites({
      ask: (question) => {
        questions.push(question);
        return Promise.resolve(true);
      },
    });
    await sites.secondary.rows([registryRow("pending", "pending", 1)]);
    const paused = await sites.geo("site", "pause", "frankfurt");
    expect(paused).toMatchObject({
      code: 0,
      out: expect.stringContaining("geo site resume --site frankfurt") as string,
    });
    expect(paused.err).toMatch(/would copy, remove and verify nothing until/);
    expect(questions).toEqual(["Pause frankfurt?"]);
    expect(await settings(sites)).toMatchObject({ enabled: false });
    expect((await sites.geo("status")).out).toContain(
      "Replication: paused; to go on: geo site resume --site frankfurt",
    );
    expect(await sites.geo("status", "--check")).toMatchObject({
      code: 3,
      err: expect.stringMatching(/frankfurt: is paused/) as string,
    });
    expect((await sites.geo("site", "pause", "frankfurt")).out).toBe("frankfurt is paused. Nothing was done.\n");
    expect((await sites.geo("site", "resume", "frankfurt", "--dry-run")).out).toMatch(/1 object waits in its registry/);
    expect((await sites.geo("site", "resume", "frankfurt")).out).toMatch(/goes on, within ten seconds/);
    expect(await settings(sites)).toMatchObject({ enabled: true });
    expect(questions).toHaveLength(1);
  });

  test("do nothing in a dry run, and nothing when nobody agrees", async () => {
    const sites = await twoSites({ ask: () => Promise.resolve(false) });
    expect((await sites.geo("site", "pause", "--dry-run", "-o", "json")).out).toBe(
      '{"site":"frankfurt","enabled":true,"changed":false,"dry_run":true}\n',
    );
    expect(await sites.geo("site", "pause")).toMatchObject({
      code: 1,
      err: expect.stringContaining("nothing was done") as string,
    });
    expect(await settings(sites)).toMatchObject({ enabled: true });
    const alone = await twoSites();
    expect(await alone.geo("site", "pause")).toMatchObject({
      code: 2,
      err: expect.stringContaining("say --yes") as string,
    });
  });

  test("refuse a primary, which replicates nothing", async () => {
    const { geo } = await twoSites();
    expect(await geo("site", "pause", "virginia", "--yes")).toMatchObject({
      code: 2,
      err: "geo: virginia is a primary and can not be paused: ask a secondary (--site)\n",
    });
  });

  test("take an administrator's token", async () => {
    const { geo, sitesFile, secondary } = await twoSites();
    await sitesFile({ secondary: await secondary.token({ scope: "read_geo" }) });
    expect(await geo("site", "pause", "--yes")).toMatchObject({ code: 4 });
  });
});
