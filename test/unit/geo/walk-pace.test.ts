import { describe, expect, test } from "vitest";
import { nextPace, WALK_PACE_BOUNDS, WALK_PACE_FIRST } from "../../../shared/geo/walk-pace.ts";

const pace = (keysPerRun: number, throttledSoFar = 5) => ({ keysPerRun, throttledSoFar });

describe("the pace at which history is taken up", () => {
  test("grows step by step while nobody is throttled", () => {
    expect(nextPace(pace(10_000), 5)).toEqual(pace(12_000));
  });

  test("is halved by a single throttled attempt, in whole keys, and remembers how many there were", () => {
    expect(nextPace(pace(10_001), 6)).toEqual(pace(5_000, 6));
  });

  test("begins at ten thousand keys a run", () => {
    expect(WALK_PACE_FIRST).toEqual({ keysPerRun: 10_000, throttledSoFar: 0 });
  });

  test("stays between its bounds however long it goes on", () => {
    let slow = WALK_PACE_FIRST;
    let fast = WALK_PACE_FIRST;
    for (let run = 1; run <= 100; run += 1) {
      slow = nextPace(slow, run);
      fast = nextPace(fast, 0);
    }
    expect(slow.keysPerRun).toBe(WALK_PACE_BOUNDS.least);
    expect(fast.keysPerRun).toBe(WALK_PACE_BOUNDS.most);
    expect(WALK_PACE_BOUNDS.least).toBeGreaterThan(0);
  });
});
