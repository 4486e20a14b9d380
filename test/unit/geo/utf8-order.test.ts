import { Buffer } from "node:buffer";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { compareUtf8 } from "../../../shared/geo/utf8-order.ts";

test.each([
  ["a", "b"],
  ["", "a"],
  ["a", "ab"],
  ["Z", "a"],
  ["z", "é"],
  ["\u{d7ff}", "\u{e000}"],
  ["\u{ffff}", "\u{10000}"],
  ["\u{e000}", "😀"],
  ["😀", "😁"],
])("%j stands before %j, as in DynamoDB and in a listing of S3", (first, second) => {
  expect(compareUtf8(first, second)).toBeLessThan(0);
  expect(compareUtf8(second, first)).toBeGreaterThan(0);
  expect(compareUtf8(first, first)).toBe(0);
});

test("any two keys stand in the order of their bytes", () => {
  const key = fc.string({ unit: fc.constantFrom("a", "b", "é", "\u{d7ff}", "\u{e000}", "\u{ffff}", "😀", "😁") });
  fc.assert(
    fc.property(key, key, (left, right) => {
      expect(Math.sign(compareUtf8(left, right))).toBe(Buffer.compare(Buffer.from(left), Buffer.from(right)));
    }),
  );
});
