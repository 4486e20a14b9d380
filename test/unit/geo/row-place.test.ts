import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ROW_PARTITIONS, rowKey, rowPartition, rowPartitionNumber } from "../../../shared/geo/registry-row.ts";
import { comparePlaces, isBehind, isInFront, type RowOrder, type RowPlace } from "../../../shared/geo/row-place.ts";

const ORDERS: readonly RowOrder[] = (["id", "last_synced_at", "verified_at"] as const).flatMap((by) =>
  [false, true].map((descending) => ({ by, descending })),
);

const row = fc.record({
  partition: fc.integer({ min: 0, max: 3 }),
  key: fc.constantFrom("a", "b", "é", "\u{e000}", "😀"),
  time: fc.constantFrom(null, 0, 1, 2),
});

test("a partition's number is in the key of its rows", () => {
  for (const partition of [0, 1, 0xabc, ROW_PARTITIONS - 1]) {
    expect(rowPartitionNumber(rowPartition("cool_widget", partition))).toBe(partition);
  }
  expect(rowPartitionNumber(rowKey({ replicableName: "cool_widget", key: "a" }).pk)).toBe(0xca9);
});

describe("an order of rows", () => {
  test.each(ORDERS)("has each two places one after the other, and is one: %j", (order) => {
    const compare = comparePlaces(order);
    fc.assert(
      fc.property(row, row, row, (a, b, c) => {
        expect(compare(a, b) + compare(b, a) === 0 || Math.sign(compare(a, b)) === -Math.sign(compare(b, a))).toBe(
          true,
        );
        const isSame = a.partition === b.partition && a.key === b.key;
        expect(isSame || order.by !== "id" || compare(a, b) !== 0).toBe(true);
        expect(compare(a, b) > 0 || compare(b, c) > 0 || compare(a, c) <= 0).toBe(true);
        expect(isBehind(order, a, b)).toBe(compare(a, b) > 0);
        expect(isInFront(order, a, b)).toBe(compare(a, b) < 0);
      }),
    );
  });

  test("goes by partition, then by key as DynamoDB sorts it", () => {
    const compare = comparePlaces({ by: "id", descending: false });
    const places = [
      { partition: 2, key: "a" },
      { partition: 1, key: "😀" },
      { partition: 1, key: "\u{e000}" },
    ];
    expect(places.toSorted(compare)).toEqual([places[2], places[1], places[0]]);
  });

  test("has the beginning of a partition in front of its rows", () => {
    const compare = comparePlaces({ by: "id", descending: false });
    expect(compare({ partition: 1 }, { partition: 1, key: "a" })).toBeLessThan(0);
    expect(compare({ partition: 1, key: "a" }, { partition: 1 })).toBeGreaterThan(0);
  });

  test("has rows without a time behind all others when times ascend", () => {
    const never: RowPlace = { partition: 0, key: "a", time: null };
    const late: RowPlace = { partition: 1, key: "b", time: 9 };
    expect(isBehind({ by: "verified_at", descending: false }, never, late)).toBe(true);
    expect(isBehind({ by: "verified_at", descending: true }, never, late)).toBe(false);
    expect(isBehind({ by: "last_synced_at", descending: false }, { partition: 0, key: "a" }, late)).toBe(true);
  });

  test.each([false, true])("has a place behind a whole partition, descending: %s", (descending) => {
    const order: RowOrder = { by: "id", descending };
    const [behind, inFront] = descending ? [1, 3] : [3, 1];
    expect(isBehind(order, { partition: behind, key: "a" }, { partition: 2 })).toBe(true);
    expect(isBehind(order, { partition: 2, key: "z" }, { partition: 2 })).toBe(false);
    expect(isBehind(order, { partition: inFront, key: "z" }, { partition: 2 })).toBe(false);
    expect(isInFront(order, { partition: inFront, key: "z" }, { partition: 2 })).toBe(true);
    expect(isInFront(order, { partition: 2, key: "a" }, { partition: 2 })).toBe(false);
  });
});
