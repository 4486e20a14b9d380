import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CURSOR_KEY_BYTES, CURSOR_LENGTH_MAX, readCursor, signCursor } from "../../../shared/geo/signed-cursor.ts";

const SECRET = new Uint8Array(CURSOR_KEY_BYTES).fill(7);
const PLACE = { partition: 17, key: "lfs_objects/42/4c", time: 5 } as const;

describe("a cursor", () => {
  test("leads back to the place that it was made of, whatever the key", () => {
    const place = fc.record({
      partition: fc.integer({ min: 0, max: 4_095 }),
      key: fc.string({ unit: "grapheme", minLength: 1, maxLength: 200 }),
      time: fc.option(fc.integer()),
    });
    fc.assert(
      fc.property(place, fc.string(), (one, binding) => {
        expect(readCursor(SECRET, binding, signCursor(SECRET, binding, one))).toEqual(one);
      }),
    );
  });

  test("may stand behind a whole partition", () => {
    expect(readCursor(SECRET, "list", signCursor(SECRET, "list", { partition: 3 }))).toEqual({
      partition: 3,
      time: null,
    });
  });

  test("is never longer than what is looked at, even of a key whose characters JSON has to escape", () => {
    const longest = { partition: 4_095, key: "\u0001".repeat(1_024), time: -8_640_000_000_000_000 };
    const cursor = signCursor(SECRET, "list", longest);
    expect(cursor.length).toBeLessThanOrEqual(CURSOR_LENGTH_MAX);
    expect(readCursor(SECRET, "list", cursor)).toEqual(longest);
    expect(readCursor(SECRET, "list", "A".repeat(CURSOR_LENGTH_MAX + 1))).toBeUndefined();
  });

  test("says nothing to another list, and nothing under another secret", () => {
    const cursor = signCursor(SECRET, "list", PLACE);
    expect(readCursor(SECRET, "other list", cursor)).toBeUndefined();
    expect(readCursor(new Uint8Array(CURSOR_KEY_BYTES), "list", cursor)).toBeUndefined();
    // Nothing can be moved from the place into what it is bound to.
    expect(readCursor(SECRET, `list","${cursor}`, cursor)).toBeUndefined();
  });

  test("says nothing once a single character of it is another one", () => {
    const cursor = signCursor(SECRET, "list", PLACE);
    for (let index = 0; index < cursor.length; index += 1) {
      for (const other of "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.= ") {
        if (cursor[index] === other) continue;
        const changed = cursor.slice(0, index) + other + cursor.slice(index + 1);
        expect(readCursor(SECRET, "list", changed)).toBeUndefined();
      }
    }
  });

  test.each(["", ".", "a.b", "nothing", `.${"A".repeat(43)}`])("is not %j", (text) => {
    expect(readCursor(SECRET, "list", text)).toBeUndefined();
  });
});
