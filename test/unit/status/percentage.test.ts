import * as fc from "fast-check";
import { expect, test } from "vitest";
import { siteId } from "../../../shared/geo/site-status.ts";
import { percentage } from "../../../shared/geo/status-fields.ts";

test.each([
  [197, 200, "98.50%"],
  [1, 3, "33.33%"],
  [2, 3, "66.67%"],
  [5, 5, "100.00%"],
  [0, 5, "0.00%"],
  [0, 0, "0.00%"],
  [null, null, "0.00%"],
])("%s of %s is %s (F57)", (part, whole, text) => {
  expect(percentage(part, whole)).toBe(text);
});

test("a site's number depends on its name alone, and is one that every client can hold", () => {
  fc.assert(
    fc.property(fc.string(), (name) => {
      const id = siteId(name);
      expect(id).toBe(siteId(name));
      expect(Number.isInteger(id) && id >= 1 && id <= 2 ** 31 - 1).toBe(true);
    }),
  );
  expect(new Set(["virginia", "frankfurt", "tokyo"].map(siteId)).size).toBe(3);
});
