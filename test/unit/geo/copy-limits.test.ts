import { describe, expect, test } from "vitest";
import { COPY_LIMITS, completeBudgetMs, copyLimitsOf, copyRules } from "../../../shared/geo/copy-limits.ts";
import { planParts } from "../../../shared/geo/part-plan.ts";

const MIB = 1024 ** 2;

test("an installation's sizes are those of its environment, and everything else is S3's", () => {
  const limits = copyLimitsOf({ SINGLE_COPY_BYTES: "5242880", PART_BYTES: String(8 * MIB) });
  expect(limits).toEqual({
    ...COPY_LIMITS,
    singleCopyBytesMax: 5 * MIB,
    parts: { ...COPY_LIMITS.parts, usualBytes: 8 * MIB },
  });
  expect(planParts(20 * MIB, limits.parts)).toEqual({ size: 20 * MIB, partBytes: 8 * MIB, parts: 3 });
});

describe("the time that a completion is given", () => {
  test("grows with its parts, up to half of what the function has", () => {
    expect(completeBudgetMs(1, 300_000)).toBe(5_010);
    expect(completeBudgetMs(10_000, 300_000)).toBe(105_000);
    expect(completeBudgetMs(10_000, 60_000)).toBe(30_000);
  });
});

test("one copy at a time has the lane with many parts in flight", () => {
  const { lane } = copyRules();
  const leave = lane.enter();
  expect(lane.enter()).toBeUndefined();
  leave?.();
  expect(lane.enter()).toBeTypeOf("function");
});
