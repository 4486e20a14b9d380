import { SYNC_TIMEOUT_SECONDS } from "../../shared/geo/limits.ts";
import type { Plan } from "./plan.ts";
import type { Run } from "./simulate.ts";
import { keyOf } from "./source.ts";

/** Runs that minimising may take; each takes some milliseconds. */
const RUNS_MAX = 2_000;

/** A smaller plan may need other throws of the dice to fail in the same way: so many seeds are tried for each. */
const SEEDS_TRIED = 5;

/** The same for the plan of a single key, which runs fast. */
const SEEDS_TRIED_ALONE = 300;

/**
 * Makes a failing plan small (delta debugging): takes out faults, changes and variety as long as the same rule is broken.
 * Deterministic, as everything here.
 *
 * @param run runs a plan, in the way in which the failure was found
 */
export const minimise = async (failed: Run, run: (plan: Plan) => Promise<Run>): Promise<Run> => {
  const rule = failed.violation?.rule;
  let best = failed;
  let runs = 0;

  /** Goes on with the plan if it fails as well. */
  const accepts = async (plan: Plan, seeds = SEEDS_TRIED): Promise<boolean> => {
    for (let tried = 0; tried < seeds && runs < RUNS_MAX; tried += 1) {
      runs += 1;
      const again = await run({ ...plan, seed: plan.seed + tried });
      if (again.violation?.rule !== rule) continue;
      best = again;
      return true;
    }
    return false;
  };

  const withoutLaterChanges = async (): Promise<void> => {
    const { plan, worldMs } = best;
    const earlier = plan.changes.filter(({ at }) => at <= worldMs);
    if (earlier.length < plan.changes.length) await accepts({ ...plan, changes: earlier });
  };

  const oneKey = async (): Promise<void> => {
    const { plan } = best;
    // What was seen names the key that it was seen at, and most often that key does it by itself.
    const alone = plan.changes.filter(({ key }) => failed.violation?.detail.includes(keyOf(key, plan.types)));
    if (alone.length === 0 || alone.length === plan.changes.length) return;
    await accepts({ ...plan, changes: alone }, SEEDS_TRIED_ALONE);
  };

  const fewerKnobs = async (): Promise<void> => {
    for (const knob of best.plan.knobs) {
      await accepts({ ...best.plan, knobs: best.plan.knobs.filter((other) => other !== knob) });
    }
  };

  const fewerChanges = async (): Promise<void> => {
    let size = Math.ceil(best.plan.changes.length / 2);
    while (size >= 1) {
      let at = 0;
      while (at < best.plan.changes.length) {
        const { plan } = best;
        const kept = plan.changes.filter((_, place) => place < at || place >= at + size);
        if (!(await accepts({ ...plan, changes: kept }))) at += size;
      }
      size = size === 1 ? 0 : Math.ceil(size / 2);
    }
  };

  const lessVariety = async (): Promise<void> => {
    const syncTimeoutSeconds = SYNC_TIMEOUT_SECONDS.standard;
    const simpler: readonly Partial<Plan>[] = [
      { types: 1 },
      { unattested: 0 },
      { fused: true },
      { sweepMinutes: 1 },
      { syncTimeoutSeconds },
    ];
    for (const change of simpler) {
      const plan = { ...best.plan, ...change };
      if (JSON.stringify(plan) !== JSON.stringify(best.plan)) await accepts(plan);
    }
  };

  await withoutLaterChanges();
  await oneKey();
  for (;;) {
    const before = best;
    await fewerKnobs();
    await fewerChanges();
    await lessVariety();
    if (best === before) return best;
  }
};
