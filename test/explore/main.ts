import { Worker } from "node:worker_threads";
import { parseArgs } from "node:util";
import { NEGATIVES } from "./negatives.ts";
import { SCENARIOS } from "./scenarios.ts";
import type { Exploration } from "./search.ts";

const HELP = `Visits every state that the protocol can reach for one key, over the production's own steps, and shows that each
defence is needed: with it taken away, a loss is found.

Usage: npm run explore -- [--json] [--traces] [--only TEXT]

  --json        one JSON document on the last line of stdout: states, violations, seconds, negatives
  --traces      print the shortest trace to the loss that each missing defence lets happen
  --only TEXT   only scenarios and defences whose name contains TEXT
  --help        this text

Examples:
  npm run explore
  npm run explore -- --only "lease" --traces
`;

interface Job {
  readonly kind: "scenario" | "negative";
  readonly index: number;
  readonly name: string;
}

interface Done {
  readonly job: Job;
  readonly exploration: Exploration;
  readonly seconds: number;
}

const say = (line: string): void => void process.stderr.write(`${line}\n`);

/** Runs the jobs on two threads, the longest first: this is all that two cores can do. */
const runAll = async (jobs: readonly Job[]): Promise<readonly Done[]> => {
  const waiting = [...jobs];
  const done: Done[] = [];
  const runOne = (job: Job): Promise<void> =>
    new Promise((resolve, reject) => {
      const startedAt = performance.now();
      const worker = new Worker(new URL("./thread.ts", import.meta.url), {
        workerData: { kind: job.kind, index: job.index },
      });
      worker.once("message", (exploration: Exploration) => {
        const seconds = (performance.now() - startedAt) / 1_000;
        done.push({ job, exploration, seconds });
        say(
          `${verdictOf({ job, exploration, seconds })}  ${job.name}: ${exploration.states} states, ${seconds.toFixed(1)} s`,
        );
        resolve();
      });
      worker.once("error", reject);
    });
  const lane = async (): Promise<void> => {
    for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) await runOne(job);
  };
  await Promise.all([lane(), lane()]);
  return done;
};

const holds = ({ exploration }: Done): boolean =>
  exploration.violation === undefined && exploration.exhausted && exploration.quiet > 0;

const verdictOf = (result: Done): string => {
  if (result.job.kind === "negative") return result.exploration.violation === undefined ? "NOT FOUND" : "found    ";
  return holds(result) ? "holds    " : "VIOLATED ";
};

const main = async (): Promise<number> => {
  const { values } = parseArgs({
    options: {
      json: { type: "boolean", default: false },
      traces: { type: "boolean", default: false },
      only: { type: "string", default: "" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const jobs: readonly Job[] = [
    ...SCENARIOS.map(({ name }, index): Job => ({ kind: "scenario", index, name })).toReversed(),
    ...NEGATIVES.map(({ defence }, index): Job => ({ kind: "negative", index, name: defence })),
  ].filter(({ name }) => name.includes(values.only));
  if (jobs.length === 0) {
    say(`no scenario and no defence has "${values.only}" in its name`);
    return 2;
  }
  const startedAt = performance.now();
  const results = await runAll(jobs);
  const seconds = (performance.now() - startedAt) / 1_000;
  const scenarios = results.filter(({ job }) => job.kind === "scenario");
  const negatives = results.filter(({ job }) => job.kind === "negative").sort((a, b) => a.job.index - b.job.index);
  const violated = scenarios.filter((result) => !holds(result));
  const missed = negatives.filter(({ exploration }) => exploration.violation === undefined);
  const states = scenarios.reduce((sum, { exploration }) => sum + exploration.states, 0);

  for (const { job, exploration } of violated) {
    say(`\n${job.name}: ${exploration.violation?.rule ?? "not exhausted, or never quiet"}`);
    for (const [step, label] of (exploration.violation?.trace ?? []).entries()) say(`  ${step + 1}. ${label}`);
  }
  if (values.traces) {
    for (const { job, exploration } of negatives) {
      say(`\nWithout ${job.name}: ${exploration.violation?.rule ?? "nothing found"}`);
      for (const [step, label] of (exploration.violation?.trace ?? []).entries()) say(`  ${step + 1}. ${label}`);
    }
  }
  say(
    `\n${states} states in ${scenarios.length} scenarios, ${violated.length} violated; ` +
      `${negatives.length - missed.length} of ${negatives.length} missing defences found; ${seconds.toFixed(1)} s`,
  );
  if (values.json) {
    const document = {
      states,
      violations: violated.length,
      seconds: Number(seconds.toFixed(1)),
      negatives: negatives.map(({ job, exploration }) => ({
        defence: job.name,
        found: exploration.violation !== undefined,
        steps: exploration.violation?.trace.length ?? 0,
      })),
      scenarios: scenarios.map(({ job, exploration }) => ({
        name: job.name,
        states: exploration.states,
        quiet: exploration.quiet,
        exhausted: exploration.exhausted,
      })),
    };
    process.stdout.write(`${JSON.stringify(document)}\n`);
  }
  return violated.length + missed.length === 0 ? 0 : 1;
};

process.exitCode = await main();
