import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  chargesOf,
  dollars,
  type Priced,
  PRICED,
  PRICES,
  REQUESTS,
  USED,
  type UsedCounts,
} from "../../../shared/geo/prices.ts";

const NONE: UsedCounts = { synced: 0, failed: 0, verified: 0, verification_failed: 0, removed: 0, changes: 0 };

const count = fc.integer({ min: 0, max: 1e9 });
const counts: fc.Arbitrary<UsedCounts> = fc.record({
  synced: count,
  failed: count,
  verified: count,
  verification_failed: count,
  removed: count,
  changes: count,
});
const role = fc.constantFrom("primary", "secondary");

const plus = (left: UsedCounts, right: UsedCounts): UsedCounts => ({
  synced: left.synced + right.synced,
  failed: left.failed + right.failed,
  verified: left.verified + right.verified,
  verification_failed: left.verification_failed + right.verification_failed,
  removed: left.removed + right.removed,
  changes: left.changes + right.changes,
});

const unitsOf = (counted: Partial<UsedCounts>, item: Priced, at: "primary" | "secondary" = "secondary"): number =>
  chargesOf(at, { ...NONE, ...counted }).find((charge) => charge.item === item)?.units ?? 0;

describe("what a site counted comes to", () => {
  test("nothing asks for nothing, and costs nothing", () => {
    expect(chargesOf("primary", NONE)).toEqual([]);
    expect(dollars(chargesOf("secondary", NONE))).toBe(0);
  });

  test("the parts cost together what the whole costs, whatever it is split into", () => {
    fc.assert(
      fc.property(role, fc.array(counts, { maxLength: 8 }), (at, parts) => {
        const whole = dollars(chargesOf(at, parts.reduce(plus, NONE)));
        const sum = parts.reduce((dollarsSoFar, part) => dollarsSoFar + dollars(chargesOf(at, part)), 0);
        expect(Math.abs(whole - sum)).toBeLessThanOrEqual(1e-9 * Math.max(1, whole));
      }),
    );
  });

  test("each unit is priced once, at its own price", () => {
    fc.assert(
      fc.property(role, counts, (at, counted) => {
        const charges = chargesOf(at, counted);
        expect(new Set(charges.map(({ item }) => item)).size).toBe(charges.length);
        const byHand = USED.flatMap((used) =>
          REQUESTS[at][used].map(({ item, units }) => counted[used] * units * PRICES[item]),
        ).reduce((sum, each) => sum + each, 0);
        expect(dollars(charges)).toBeCloseTo(byHand, 6);
      }),
    );
  });

  test("a copied object is one COPY, one look at the source and one read of the replica at its secondary", () => {
    const object = { synced: 1, verified: 1, changes: 2 };
    expect(unitsOf(object, "s3_write_request")).toBe(1);
    expect(unitsOf(object, "s3_read_request")).toBe(2);
    expect(unitsOf(object, "dynamodb_write_unit")).toBe(4);
    expect(unitsOf({ verified: 1, changes: 1 }, "s3_read_request", "primary")).toBe(1);
    expect(unitsOf({ verified: 1, changes: 1 }, "dynamodb_write_unit", "primary")).toBe(1);
  });

  test("a primary copies nothing", () => {
    expect(chargesOf("primary", { ...NONE, synced: 5, failed: 5 })).toEqual([]);
  });

  test("a deletion is listed, and free", () => {
    expect(unitsOf({ removed: 3 }, "s3_free_request")).toBe(3);
    expect(PRICED).toContain("s3_free_request");
    expect(PRICES.s3_free_request).toBe(0);
  });
});
