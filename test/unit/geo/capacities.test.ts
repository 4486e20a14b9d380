import { describe, expect, test } from "vitest";
import { CAPACITIES_DEFAULT, CAPACITY_NAMES, findCapacityProblem, shareOf } from "../../../shared/geo/capacities.ts";

describe("a capacity", () => {
  test.each([1, 10, 2_880, 100_000])("may be %d", (value) => {
    expect(findCapacityProblem("files_max_capacity", value)).toBeUndefined();
  });

  test.each([
    [0, "0"],
    [-1, "-1"],
    [1.5, "1.5"],
    [1_000_000, "1000000"],
    ["10", '"10"'],
    [null, "null"],
    [undefined, "nothing"],
  ])("may not be %s", (value, shown) => {
    expect(findCapacityProblem("verification_max_capacity", value)).toBe(
      `verification_max_capacity: expected a whole number from 1 to 100000, got ${shown}`,
    );
  });

  test("has Geo's four names, and a default within its bounds", () => {
    expect(Object.keys(CAPACITIES_DEFAULT).toSorted()).toEqual(CAPACITY_NAMES.toSorted());
    for (const name of CAPACITY_NAMES) expect(findCapacityProblem(name, CAPACITIES_DEFAULT[name])).toBeUndefined();
  });

  test("is divided evenly among the functions, each of which has at least one key and at most what it has sockets for", () => {
    expect(shareOf(2_880, 60, 48)).toBe(48);
    expect(shareOf(100_000, 60, 48)).toBe(48);
    expect(shareOf(120, 60, 48)).toBe(2);
    expect(shareOf(179, 60, 48)).toBe(2);
    expect(shareOf(1, 60, 48)).toBe(1);
  });
});
