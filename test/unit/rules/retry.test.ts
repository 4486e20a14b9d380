import * as fc from "fast-check";
import { expect, test } from "vitest";
import { RETRY_CAP_MISSING_SECONDS, retryDelayMs } from "../../../shared/geo/retry.ts";

/** Seconds from the least to the greatest wait after failure n, with the cap of an hour and of four. */
const BANDS: readonly (readonly [n: number, hour: readonly [number, number], fourHours: readonly [number, number]])[] =
  [
    [1, [16, 74], [16, 74]],
    [2, [31, 118], [31, 118]],
    [3, [96, 212], [96, 212]],
    [4, [271, 416], [271, 416]],
    [5, [640, 814], [640, 814]],
    [6, [1_311, 1_514], [1_311, 1_514]],
    [7, [2_416, 2_648], [2_416, 2_648]],
    [8, [3_616, 3_674], [4_111, 4_372]],
    [9, [3_616, 3_674], [6_576, 6_866]],
    [10, [3_616, 3_674], [10_015, 10_334]],
    [11, [3_616, 3_674], [14_416, 14_474]],
    [12, [3_616, 3_674], [14_416, 14_474]],
    [1_000, [3_616, 3_674], [14_416, 14_474]],
  ];

test.each(BANDS)(
  "F13, F14: failure %i waits inside Geo's bands, at both caps, and never for ever",
  (n, hour, fourHours) => {
    const within = (random: number, cap: number | undefined, [least, greatest]: readonly [number, number]) => {
      const seconds = retryDelayMs(n, () => random, cap) / 1_000;
      expect(seconds).toBeGreaterThanOrEqual(least);
      expect(seconds).toBeLessThanOrEqual(greatest);
    };
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (random) => {
        within(random, undefined, hour);
        within(random, RETRY_CAP_MISSING_SECONDS, fourHours);
      }),
    );
  },
);

test("both ends of a band are reached: the jitter is Geo's, not less", () => {
  expect(retryDelayMs(1, () => 0)).toBe(16_000);
  expect(retryDelayMs(1, () => 0.999)).toBe(74_000);
  expect(retryDelayMs(2, () => 0)).toBe(31_000);
  expect(retryDelayMs(2, () => 0.999)).toBe(118_000);
});

test("a count below one waits like a first failure", () => {
  expect(retryDelayMs(0, () => 0)).toBe(16_000);
  expect(retryDelayMs(-3, () => 0)).toBe(16_000);
});
