/**
 * How fast a site takes up history. Additive increase, multiplicative decrease: throttling halves the pace, quiet raises it
 * step by step, so that several walkers and the live traffic find a share of what S3 lets through without being told it.
 */
export interface WalkPace {
  /** Keys that one run of one worker may hand over. */
  readonly keysPerRun: number;
  /** What the site's count of throttled attempts was when this was set. */
  readonly throttledSoFar: number;
}

export const WALK_PACE_FIRST: WalkPace = { keysPerRun: 10_000, throttledSoFar: 0 };

/** Bounds of a run: less would never end, more is beyond what a queue's consumers take in a run's time. */
export const WALK_PACE_BOUNDS = { least: 100, most: 100_000 } as const;

/** Keys that each quiet run adds. */
const STEP = 2_000;

/** The next run's pace. @param throttled the site's count of throttled attempts by now */
export const nextPace = (pace: WalkPace, throttled: number): WalkPace => {
  const wished = throttled > pace.throttledSoFar ? Math.floor(pace.keysPerRun / 2) : pace.keysPerRun + STEP;
  return {
    keysPerRun: Math.min(WALK_PACE_BOUNDS.most, Math.max(WALK_PACE_BOUNDS.least, wished)),
    throttledSoFar: throttled,
  };
};
