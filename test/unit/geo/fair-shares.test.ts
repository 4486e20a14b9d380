import * as fc from "fast-check";
import { expect, test } from "vitest";
import { fairShares } from "../../../shared/geo/fair-shares.ts";

const sum = (list: readonly number[]): number => list.reduce((one, other) => one + other, 0);

test.each([
  [[], 10, []],
  [[3, 4], 10, [3, 4]],
  [[100, 100], 10, [5, 5]],
  [[100, 2, 100], 10, [4, 2, 4]],
  [[1, 0, 100], 10, [1, 0, 9]],
])("of %j who share %i get %j", (wanted, total, shares) => {
  expect(fairShares(wanted, total)).toEqual(shares);
});

test("nobody gets more than they want, all is given away if it is wanted, and who got less than they want has the most", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(50), { maxLength: 12 }), fc.nat(100), (wanted, total) => {
      const shares = fairShares(wanted, total);
      expect(shares.every((share, index) => share >= 0 && share <= (wanted[index] ?? 0))).toBe(true);
      expect(sum(shares)).toBe(Math.min(sum(wanted), total));
      const unsatisfied = shares.filter((share, index) => share < (wanted[index] ?? 0));
      for (const share of unsatisfied) expect(Math.max(...shares) - share).toBeLessThanOrEqual(1);
    }),
  );
});
