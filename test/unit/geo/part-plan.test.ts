import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  bytesOf,
  missingParts,
  PART_LIMITS,
  planParts,
  planWith,
  rangeOf,
  type PartLimits,
} from "../../../shared/geo/part-plan.ts";

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
const TB = 10 ** 12;

describe("the plan of an object", () => {
  test.each([
    ["1 byte", 1, { partBytes: 64 * MIB, parts: 1 }],
    ["5 GB", 5 * 10 ** 9, { partBytes: 64 * MIB, parts: 75 }],
    ["1 TB", TB, { partBytes: 96 * MIB, parts: 9_935 }],
    ["5 TB", 5 * TB, { partBytes: 477 * MIB, parts: 9_997 }],
    ["50 TB", 50 * TB, { partBytes: 4_769 * MIB, parts: 9_999 }],
  ])("of %s", (_name, size, plan) => {
    expect(planParts(size)).toEqual({ size, ...plan });
  });

  test.each([
    ["nothing", 0],
    ["more than S3 stores", 50 * TB + 1],
  ])("of %s is none", (_name, size) => {
    expect(planParts(size)).toBeUndefined();
  });

  test("is none where parts can not be made large enough for as many as there may be", () => {
    const limits: PartLimits = {
      ...PART_LIMITS,
      mostBytes: 10,
      leastBytes: 1,
      usualBytes: 1,
      granuleBytes: 1,
      partsMax: 4,
    };
    expect(planParts(40, limits)?.parts).toBe(4);
    expect(planParts(41, limits)).toBeUndefined();
  });

  const sizes = fc.oneof(
    fc.integer({ min: 1, max: 50 * TB }),
    fc.integer({ min: 1, max: 10 * GIB }),
    // Around the sizes at which the number of parts or their size changes.
    fc.tuple(fc.integer({ min: 1, max: 745 }), fc.integer({ min: -2, max: 2 })).map(([n, off]) => n * 64 * MIB + off),
    fc
      .tuple(fc.integer({ min: 1, max: 4_769 }), fc.integer({ min: -2, max: 2 }))
      .map(([n, off]) => Math.min(n * MIB * 10_000 + off, 50 * TB)),
  );

  test("keeps every limit of S3's, for every size up to 50 TB", () => {
    fc.assert(
      fc.property(sizes, (size) => {
        const plan = planParts(size);
        if (plan === undefined) throw new Error(`no plan for ${size} bytes`);
        expect(plan.parts).toBeGreaterThanOrEqual(1);
        expect(plan.parts).toBeLessThanOrEqual(10_000);
        expect(plan.partBytes % MIB).toBe(0);
        expect(plan.partBytes).toBeLessThanOrEqual(5 * GIB);
        // All but the last are of one size, of at least 5 MiB; the last one has what is left, and something is.
        expect(plan.partBytes).toBeGreaterThanOrEqual(5 * MIB);
        expect(bytesOf(plan, plan.parts)).toBeGreaterThanOrEqual(1);
        expect(bytesOf(plan, plan.parts)).toBeLessThanOrEqual(plan.partBytes);
      }),
      { numRuns: 2_000 },
    );
  });

  test("covers every byte once, in order", () => {
    fc.assert(
      fc.property(sizes, (size) => {
        const plan = planParts(size) ?? planWith(size, 1);
        expect(rangeOf(plan, 1).start).toBe(0);
        expect(rangeOf(plan, plan.parts).endInclusive).toBe(size - 1);
        for (const number of [1, 2, Math.floor(plan.parts / 2), plan.parts - 1]) {
          if (number < 1 || number >= plan.parts) continue;
          expect(rangeOf(plan, number + 1).start).toBe(rangeOf(plan, number).endInclusive + 1);
        }
      }),
    );
  });
});

describe("what is missing of an upload", () => {
  const plan = planWith(25, 10);

  test("is everything at its beginning, and nothing at its end", () => {
    expect(missingParts(plan, [])).toEqual([1, 2, 3]);
    const all = [3, 1, 2].map((number) => ({ number, size: bytesOf(plan, number) }));
    expect(missingParts(plan, all)).toEqual([]);
  });

  test("includes parts of another size, and takes no notice of parts that are not planned", () => {
    const done = [
      { number: 1, size: 10 },
      { number: 2, size: 9 },
      { number: 4, size: 10 },
    ];
    expect(missingParts(plan, done)).toEqual([2, 3]);
  });
});
