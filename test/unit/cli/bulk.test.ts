import { describe, expect, test } from "vitest";
import { runCli } from "../../../cli/run-cli.ts";
import type { Surroundings } from "../../../cli/surroundings.ts";
import { REPLICATION_STATE } from "../../../shared/geo/replication-state.ts";
import { VERIFICATION_STATE } from "../../../shared/geo/verification-state.ts";
import { replicables } from "../../../shared/replicables/index.ts";
import {
  advanceBulkUpdate,
  bulkUpdateKey,
  endBulkUpdate,
  parseBulkUpdate,
} from "../../../shared/tables/site/bulk-updates.ts";
import { apiSite } from "../../api/support/site.ts";

const KEY = "lfs_objects/42/4c/8e/31f2";

/** The command on a site's own API, in this process; nothing passes while it waits but what a test does then. */
const commandLine = (role: "primary" | "secondary" = "secondary", around: Partial<Surroundings> = {}) => {
  const api = apiSite(role);
  let waits = 0;
  const geo = async (...args: readonly string[]) => {
    const said = { out: "", err: "" };
    const code = await runCli(args, {
      root: "/nowhere",
      replicables,
      out: (text) => void (said.out += text),
      err: (text) => void (said.err += text),
      env: { GEO_TOKEN: "a-token", GEO_ENDPOINT_URL: "https://abc.example.com/geo" },
      fetch: async (url, init) => api.app.request(new URL(url).pathname.replace(/^\/geo/, ""), init),
      sleep: async () => {
        waits += 1;
        // The workflow ends while the command waits for the second time.
        const [execution] = api.bulkWorkflow.executions.slice(-1);
        if (waits === 2 && execution !== undefined) {
          const id = execution.name.replace(/-\d+$/, "");
          await api.siteTable.update(endBulkUpdate(id, { state: "failed", failure: "no table" }, api.clock.now()));
        }
      },
      ...around,
    });
    return { code, ...said };
  };
  return { api, geo, started: () => api.bulkWorkflow.executions.map(({ input }) => input) };
};

const row = (state: keyof typeof REPLICATION_STATE, verification: keyof typeof VERIFICATION_STATE, id = 1) => ({
  pk: "lfs_object#000",
  sk: `lfs_objects/${id}`,
  state: REPLICATION_STATE[state],
  verification_state: VERIFICATION_STATE[verification],
});

describe("geo resync, reverify and redrive", () => {
  test("do not wait for a workflow that took too long, and say how to go on", async () => {
    const { api, geo } = commandLine("secondary", {
      sleep: async () => {
        const [execution] = api.bulkWorkflow.executions.slice(-1);
        api.bulkWorkflow.end(execution?.name ?? "", { status: "timed_out", failure: "States.Timeout" });
      },
    });
    await api.rows([row("synced", "succeeded")]);
    const { code, err } = await geo("resync", "--type", "lfs_object", "--yes");
    expect([code, err]).toEqual([
      1,
      expect.stringMatching(
        /it does not go on: its execution \S+ took longer than it may .*Make the same request again/,
      ),
    ]);
    expect((await geo("bulk", "list")).code).toBe(0);
  });

  test.each([
    [["resync", "--type", "lfs_object", "--yes"], { action: "resync", replicable_name: "lfs_object" }],
    [["resync", "--type", "lfs_object", "--key", KEY], { action: "resync", keys_count: 1 }],
    [["resync", "--state", "failed", "--yes"], { action: "resync", replication_state: "failed" }],
    [["reverify", "--verification-state", "failed", "--yes"], { action: "reverify", verification_state: "failed" }],
    [["redrive", "--state", "failed", "--yes"], { action: "retry_now", replication_state: "failed" }],
    [["redrive", "--reason", "forbidden", "--yes", "--force"], { action: "retry_now", failure: "forbidden" }],
  ])("%j asks the site for it (F77)", async (args, asked) => {
    const { geo, started } = commandLine();
    const { code, out } = await geo(...args, "--no-wait", "--output", "json");
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ ...asked, state: "running" });
    expect(started()).toHaveLength(1);
  });

  test("of a primary read its own objects again, and copy none", async () => {
    const { geo } = commandLine("primary");
    expect(JSON.parse((await geo("reverify", "--yes", "--no-wait", "--output", "json")).out)).toMatchObject({
      action: "checksum",
    });
    expect(await geo("resync", "--yes")).toMatchObject({
      code: 2,
      err: "geo: frankfurt is a primary and copies nothing: ask a secondary (--site)\n",
    });
  });

  test("with --dry-run say how many rows there are by the counters, and do nothing", async () => {
    const { geo, api, started } = commandLine();
    await api.rows([row("synced", "succeeded", 1), row("synced", "failed", 2), row("failed", "pending", 3)]);
    const dry = async (...args: readonly string[]) =>
      JSON.parse((await geo(...args, "--dry-run", "--output", "json")).out) as { readonly rows_at_most: number };
    expect(await dry("resync")).toMatchObject({ rows_at_most: 3, types: { lfs_object: 3 }, dry_run: true });
    expect(await dry("resync", "--state", "synced")).toMatchObject({ rows_at_most: 2 });
    expect(await dry("resync", "--state", "failed")).toMatchObject({ rows_at_most: 1 });
    expect(await dry("resync", "--state", "pending")).toMatchObject({ rows_at_most: 0 });
    expect(await dry("reverify")).toMatchObject({ rows_at_most: 2 });
    expect(await dry("reverify", "--verification-state", "succeeded")).toMatchObject({ rows_at_most: 1 });
    expect(await dry("reverify", "--verification-state", "failed")).toMatchObject({ rows_at_most: 1 });
    expect(await dry("reverify", "--verification-state", "started")).toMatchObject({ rows_at_most: 0 });
    expect(await dry("redrive")).toMatchObject({ rows_at_most: 2 });
    expect(await dry("redrive", "--reason", "kms", "--type", "lfs_object")).toMatchObject({ rows_at_most: 1 });
    expect(await dry("resync", "--type", "lfs_object", "--key", KEY)).toMatchObject({ rows_at_most: 1 });
    expect((await geo("resync", "--dry-run")).out).toBe(
      "At most 3 rows of frankfurt would be copied again, by its counters:\n  lfs_object: 3\nNothing was done.\n",
    );
    expect(started()).toEqual([]);
  });

  test("with --dry-run say that there is none, where the counters know of none (F77)", async () => {
    const { geo, api } = commandLine();
    await api.rows([row("synced", "succeeded", 1)]);
    expect(await geo("redrive", "--dry-run")).toEqual({
      code: 0,
      out: "By its counters frankfurt has no row that would be tried again. Nothing was done.\n",
      err: "",
    });
    expect(JSON.parse((await geo("redrive", "--dry-run", "--output", "json")).out)).toMatchObject({
      rows_at_most: 0,
      types: {},
    });
  });

  test("with --dry-run count a primary's checksums", async () => {
    const { geo, api } = commandLine("primary");
    await api.rows([
      { pk: "lfs_object#000", sk: "a", verification_state: VERIFICATION_STATE.succeeded },
      { pk: "lfs_object#000", sk: "b", verification_state: VERIFICATION_STATE.failed },
    ]);
    const dry = async (...args: readonly string[]) =>
      JSON.parse((await geo(...args, "--dry-run", "--output", "json")).out) as { readonly rows_at_most: number };
    expect(await dry("reverify")).toMatchObject({ rows_at_most: 2 });
    expect(await dry("redrive")).toMatchObject({ rows_at_most: 1 });
    expect(await dry("reverify", "--verification-state", "succeeded")).toMatchObject({ rows_at_most: 1 });
  });

  test("ask before they do anything to more than named keys, and take no answer for no", async () => {
    const questions: string[] = [];
    const refusing = commandLine("secondary", {
      ask: (question) => {
        questions.push(question);
        return Promise.resolve(false);
      },
    });
    expect(await refusing.geo("resync", "--type", "lfs_object")).toMatchObject({
      code: 1,
      err: "geo: nothing was done\n",
    });
    expect(questions).toEqual(["At most 0 rows of frankfurt would be copied again. Go on?"]);
    expect(refusing.started()).toEqual([]);
    const alone = commandLine();
    expect(await alone.geo("redrive")).toMatchObject({ code: 2, err: expect.stringContaining("say --yes") as string });
    expect(alone.started()).toEqual([]);
  });

  test("show how far they come, and say why they ended otherwise than well", async () => {
    const { geo } = commandLine();
    const { code, out, err } = await geo("resync", "--type", "lfs_object", "--key", KEY);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toMatch(/^[0-9a-f]{16} {2}resync {2}running {2}0\.0 %: 0 rows looked at, 0 asked, 0 skipped\n/);
    expect(err).toContain("geo: it was failed: no table. Make the same request again to go on\n");
  });

  test("say what was done once every row was asked", async () => {
    const { geo, api } = commandLine("secondary", {
      sleep: async () => {
        const [execution] = api.bulkWorkflow.executions;
        const id = execution?.name.replace(/-\d+$/, "") ?? "";
        const update = parseBulkUpdate((await api.siteTable.get(bulkUpdateKey(id))) ?? {});
        const page = { lookedAt: 5, changed: 3, skipped: 2 };
        await api.siteTable.update(advanceBulkUpdate(update, undefined, page, api.clock.now()));
      },
    });
    const { code, out, err } = await geo("reverify", "--yes");
    expect({ code, out }).toEqual({
      code: 0,
      out: "3 rows of frankfurt are being read again; 2 needed nothing. The site's status says what becomes of them.\n",
    });
    expect(err).toMatch(/reverify {2}succeeded {2}100\.0 %: 5 rows looked at, 3 asked, 2 skipped\n$/);
  });

  test("say that nothing was begun when the same was done within the hour, and begin it with --force", async () => {
    const { geo, api, started } = commandLine();
    const again = ["redrive", "--yes", "--no-wait"] as const;
    await geo(...again);
    const id = api.bulkWorkflow.executions[0]?.name.replace(/-\d+$/, "") ?? "";
    const update = parseBulkUpdate((await api.siteTable.get(bulkUpdateKey(id))) ?? {});
    const nothing = { lookedAt: 0, changed: 0, skipped: 0 };
    await api.siteTable.update(advanceBulkUpdate(update, undefined, nothing, api.clock.now(), "lfs_object"));
    const { code, out } = await geo(...again);
    expect(code).toBe(0);
    expect(out).toMatch(/^The same was done at frankfurt within the last hour, and was not begun again: /);
    expect(out).toContain("--force");
    expect(JSON.parse((await geo(...again, "--output", "json")).out)).toMatchObject({
      asked: "same",
      switched_off: ["lfs_object"],
    });
    expect(started()).toHaveLength(1);
    expect(await geo(...again, "--force")).toMatchObject({ code: 0, out: expect.stringContaining("Begun") as string });
    expect(started()).toHaveLength(2);
  });

  test("say how to look again, and how to cancel, when somebody presses Ctrl-C", async () => {
    const listeners: (() => void)[] = [];
    const { geo, started } = commandLine("secondary", {
      onInterrupt: (interrupted) => {
        listeners.push(interrupted);
        return () => void listeners.splice(0);
      },
      sleep: () => {
        for (const interrupt of listeners) interrupt();
        return new Promise(() => {});
      },
    });
    const { code, err } = await geo("redrive", "--yes");
    expect(code).toBe(1);
    expect(err).toMatch(
      /geo: interrupted\. It goes on at frankfurt without this command \(https:\/\/abc\.example\.com\/geo\)\./,
    );
    expect(err).toMatch(/Look again: geo bulk show [0-9a-f]{16}\nEnd it: {5}geo bulk cancel [0-9a-f]{16}\n/);
    expect(started()).toHaveLength(1);
    expect(listeners).toEqual([]);
  });

  test.each([
    [["resync", "--type", "lfs"], 2, /--type is "lfs", expected one of .*lfs_object/],
    [["resync", "--key", "a"], 2, /--key needs --type/],
    [
      ["resync", "--state", "broken", "--yes"],
      2,
      /replication_state: expected one of pending, started, synced, failed, got/,
    ],
    [["reverify", "--state", "failed", "--yes"], 2, /only synced rows are verified/],
    [["redrive", "--reason", "bad luck", "--yes"], 2, /failure: expected one of archived/],
    [["redrive", "--state", "synced", "--yes"], 2, /only failed rows wait for another try, got/],
    [["resync", "--reason", "kms"], 2, /unknown option '--reason'/],
    [["resync", "--output", "xml"], 2, /--output: /],
    [["resync", "--type", "lfs_object", "--key", "uploads/1"], 2, /expected keys of lfs_object, got/],
  ])("%j is refused with exit code %i, with what was expected", async (args, expected, problem) => {
    const { geo, started } = commandLine();
    const { code, err } = await geo(...args);
    expect(code).toBe(expected);
    expect(err).toMatch(problem);
    expect(started()).toEqual([]);
  });
});

describe("geo bulk", () => {
  test("lists what was asked for, shows one of it, and cancels it", async () => {
    const { geo } = commandLine();
    expect((await geo("bulk", "list")).out).toBe("Nothing was asked for at frankfurt.\n");
    const begun = await geo("resync", "--yes", "--no-wait", "--output", "json");
    const { id } = JSON.parse(begun.out) as { readonly id: string };
    expect((await geo("bulk", "list")).out).toContain(`${id}  resync  running  0.0 %`);
    expect(JSON.parse((await geo("bulk", "list", "--output", "json")).out)).toMatchObject([{ id }]);
    expect((await geo("bulk", "show", id)).out).toMatch(new RegExp(`^${id} {2}resync {2}running`));
    expect((await geo("bulk", "cancel", id)).out).toMatch(new RegExp(`^${id} {2}resync {2}cancelled`));
    expect(JSON.parse((await geo("bulk", "show", id, "--output", "json")).out)).toMatchObject({ state: "cancelled" });
    expect(await geo("bulk", "show", id, "--watch")).toMatchObject({
      code: 1,
      err: expect.stringContaining("it was cancelled. Make the same request again") as string,
    });
  });

  test("says what there is when it is asked for something else", async () => {
    const { geo } = commandLine();
    expect(await geo("bulk", "show", "0123456789abcdef")).toMatchObject({
      code: 1,
      err: expect.stringContaining("404 Bulk Update Not Found") as string,
    });
    expect(await geo("bulk", "list", "--output", "xml")).toMatchObject({ code: 2 });
  });

  test("says what became of what it began without waiting", async () => {
    const { geo } = commandLine();
    expect((await geo("redrive", "--yes", "--no-wait")).out).toMatch(
      /^Begun at frankfurt\. Look at it: geo bulk show [0-9a-f]{16}\n$/,
    );
  });
});
