import { describe, expect, test } from "vitest";
import { eachPart, type LagBuckets } from "../../../shared/geo/lag-histogram.ts";
import { lastHour, NEW_WINDOW, nextStep, stepsOfLastHour } from "../../../shared/geo/lag-window.ts";

const MINUTE_MS = 60_000;
const START = Date.UTC(2026, 0, 2, 3);
const TYPE = "cool_widget";

/** Histograms in which so many versions took at most a quarter of a second, and so many two seconds. */
const counted = (fast: number, slow = 0): LagBuckets =>
  eachPart(() => new Map([...(fast === 0 ? [] : [[0, fast] as const]), ...(slow === 0 ? [] : [[6, slow] as const])]));

describe("the steps of the last hour (F94)", () => {
  test("tell when it was slow, the oldest first, and what has come since the last step", () => {
    const first = nextStep(NEW_WINDOW, new Map([[TYPE, counted(4)]]), START);
    const second = nextStep(first, new Map([[TYPE, counted(4, 3)]]), START + 5 * MINUTE_MS);
    const now = START + 7 * MINUTE_MS;
    expect(stepsOfLastHour(second, TYPE, counted(6, 3), now)).toEqual([
      { until: START, figures: expect.objectContaining({ count: 4, maxMs: 250 }) as unknown },
      { until: START + 5 * MINUTE_MS, figures: expect.objectContaining({ count: 3, maxMs: 2_000 }) as unknown },
      { until: now, figures: expect.objectContaining({ count: 2, maxMs: 250 }) as unknown },
    ]);
  });

  test("leave out those in which nothing was verified, and what is over an hour old", () => {
    const first = nextStep(NEW_WINDOW, new Map([[TYPE, counted(4)]]), START);
    const second = nextStep(first, new Map([[TYPE, counted(4)]]), START + 5 * MINUTE_MS);
    expect(stepsOfLastHour(second, TYPE, counted(4), START + 10 * MINUTE_MS)).toHaveLength(1);
    expect(stepsOfLastHour(second, TYPE, counted(4), START + 61 * MINUTE_MS)).toEqual([]);
  });

  test("add up to what the whole hour tells", () => {
    const first = nextStep(NEW_WINDOW, new Map([[TYPE, counted(4, 1)]]), START);
    const now = START + 3 * MINUTE_MS;
    const steps = stepsOfLastHour(first, TYPE, counted(9, 2), now);
    const whole = [...lastHour(first, TYPE, counted(9, 2), now).total.values()];
    expect(steps.reduce((sum, { figures }) => sum + figures.count, 0)).toBe(11);
    expect(whole.reduce((sum, rows) => sum + rows, 0)).toBe(11);
  });
});
