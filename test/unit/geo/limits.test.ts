import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { leaseMs, quarantineMs, writeBudgetMs } from "../../../shared/geo/limits.ts";

const MINUTE_MS = 60_000;
/** What Lambda may give a function, milliseconds. */
const anyFunctionTimeout = fc.integer({ min: 1_000, max: 15 * MINUTE_MS });

describe("a lease", () => {
  test("outlives the function that holds it by a minute", () => {
    expect(leaseMs(3 * MINUTE_MS)).toBe(4 * MINUTE_MS);
  });

  test("is no longer than an operator's sync timeout", () => {
    expect(leaseMs(3 * MINUTE_MS, 90_000)).toBe(90_000);
    expect(leaseMs(3 * MINUTE_MS, 8 * 60 * MINUTE_MS)).toBe(4 * MINUTE_MS);
  });
});

describe("a quarantine", () => {
  test("is twice the longest that any function may live, and an hour for what S3 still carries out", () => {
    expect(quarantineMs(2 * MINUTE_MS)).toBe(90 * MINUTE_MS);
    expect(quarantineMs(15 * MINUTE_MS)).toBe(90 * MINUTE_MS);
    expect(quarantineMs(20 * MINUTE_MS)).toBe(100 * MINUTE_MS);
  });

  test("is longer than every lease", () => {
    fc.assert(
      fc.property(anyFunctionTimeout, (timeout) => {
        expect(quarantineMs(timeout)).toBeGreaterThan(leaseMs(timeout));
      }),
    );
  });
});

describe("the time that a write is given", () => {
  test("is five seconds for a removal, and two minutes more for the largest single copy", () => {
    expect(writeBudgetMs(0, 15 * MINUTE_MS)).toBe(5_000);
    expect(writeBudgetMs(5_000_000_000, 15 * MINUTE_MS)).toBe(5_000 + 125_000);
  });

  test("is at most half of what the function has, so that every write is begun some time", () => {
    fc.assert(
      fc.property(fc.nat(5_000_000_000), anyFunctionTimeout, (size, timeout) => {
        expect(writeBudgetMs(size, timeout)).toBeLessThanOrEqual(timeout / 2);
      }),
    );
    expect(writeBudgetMs(5_000_000_000, MINUTE_MS)).toBe(30_000);
  });
});
