import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { allCommands, commandTree } from "../../../cli/command-tree.ts";
import type { AwsLook } from "../../../cli/doctor/aws-look.ts";
import { EXIT } from "../../../cli/exit-codes.ts";
import { makeProgram } from "../../../cli/program.ts";
import { runCli } from "../../../cli/run-cli.ts";
import { REPLICATION_STATE } from "../../../shared/geo/replication-state.ts";
import { rowKey } from "../../../shared/geo/registry-row.ts";
import { VERIFICATION_STATE } from "../../../shared/geo/verification-state.ts";
import { replicables } from "../../../shared/replicables/index.ts";
import { advanceBulkUpdate, bulkUpdateKey, parseBulkUpdate } from "../../../shared/tables/site/bulk-updates.ts";
import { destroyingWorld } from "../../support/destroying.ts";
import { askToRemove } from "../../../shared/services/removal-guard.ts";
import { apiSite } from "../../api/support/site.ts";
import { ROOT } from "../../docs/support/repository.ts";
import { geoAt } from "./at-site.ts";
import { finishWalks, SECONDARY_NAME, twoSites } from "./two-sites.ts";

const tree = commandTree(makeProgram({ root: "/nowhere", replicables, out: () => {}, err: () => {} }));
/** Commands that do something, and not only hold others. */
const leaves = allCommands(tree).filter(({ commands }) => commands.length === 0);

const helpOf = async (path: string): Promise<string> => {
  let text = "";
  const code = await runCli([...path.split(" ").slice(1), "--help"], {
    root: "/nowhere",
    replicables,
    out: (part) => void (text += part),
    err: () => {},
  });
  expect(code).toBe(EXIT.ok);
  return text;
};

/** The command lines that a help shows. */
const examplesIn = (help: string): readonly string[] =>
  [...help.matchAll(/^ {2}\$ (geo .*)$/gm)].map(([, line = ""]) => line);

/** As a shell takes a line apart: words, and what stands between single quotes as one. */
const wordsOf = (line: string): readonly string[] =>
  [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? "");

/** How often a command may wait for what has no end. */
const ENDLESS = 3;

/** Whatever a terminal would obey, but a new line. */
const CONTROLS = /[^\P{Cc}\n]/u;

const OBJECT = "lfs_objects/42/4c/8e31f2";

/** What a JSON answer has as its id. */
const idIn = ({ out }: { readonly out: string }): string => (JSON.parse(out) as { readonly id: string }).id;

/** Runs words that stand for others in examples. */
type Example = (
  words: readonly string[],
) => Promise<{ readonly code: number; readonly out: string; readonly err: string }>;

/** Puts what there is in the place of what examples name. */
const withStandIns = (standIns: Readonly<Record<string, string>>, geo: Example): Example => {
  const standFor = (word: string): string => standIns[word] ?? word;
  return (words) => geo(words.map(standFor));
};

const absent = () => Promise.resolve({ outcome: "absent" } as const);
const NOTHING_DEPLOYED: AwsLook = {
  bucket: absent,
  uploads: absent,
  table: absent,
  queue: absent,
  messages: absent,
  topic: absent,
  stateMachine: absent,
};

/** Two sites on which every example has something to work on. What is begun is done while the command waits for it. */
const onTwoSites = async (): Promise<Example> => {
  const listeners = new Set<() => void>();
  let pauses = 0;
  const sites = await twoSites({
    siteTable: () => sites.secondary.siteTable,
    awsLook: () => NOTHING_DEPLOYED,
    ask: () => Promise.resolve(true),
    onInterrupt: (interrupted) => {
      listeners.add(interrupted);
      return () => void listeners.delete(interrupted);
    },
    sleep: async (milliseconds) => {
      sites.clock.advance(milliseconds);
      for (const { bulkWorkflow, siteTable, clock } of [sites.primary, sites.secondary]) {
        for (const { name } of bulkWorkflow.executions) {
          const update = parseBulkUpdate((await siteTable.get(bulkUpdateKey(name.replace(/-\d+$/, "")))) ?? {});
          const page = { lookedAt: 0, changed: 0, skipped: 0 };
          await siteTable.update(advanceBulkUpdate(update, undefined, page, clock.now()));
        }
      }
      // Somebody presses Ctrl-C where there is no end.
      pauses += 1;
      if (pauses > ENDLESS) for (const interrupt of listeners) interrupt();
    },
  });
  await finishWalks(sites);
  const guarded = { ...sites.secondary, removalGuard: { floor: 1, percent: 0, most: 1 } };
  for (let removals = 0; removals < 2; removals += 1) await askToRemove(guarded, "lfs_object");
  const recorded = {
    ...rowKey({ replicableName: "lfs_object", key: OBJECT }),
    src_version_id: "v1",
    src_etag: '"e"',
    verification_state: VERIFICATION_STATE.succeeded,
  };
  await sites.primary.rowTable.put(recorded);
  await sites.secondary.rowTable.put({
    ...recorded,
    state: REPLICATION_STATE.synced,
    gen: 1,
    claimed_gen: 1,
    done_gen: 1,
    created_at: sites.clock.now(),
  });
  return withStandIns(
    {
      ireland: SECONDARY_NAME,
      "0123456789abcdef": idIn(await sites.geo("reverify", "--yes", "--no-wait", "-o", "json")),
      "0123456789ab": idIn(await sites.geo("token", "create", "--name", "x", "-o", "json")),
      "infra/geo.config.ts": join(ROOT, "infra/geo.config.ts"),
    },
    (words) => sites.geo(...words),
  );
};

/** A primary with a destroy: planned, or done where one is to be undone. */
const onDestroyingPrimary = async (words: readonly string[]): Promise<Example> => {
  const world = destroyingWorld();
  await world.putAll(["namespace_uploads/42/1/avatar.png", "p_ci_job_artifacts/7/42/artifacts.zip"]);
  const { primarySiteTable: siteTable, workflow: destroys, clock } = world;
  const work = async (): Promise<void> => {
    const [id = "", kind] = destroys.executions.at(-1)?.name.split("-") ?? [];
    if (kind === "plan") await world.step({ step: "build_manifest", destroy_id: id });
    if (kind === "destroy") await world.destroy(id);
    if (kind === "undo") await world.bringBack(id);
  };
  const geo = geoAt(apiSite("primary", { siteTable, destroys, clock }), { sleep: work });
  const { out } = await geo("destroy", "plan", "--namespace", "42", "-o", "json");
  const { id, object_count: count } = JSON.parse(out) as { readonly id: string; readonly object_count: number };
  if (words.includes("undo")) await geo("destroy", "confirm", id, "--yes");
  return withStandIns({ "0a1b2c3d4e5f": id, "1234": String(count) }, (typed) => geo(...typed));
};

describe("every command", () => {
  test.each(leaves)("$path says what it does, and shows examples of itself", async ({ path, description }) => {
    expect(description).toMatch(/^[A-Z].*\.$/);
    const examples = examplesIn(await helpOf(path));
    expect(examples.length).toBeGreaterThan(0);
    expect(examples.filter((line) => line !== path && !line.startsWith(`${path} `))).toEqual([]);
  });

  test.each(leaves)("$path has a description for each option, and takes no two by one letter", ({ options }) => {
    expect(options.filter(({ description }) => description === "")).toEqual([]);
    const letters = options.flatMap(({ short }) => short ?? []);
    expect(new Set(letters).size).toBe(letters.length);
  });
});

const lines = await Promise.all(leaves.map(async ({ path }) => examplesIn(await helpOf(path))));

/** Examples that find something amiss: nothing is deployed here, removals are held back, and the object is at one site alone. */
const FINDS_FAULTS = /^geo (doctor|preflight|explain .* --)/;

test.each(lines.flat())("the example works, and prints nothing that a terminal would obey: %s", async (line) => {
  const words = wordsOf(line).slice(1);
  const run = await (words[0] === "destroy" ? onDestroyingPrimary(words) : onTwoSites());
  const { code, out, err } = await run(words);
  expect({ code, err }).toEqual({
    code: FINDS_FAULTS.test(line) ? EXIT.unhealthy : EXIT.ok,
    err: expect.anything() as string,
  });
  expect(out).not.toBe("");
  expect(out + err).not.toMatch(CONTROLS);
});
