import { readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import * as z from "zod";
import { BIN, ROOT } from "../../infra/local/paths.ts";
import { endOnSignals, runCommand, stopEverything } from "../../infra/local/processes.ts";
import { GROUPS, type GroupName } from "./groups.ts";
import { installStryker, STRYKER } from "./tools.ts";

const HELP = `Changes the code that is held, one place at a time, and looks whether a test notices (Stryker). Prints what share of the
changes was noticed, file by file, and every change that was not. Takes some hours for everything; what was tried before and
has not changed since is not tried again. Ends with 1 below 90 %.

Usage: npm run mutation [-- --group G] [--mutate FILES] [--at-once N] [--json]

  --group G        rules (shared/geo) or steps (the protocol's steps and the writes they are made of); default both
  --mutate FILES   only these files of the group, as a pattern from the checkout's root
  --at-once N      so many changes are tried at the same time; default 2
  --json           one JSON document on the last line of stdout: per group killed, survived, no_coverage, timeouts, score
  --help           this text

Examples:
  npm run mutation -- --group rules
  npm run mutation -- --group steps --mutate "shared/services/blob-sync/observing.ts"
`;

const SCORE_MIN = 90;

/** The steps' group takes some hours on two cores; nobody waits longer than this for one that hangs. */
const RUN_TIMEOUT_MS = 24 * 60 * 60_000;

const Report = z.object({
  files: z.record(
    z.string(),
    z.object({
      source: z.string(),
      mutants: z.array(
        z.object({
          status: z.string(),
          mutatorName: z.string(),
          replacement: z.string().optional(),
          location: z.object({
            start: z.object({ line: z.number(), column: z.number() }),
            end: z.object({ line: z.number(), column: z.number() }),
          }),
        }),
      ),
    }),
  ),
});
type Mutant = z.infer<typeof Report>["files"][string]["mutants"][number];

const SHOWN_LENGTH_MAX = 100;
const shown = (text: string): string => text.replaceAll(/\s+/g, " ").trim().slice(0, SHOWN_LENGTH_MAX);

/** The text that a change replaces, as far as its first line goes. */
const replaced = (source: string, { location: { start, end } }: Mutant): string => {
  const line = source.split("\n")[start.line - 1] ?? "";
  return shown(line.slice(start.column - 1, start.line === end.line ? end.column - 1 : undefined));
};

const isNoticed = ({ status }: Mutant): boolean => status === "Killed" || status === "Timeout";
const isUnnoticed = ({ status }: Mutant): boolean => status === "Survived" || status === "NoCoverage";

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** Runs one group and says what came of it. */
const runGroup = async (group: GroupName, mutate: string | undefined, atOnce: string) => {
  const { code, stderr } = await runCommand(
    join(BIN, "node"),
    [STRYKER, "run", "test/mutation/stryker.config.mjs", ...(mutate === undefined ? [] : ["--mutate", mutate])],
    {
      cwd: ROOT,
      env: { S3_GEO_MUTATION_GROUP: group, S3_GEO_MUTATION_AT_ONCE: atOnce, NO_COLOR: "1" },
      timeoutMs: RUN_TIMEOUT_MS,
      onLine: (line) => process.stderr.write(`${line}\n`),
    },
  );
  // Below its own threshold Stryker ends with 1 as well, and has written its report by then.
  const text = await readFile(join(ROOT, `.local/mutation/${group}.json`), "utf8").catch(() => undefined);
  if (text === undefined) throw new Error(`Stryker ended with ${code} and wrote no report: ${stderr}`);
  const { files } = Report.parse(JSON.parse(text));
  const all: Mutant[] = [];
  for (const [file, { source, mutants }] of Object.entries(files)) {
    const unnoticed = mutants.filter(isUnnoticed);
    all.push(...mutants);
    say(`${file}: ${mutants.filter(isNoticed).length} noticed, ${unnoticed.length} not`);
    for (const mutant of unnoticed) {
      const { line, column } = mutant.location.start;
      say(
        `    ${line}:${column} ${mutant.mutatorName}: ${replaced(source, mutant)} -> ${shown(mutant.replacement ?? "")}`,
      );
    }
  }
  const count = (status: string): number => all.filter((mutant) => mutant.status === status).length;
  const noticed = all.filter(isNoticed).length;
  const score = (100 * noticed) / Math.max(1, noticed + all.filter(isUnnoticed).length);
  say(
    `${group}: ${noticed} of ${noticed + all.filter(isUnnoticed).length} changes were noticed, ${score.toFixed(1)} %`,
  );
  return {
    group,
    killed: count("Killed"),
    timeouts: count("Timeout"),
    survived: count("Survived"),
    no_coverage: count("NoCoverage"),
    not_tried: count("Ignored"),
    score: Number(score.toFixed(2)),
  };
};

const { values } = parseArgs({
  options: {
    group: { type: "string" },
    mutate: { type: "string" },
    "at-once": { type: "string", default: "2" },
    json: { type: "boolean" },
    help: { type: "boolean", short: "h" },
  },
});
const names = Object.keys(GROUPS) as readonly GroupName[];
const wanted = names.filter((name) => values.group === undefined || values.group === name);
if (values.help === true) {
  process.stdout.write(HELP);
} else if (wanted.length === 0) {
  process.stderr.write(`--group: expected ${names.join(" or ")}, got "${values.group}"\n${HELP}`);
  process.exitCode = 2;
} else if (!/^[1-9]\d?$/.test(values["at-once"])) {
  process.stderr.write(`--at-once: expected a whole number from 1 to 99, got "${values["at-once"]}"\n${HELP}`);
  process.exitCode = 2;
} else {
  endOnSignals();
  await installStryker((line) => process.stderr.write(`${line}\n`));
  const results = [];
  for (const group of wanted) results.push(await runGroup(group, values.mutate, values["at-once"]));
  await stopEverything();
  if (values.json === true) say(JSON.stringify(results));
  process.exitCode = results.every(({ score }) => score >= SCORE_MIN) ? 0 : 1;
}
