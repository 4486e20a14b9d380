import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isRoundDue, listedBefore, roundEveryMs } from "../../../shared/geo/record-round.ts";
import { REVERIFICATION_DAYS } from "../../../shared/geo/site-settings.ts";

const DAY_MS = 24 * 60 * 60 * 1_000;

describe("rounds through the records of a type", () => {
  test("come once a week, and twice in the time after which an object is read again where that is short", () => {
    expect(roundEveryMs(REVERIFICATION_DAYS.standard)).toBe(7 * DAY_MS);
    expect(roundEveryMs(14)).toBe(7 * DAY_MS);
    expect(roundEveryMs(2)).toBe(DAY_MS);
    expect(roundEveryMs(1)).toBe(DAY_MS / 2);
    expect(roundEveryMs(0)).toBe(DAY_MS / 2);
  });

  test("list every record before its time, however a round falls, and none much sooner (F30)", () => {
    const days = fc.integer({ min: REVERIFICATION_DAYS.least, max: REVERIFICATION_DAYS.most });
    fc.assert(
      fc.property(
        days,
        fc.integer({ min: 0, max: 10 * 365 * DAY_MS }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (n, verifiedAt, part) => {
          const timeHasCome = verifiedAt + n * DAY_MS;
          const everyMs = roundEveryMs(n);
          // The last round that began a whole interval before then, wherever in it the row was read.
          expect(verifiedAt).toBeLessThanOrEqual(listedBefore(n, timeHasCome - everyMs - part * everyMs));
          expect(verifiedAt).toBeGreaterThan(listedBefore(n, timeHasCome - 2 * everyMs - 1));
        },
      ),
    );
  });

  test("go on where they were left, and otherwise wait for their time", () => {
    expect(isRoundDue({ partition: 16, finishedAt: 0 }, 90, 1)).toBe(true);
    expect(isRoundDue({ partition: undefined, finishedAt: 0 }, 90, 7 * DAY_MS - 1)).toBe(false);
    expect(isRoundDue({ partition: undefined, finishedAt: 0 }, 90, 7 * DAY_MS)).toBe(true);
  });
});
