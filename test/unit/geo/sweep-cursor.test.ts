import { describe, expect, test } from "vitest";
import { cursorOfRound } from "../../../shared/geo/sweep-cursor.ts";

describe("where a round of the sweep goes on", () => {
  test.each([[undefined], [null], [{}], [{ sweep: {} }], [{ time: "2026-11-21T10:00:00Z" }]])(
    "is the beginning when it is handed %j",
    (input) => {
      expect(cursorOfRound(input)).toBeUndefined();
    },
  );

  test("is what the last round answered", () => {
    expect(cursorOfRound({ sweep: { cursor: { "cool_widget#3": 17 }, sent: 5_000 } })).toEqual({ "cool_widget#3": 17 });
  });

  test.each([["text"], [7], [[]], [{ sweep: 7 }], [{ sweep: { cursor: [] } }], [{ sweep: { cursor: { a: "7" } } }]])(
    "can not be read from %j, and is not made up",
    (input) => {
      expect(() => cursorOfRound(input)).toThrow(/"code"|expected/i);
    },
  );
});
