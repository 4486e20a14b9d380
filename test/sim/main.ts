import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { keepFinding } from "./corpus.ts";
import { minimise } from "./minimise.ts";
import { type Plan, planOf } from "./plan.ts";
import { simulate } from "./simulate.ts";
import type { Tally } from "./tally.ts";
import { runOnThreads } from "./threads.ts";

const HELP = `Simulates a primary and a secondary, a day and more for each seed, with random changes and random faults, over the
services that ship, and checks the protocol's rules at every step and at the end.

Usage: npm run sim -- [--seeds N] [--seed S] [--keys K] [--threads T] [--trace] [--json]

  --seeds N    how many seeds to run; default 1000, or 1 with --trace
  --seed S     the first seed; default 1
  --keys K     worlds of K keys, 1 to 50; default: by the seed, most often few
  --threads T  how many at a time; default: one for each core
  --trace      print everything that happens, of one seed
  --json       one JSON document on the last line of stdout: seeds, seed, violations, seconds, simulated_days,
               steps (things that happened), port_calls, seeds_per_s, steps_per_s, port_calls_per_s, faults, reached
  --help       this text

A seed that breaks a rule is made small, printed with its trace, and kept in test/sim/corpus, from where every test run
replays it. Ends with 1 then.

Examples:
  npm run sim -- --seeds 10000
  npm run sim -- --seeds 1000 --keys 50 --json
  npm run sim -- --seed 1234 --trace
`;

/** Failing seeds that are made small and shown; the others are named. */
const SHOWN_MAX = 3;

const say = (line: string): void => void process.stderr.write(`${line}\n`);

const whole = (name: string, text: string, low: number, high: number): number => {
  const value = Number(text);
  if (Number.isInteger(value) && value >= low && value <= high) return value;
  throw new RangeError(`--${name} takes a whole number from ${low} to ${high}, got ${text}`);
};

const show = async (seed: number, keys: number | undefined): Promise<void> => {
  const failed = await simulate(planOf(seed, keys));
  say(`\nseed ${seed} breaks ${failed.violation?.rule}: ${failed.violation?.detail}`);
  const small = await minimise(failed, (plan: Plan) => simulate(plan));
  const { violation, plan } = small;
  if (violation === undefined) return;
  const path = keepFinding(seed, { rule: violation.rule, detail: violation.detail, plan });
  say(`made small: ${plan.changes.length} changes, faults: ${plan.knobs.join(", ") || "none"}; kept in ${path}`);
  await simulate(plan, { trace: (line) => say(`  ${line}`) });
};

const progress = (total: number): ((tally: Tally) => void) => {
  const startedAt = performance.now();
  let saidAt = startedAt;
  let named = 0;
  return ({ seeds, failures }) => {
    const now = performance.now();
    // At once, and not at the end: whoever ends a long run early knows what it has found.
    for (const { seed, rule } of failures.slice(named)) say(`seed ${seed} breaks ${rule}`);
    named = failures.length;
    if (now - saidAt < 5_000) return;
    saidAt = now;
    const rate = Math.round((seeds * 1_000) / (now - startedAt));
    say(`${seeds} of ${total} seeds, ${rate} a second, ${failures.length} violations`);
  };
};

const main = async (): Promise<number> => {
  const { values } = parseArgs({
    options: {
      seeds: { type: "string" },
      seed: { type: "string", default: "1" },
      keys: { type: "string" },
      threads: { type: "string", default: String(availableParallelism()) },
      trace: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const seed = whole("seed", values.seed, 0, 2 ** 31);
  const seeds = whole("seeds", values.seeds ?? (values.trace ? "1" : "1000"), 1, 100_000_000);
  const keys = values.keys === undefined ? undefined : whole("keys", values.keys, 1, 50);
  const threads = whole("threads", values.threads, 1, 64);
  if (values.trace) {
    const run = await simulate(planOf(seed, keys), { trace: (line) => process.stdout.write(`${line}\n`) });
    return run.violation === undefined ? 0 : 1;
  }

  const startedAt = performance.now();
  const tally = await runOnThreads({ first: seed, count: seeds, keys }, threads, progress(seeds));
  const seconds = (performance.now() - startedAt) / 1_000;
  for (const failure of tally.failures.slice(0, SHOWN_MAX)) await show(failure.seed, keys);
  const others = tally.failures.slice(SHOWN_MAX);
  if (others.length > 0) say(`\nalso: ${others.map((failure) => `${failure.seed} (${failure.rule})`).join(", ")}`);

  const perSecond = (count: number): number => Math.round(count / seconds);
  const days = Math.round(tally.worldMs / 86_400_000);
  say(
    `\n${tally.seeds} seeds, ${days} simulated days, ${tally.steps} steps, ${tally.portCalls} of them calls, ` +
      `${tally.failures.length} violations; ${seconds.toFixed(1)} s, ${perSecond(tally.seeds)} seeds a second, ` +
      `${perSecond(tally.steps)} steps a second`,
  );
  if (values.json) {
    const document = {
      seeds: tally.seeds,
      seed,
      violations: tally.failures.length,
      seeds_per_s: perSecond(tally.seeds),
      seconds: Number(seconds.toFixed(1)),
      simulated_days: days,
      steps: tally.steps,
      steps_per_s: perSecond(tally.steps),
      port_calls: tally.portCalls,
      port_calls_per_s: perSecond(tally.portCalls),
      faults: tally.counts,
      reached: tally.reached,
      failed: tally.failures.map((failure) => ({ seed: failure.seed, rule: failure.rule })),
    };
    process.stdout.write(`${JSON.stringify(document)}\n`);
  }
  return tally.failures.length === 0 ? 0 : 1;
};

try {
  process.exitCode = await main();
} catch (error) {
  say(`${error instanceof Error ? error.message : String(error)}\nTry --help.`);
  process.exitCode = 2;
}
