import { type Knob, KNOBS, type Plan, planOf } from "./plan.ts";
import type { Tampering } from "./ports.ts";
import { simulate } from "./simulate.ts";
import { NOWHERE, PLACES, type Reached } from "./steps.ts";

/** What a range of seeds came to. Plain data: it travels between threads. */
export interface Tally {
  readonly seeds: number;
  /** Things that happened: calls that landed, messages that came, timeouts, changes. */
  readonly steps: number;
  /** Calls that processes made to a port. */
  readonly portCalls: number;
  /** Simulated time, milliseconds. */
  readonly worldMs: number;
  /** How often each fault happened. */
  readonly counts: Readonly<Record<Knob, number>>;
  /** How often each step of the protocol was taken, and what rows told. */
  readonly reached: Reached;
  readonly failures: readonly { readonly seed: number; readonly rule: string; readonly detail: string }[];
}

export const NOTHING: Tally = {
  seeds: 0,
  steps: 0,
  portCalls: 0,
  worldMs: 0,
  counts: Object.fromEntries(KNOBS.map((knob) => [knob, 0])) as Record<Knob, number>,
  reached: NOWHERE,
  failures: [],
};

export const plus = (a: Tally, b: Tally): Tally => ({
  seeds: a.seeds + b.seeds,
  steps: a.steps + b.steps,
  portCalls: a.portCalls + b.portCalls,
  worldMs: a.worldMs + b.worldMs,
  counts: Object.fromEntries(KNOBS.map((knob) => [knob, a.counts[knob] + b.counts[knob]])) as Record<Knob, number>,
  reached: Object.fromEntries(PLACES.map((place) => [place, a.reached[place] + b.reached[place]])) as Reached,
  failures: [...a.failures, ...b.failures],
});

/** Which seeds, and how. */
export interface Range {
  readonly first: number;
  readonly count: number;
  /** Fixes the number of keys. */
  readonly keys: number | undefined;
}

/** Runs seeds one after the other. */
export const runSeeds = async (
  { first, count, keys }: Range,
  plan: (seed: number, keys?: number) => Plan = planOf,
  tampering: Tampering = {},
): Promise<Tally> => {
  let tally = NOTHING;
  for (let seed = first; seed < first + count; seed += 1) {
    const run = await simulate(plan(seed, keys), { tampering });
    tally = plus(tally, {
      seeds: 1,
      steps: run.steps,
      portCalls: run.portCalls,
      worldMs: run.worldMs,
      counts: { ...NOTHING.counts, ...Object.fromEntries(run.counts) },
      reached: run.reached,
      failures: run.violation === undefined ? [] : [{ seed, ...run.violation }],
    });
  }
  return tally;
};
