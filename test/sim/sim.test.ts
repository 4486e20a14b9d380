import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { minimise } from "./minimise.ts";
import { NEGATIVES, worldsOf } from "./negatives.ts";
import { KNOBS, type Plan, planOf } from "./plan.ts";
import { simulate } from "./simulate.ts";
import { PLACES } from "./steps.ts";
import { runOnThreads } from "./threads.ts";

const SEEDS = 1_000;
/** Every defence must be missed within so many seeds. */
const NEGATIVE_SEEDS = 400;

const traceOf = async (plan: Plan): Promise<string> => {
  const lines: string[] = [];
  await simulate(plan, { trace: (line) => lines.push(line) });
  return lines.join("\n");
};

const hash = (text: string): string => createHash("sha256").update(text).digest("hex");

describe("a thousand worlds", () => {
  test("keep every rule and come to rest, with every fault and every step in them", { timeout: 300_000 }, async () => {
    const tally = await runOnThreads({ first: 1, count: SEEDS, keys: undefined }, 2);
    expect(tally.failures).toEqual([]);
    expect(tally.seeds).toBe(SEEDS);
    expect(KNOBS.filter((knob) => tally.counts[knob] === 0)).toEqual([]);
    // A step that is never taken is not simulated.
    expect(PLACES.filter((place) => tally.reached[place] === 0)).toEqual([]);
    expect(tally.worldMs / SEEDS).toBeGreaterThanOrEqual(86_400_000);
  });

  test("of fifty keys, too", { timeout: 60_000 }, async () => {
    const tally = await runOnThreads({ first: 1, count: 20, keys: 50 }, 2);
    expect(tally.failures).toEqual([]);
  });
});

describe("the same seed is the same run", () => {
  test("to the last byte of its trace, with every fault switched on", async () => {
    const plan = { ...planOf(7, 5), knobs: KNOBS };
    const [first, second] = [await traceOf(plan), await traceOf(plan)];
    expect(first.length).toBeGreaterThan(10_000);
    expect(hash(second)).toBe(hash(first));
    expect(second).toBe(first);
  });

  test("whether anybody watches or not", async () => {
    const plan = { ...planOf(11, 5), knobs: KNOBS };
    const silent = await simulate(plan);
    const watched = await simulate(plan, { trace: () => {} });
    expect(watched).toEqual(silent);
  });

  test("and another seed is another", async () => {
    expect(await traceOf(planOf(1))).not.toBe(await traceOf(planOf(2)));
  });
});

describe("without a defence a loss is found", () => {
  test.each(NEGATIVES)("$defence", { timeout: 120_000 }, async (negative) => {
    for (let seed = 1; seed <= NEGATIVE_SEEDS; seed += 1) {
      const { plan, without, sound } = worldsOf(negative, seed);
      const run = await simulate(plan, { tampering: without });
      if (run.violation === undefined) continue;
      // Without some defences another rule may be seen broken first, in some worlds.
      if (negative.rule !== undefined && run.violation.rule !== negative.rule) continue;
      expect(run.violation.rule).toMatch(/^(S\d|L\d|R29|counters)/);
      // With the defence in its place the same world is sound.
      expect((await simulate(plan, { tampering: sound })).violation).toBeUndefined();
      return;
    }
    expect.fail(`${NEGATIVE_SEEDS} seeds found nothing`);
  });
});

test(
  "a failing plan is made small: few changes, few faults, and it still breaks the same rule",
  { timeout: 60_000 },
  async () => {
    const [missing] = NEGATIVES.filter(({ defence }) => defence.includes("a hint that joins"));
    if (missing === undefined) throw new Error("no such negative");
    for (let seed = 1; seed <= NEGATIVE_SEEDS; seed += 1) {
      const { plan: large, without: tampering } = worldsOf(missing, seed);
      const failed = await simulate(large, { tampering });
      if (failed.violation === undefined) continue;
      const small = await minimise(failed, (plan) => simulate(plan, { tampering }));
      expect(small.violation?.rule).toBe(failed.violation.rule);
      expect(small.plan.changes.length).toBeLessThanOrEqual(4);
      expect(small.plan.knobs.length).toBeLessThanOrEqual(4);
      expect((await simulate(small.plan, { tampering })).violation).toEqual(small.violation);
      return;
    }
    expect.fail("nothing to make small");
  },
);
