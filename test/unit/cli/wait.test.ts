import { Writable } from "node:stream";
import { describe, expect, test } from "vitest";
import { OBJECT_STORAGE_VERIFICATION } from "../../../shared/geo/feature-flags.ts";
import { TableUnavailableError } from "../../../shared/geo/errors.ts";
import { setFlag } from "../../../shared/tables/site/flags-item.ts";
import { finishWalks, primaryRow, registryRow, reportToPrimary, twoSites, uncountedRow } from "./two-sites.ts";

type Sites = Awaited<ReturnType<typeof twoSites>>;

/** Two sites where something happens while the command waits: what stands there for the nth pause. */
const happening = async (
  steps: Readonly<Record<number, (sites: Sites) => unknown>>,
  around: Parameters<typeof twoSites>[0] = {},
): Promise<Sites> => {
  let pauses = 0;
  const sites: Sites = await twoSites({
    sleep: async (milliseconds) => {
      pauses += 1;
      sites.clock.advance(milliseconds);
      await steps[pauses]?.(sites);
    },
    ...around,
  });
  await finishWalks(sites);
  return sites;
};

/** Two sites of which the secondary has compared everything with the primary. */
const compared = (around: Parameters<typeof twoSites>[0] = {}): Promise<Sites> => happening({}, around);

describe("geo wait", () => {
  test("ends with 0 when everything is there, after looking twice", async () => {
    const { geo, secondary, clock } = await compared();
    await secondary.rows([registryRow("synced", "succeeded", 1)]);
    const begun = clock.now();
    expect(await geo("wait", "verified")).toEqual({
      code: 0,
      out: "The only object is verified, after 2 seconds.\n",
      err: "Verified: 1/1 (100%)\n",
    });
    expect(clock.now() - begun).toBe(2_000);
  });

  test("waits for what queues hold, and does not wait for checks of drift", async () => {
    const sites = await happening({
      2: async ({ secondary }) => {
        const ingest = secondary.queues.find(({ name }) => name === "ingest");
        const messages = (await ingest?.live.receive(10)) ?? [];
        await ingest?.live.acknowledge(messages.map(({ id }) => id));
      },
    });
    for (const { name, live } of sites.secondary.queues) {
      if (name === "ingest" || name === "replica-drift") await live.send([{ body: "a" }]);
    }
    const { code, err } = await sites.geo("wait", "synced", "--interval", "2s");
    expect(code).toBe(0);
    expect(err).toMatch(/^Synced: 0\/0 \(100%\), about 1 message\n/);
  });

  test("says a line now and then where there is no terminal, and one document for scripts", async () => {
    const sites = await twoSites();
    await sites.secondary.rows([registryRow("pending", "pending", 2)]);
    const { code, err, out } = await sites.geo("wait", "synced", "--timeout", "30s", "--output", "json");
    expect(code).toBe(1);
    expect(err.match(/^Synced: 0\/1 \(0\.00%\), 1 queued$/gm)?.length).toBe(4);
    expect(JSON.parse(out)).toMatchObject({
      goal: "synced",
      state: "timed_out",
      done: 0,
      total: 1,
      queued: 1,
      seconds: 30,
    });
    expect(err).toContain("geo: not synced within 30 seconds: 0/1 (0.00%) synced, 1 queued.");
    expect(err).toContain("Go on waiting: geo wait synced --timeout 30s\n");
  });

  test("ends with 3 when nothing but failures was left for a minute, and says what they are", async () => {
    const { geo, secondary, clock } = await twoSites();
    await secondary.rows([registryRow("failed", "pending", 1)]);
    const begun = clock.now();
    const { code, err } = await geo("wait", "verified", "--type", "lfs_object", "--site", "frankfurt");
    expect(code).toBe(3);
    expect(clock.now() - begun).toBe(60_000);
    expect(err).toMatch(/frankfurt: 1 object of LFS Objects failed to be copied \(geo registry list --site frankfurt/);
    expect(err).toContain("Go on waiting: geo wait verified --site frankfurt --type lfs_object --timeout 10m");
  });

  test("ends with 3 at once at a site that is paused", async () => {
    const { geo } = await twoSites();
    await geo("site", "pause", "--yes");
    expect(await geo("wait", "synced")).toMatchObject({
      code: 3,
      err: expect.stringContaining("geo site resume --site frankfurt") as string,
    });
  });

  test("looks at one type only when it is asked to", async () => {
    const { geo, secondary } = await compared();
    await secondary.rows([registryRow("synced", "succeeded", 1), registryRow("pending", "pending", 1, "upload")]);
    expect(await geo("wait", "verified", "--type", "lfs_object")).toMatchObject({ code: 0 });
  });

  test("bears with a site that is away for a moment", async () => {
    const sites = await happening({
      1: ({ down }) => down.add("primary").add("secondary"),
      3: ({ down }) => down.clear(),
    });
    expect(await sites.geo("wait", "synced")).toMatchObject({ code: 0 });
  });

  test("says how to go on when somebody presses Ctrl-C", async () => {
    const listeners: (() => void)[] = [];
    const { geo, secondary } = await twoSites({
      onInterrupt: (interrupted) => {
        listeners.push(interrupted);
        return () => void listeners.splice(0);
      },
      sleep: () => {
        for (const interrupt of listeners) interrupt();
        return new Promise(() => {});
      },
    });
    await secondary.rows([registryRow("pending", "pending", 1)]);
    const { code, err } = await geo("wait", "verified", "--timeout", "2h");
    expect(code).toBe(1);
    expect(err).toContain(
      "interrupted; nothing was changed by waiting.\nGo on waiting: geo wait verified --timeout 2h\n",
    );
    expect(listeners).toEqual([]);
  });

  test("draws a bar on a terminal, and shows the cursor again", async () => {
    let drawn = "";
    const bars = Object.assign(
      new Writable({
        write: (chunk: Buffer, _encoding, done) => {
          drawn += chunk.toString();
          done();
        },
      }),
      { isTTY: true, columns: 60 },
    );
    const sites = await happening({}, { bars, screen: { columns: () => 60 } });
    await sites.secondary.rows([registryRow("synced", "succeeded", 1)]);
    expect(await sites.geo("wait", "verified")).toMatchObject({ code: 0, err: "" });
    expect(drawn).toContain("Verified [################] 1/1 (100%)");
    expect(drawn).toContain("\u001b[?25l");
    expect(drawn.lastIndexOf("\u001b[?25h")).toBeGreaterThan(drawn.lastIndexOf("\u001b[?25l"));
  });

  test.each([
    [["synced", "--type", "lfs"], 2, /--type is "lfs", expected one of .*lfs_object/],
    [["synced", "--timeout", "never"], 2, /--timeout is "never", expected a time such as 90s, 10m or 2h/],
    [["synced", "--timeout", "0"], 2, /--timeout is "0"/],
    [["verified", "--site", "oslo"], 2, /--site is "oslo", expected one of frankfurt/],
    [["replicated"], 2, /unknown command 'replicated'/],
  ])("%j is refused with exit code %i, with what was expected", async (args, expected, text) => {
    const { geo } = await twoSites();
    const { code, err } = await geo("wait", ...args);
    expect(code).toBe(expected);
    expect(err).toMatch(text);
  });

  const DOUBTS: readonly (readonly [string, string, (sites: Sites) => Promise<unknown>])[] = [
    [
      "the primary knows of an object that the secondary has not heard of",
      "not_known",
      (sites) => sites.primary.rows([primaryRow("succeeded", 1)]),
    ],
    [
      "its counters can not be read",
      "not_counted",
      async ({ secondary: { siteTable } }) => {
        const query = siteTable.query.bind(siteTable);
        siteTable.query = (request) =>
          JSON.stringify(request).includes("counter")
            ? Promise.reject(new TableUnavailableError("not now"))
            : query(request);
      },
    ],
    [
      "nobody but the primary tells of it, and has not for hours",
      "not_asked",
      async (sites) => {
        await reportToPrimary(sites);
        sites.clock.advance(3 * 3_600_000);
        await sites.sitesFile({ primary: await sites.primary.token({ scope: "admin_geo" }) }, ["primary"]);
      },
    ],
    ["the primary is not asked", "no_primary", ({ sitesFile, tokens }) => sitesFile(tokens, ["secondary"])],
    [
      "its registry lists an object that its counters do not tell of",
      "unsettled_row",
      async ({ secondary }) => {
        await secondary.rows([registryRow("synced", "succeeded", 1)]);
        await secondary.rowTable.put(uncountedRow("pending", "pending", 2));
      },
    ],
    [
      "its registry lists an object and nothing was ever counted",
      "unsettled_row",
      ({ secondary }) => secondary.rowTable.put(uncountedRow("pending", "pending", 1)),
    ],
  ];

  test.each(DOUBTS)("goes on waiting at a secondary when %s, whatever it counts (F99)", async (_, kind, arrange) => {
    const sites = await compared();
    await arrange(sites);
    const { code, out, err } = await sites.geo("wait", "synced", "--timeout", "4s", "--output", "json");
    expect(code).toBe(1);
    expect(err).toMatch(/^Synced: \d+\/\d+ \(100%\), .*but /m);
    const { state, obstacles } = JSON.parse(out);
    expect(state).toBe("timed_out");
    expect(obstacles.map((one: { readonly kind: string }) => one.kind)).toContain(kind);
  });

  test("goes on waiting before both sides were ever compared, and ends once they are (F99)", async () => {
    let pauses = 0;
    const sites: Sites = await twoSites({
      sleep: async (milliseconds) => {
        pauses += 1;
        sites.clock.advance(milliseconds);
        if (pauses === 3) await finishWalks(sites);
      },
    });
    const { code, out, err } = await sites.geo("wait", "synced");
    expect({ code, out }).toEqual({ code: 0, out: "There is no object that is not synced, after 8 seconds.\n" });
    expect(err).toMatch(/^Synced: 0\/0 \(100%\), but not all is compared\n/);
  });

  test("takes no copy for verified that still waits for the primary's checksum (F16, F99)", async () => {
    const { geo, primary, secondary } = await compared();
    await primary.rows([primaryRow("succeeded", 1), primaryRow("pending", 2)]);
    await secondary.rows([registryRow("synced", "succeeded", 1), registryRow("synced", "disabled", 2)]);
    expect(await geo("wait", "synced")).toMatchObject({ code: 0 });
    expect(await geo("wait", "verified", "--timeout", "4s")).toMatchObject({
      code: 1,
      err: expect.stringContaining("Verified: 1/2 (50.00%)") as string,
    });
  });

  test("ends with 3 at once when what is to be verified is not verified at all (F87)", async () => {
    const sites = await compared();
    await sites.secondary.rows([registryRow("synced", "succeeded", 1)]);
    await sites.primary.siteTable.update(setFlag(OBJECT_STORAGE_VERIFICATION, false, sites.clock.now()));
    await reportToPrimary(sites);
    expect(await sites.geo("wait", "verified")).toMatchObject({
      code: 3,
      err: expect.stringContaining("geo flag set geo_object_storage_verification on") as string,
    });
  });

  test("ends with 3 at once for a type that is switched off (F84)", async () => {
    const { geo } = await compared();
    expect(await geo("wait", "synced", "--type", "cool_widget")).toMatchObject({
      code: 3,
      err: expect.stringContaining("geo flag set geo_cool_widget_replication on") as string,
    });
  });

  test("ends with 1 when no site can be reached", async () => {
    const { geo, down } = await twoSites();
    down.add("primary").add("secondary");
    expect(await geo("wait", "synced")).toMatchObject({
      code: 1,
      err: expect.stringContaining("ECONNREFUSED") as string,
    });
  });
});
