import { findUnconverged } from "./convergence.ts";
import type { Violation } from "./oracle.ts";
import type { Knob, Plan } from "./plan.ts";
import type { Tampering } from "./ports.ts";
import type { Reached } from "./steps.ts";
import { World } from "./world.ts";

/** How a run ended. */
export interface Run {
  readonly plan: Plan;
  readonly violation?: Violation;
  /** How often each fault happened. */
  readonly counts: ReadonlyMap<Knob, number>;
  /** How often each step of the protocol was taken, and what rows told. */
  readonly reached: Reached;
  /** Things that happened. */
  readonly steps: number;
  /** Calls that processes made to a port: each is a place where they may die, freeze or be overtaken. */
  readonly portCalls: number;
  /** How long it took in the world, milliseconds. */
  readonly worldMs: number;
}

/**
 * How long the world has to come to rest after the faults. The longest single waits are 4 hours (for the primary's
 * digest), 5 (a message on its way) and 6 (the reconciliation after a loss); a few may follow each other.
 */
const REST_WITHIN_MS = 48 * 60 * 60 * 1_000;

const REDRIVE_EVERY_MS = 2 * 60 * 60 * 1_000;

/** Runs a plan to its end or to the first broken rule. The same plan is always the same run. */
export const simulate = async (
  plan: Plan,
  options: { readonly tampering?: Tampering; readonly trace?: (line: string) => void } = {},
): Promise<Run> => {
  const { trace } = options;
  let world: World | undefined = undefined;
  const start = { at: 0 };
  const line = trace && ((text: string) => trace(`${clockOf(timeOf() - start.at)} ${text}`));
  const timeOf = (): number => world?.timeline.now ?? start.at;
  const running = new World(plan, options.tampering ?? {}, line);
  world = running;
  const { timeline, calls, oracle } = running;
  start.at = timeline.now;
  let steps = 0;
  const end = (violation: Violation | undefined): Run => {
    if (violation !== undefined) line?.(`VIOLATED ${violation.rule}: ${violation.detail}`);
    const run = {
      plan,
      counts: running.faults.counts,
      reached: running.watch.steps.counts,
      steps,
      portCalls: calls.made,
      worldMs: timeline.now - start.at,
    };
    return violation === undefined ? run : { ...run, violation };
  };

  const advance = async (): Promise<boolean> => {
    if (!timeline.step()) return false;
    steps += 1;
    await calls.settle();
    return true;
  };

  const faultsEndAt = running.faultsEndAt;
  while ((timeline.nextAt ?? Number.POSITIVE_INFINITY) < faultsEndAt) {
    await advance();
    if (oracle.violation !== undefined) return end(oracle.violation);
  }
  timeline.at(faultsEndAt, () => running.endFaults());
  for (let at = faultsEndAt + REDRIVE_EVERY_MS; at < faultsEndAt + REST_WITHIN_MS; at += REDRIVE_EVERY_MS) {
    timeline.at(at, () => running.tidyUp());
  }
  await advance();
  while (!running.isQuiet && (timeline.nextAt ?? Number.POSITIVE_INFINITY) < faultsEndAt + REST_WITHIN_MS) {
    await advance();
    if (oracle.violation !== undefined) return end(oracle.violation);
  }
  oracle.checkNothingDestroyed();
  return end(oracle.violation ?? (await findUnconverged(running)));
};

/** `1 03:04:05.678`: days, hours, minutes and seconds since the start. */
const clockOf = (milliseconds: number): string => {
  const ms = Math.floor(milliseconds);
  return `${Math.floor(ms / 86_400_000)} ${new Date(ms % 86_400_000).toISOString().slice(11, 23)}`;
};
