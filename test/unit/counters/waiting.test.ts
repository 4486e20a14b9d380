import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  BACKLOG_AGE_BOUNDS,
  backlogOf,
  clockAt,
  coarsened,
  granuleOf,
  granuleStart,
  sumWaiting,
  waitingSince,
} from "../../../shared/geo/waiting-ages.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const NOW = Date.UTC(2026, 10, 21, 19, 30);

describe("a granule", () => {
  test.each([
    ["a minute for the last two whole hours", 0, "m", MINUTE_MS],
    ["a minute at their beginning", 2 * HOUR_MS, "m", MINUTE_MS],
    ["an hour before that", 3 * HOUR_MS, "h", HOUR_MS],
    ["an hour for three days", 3 * DAY_MS, "h", HOUR_MS],
    ["a day before that", 4 * DAY_MS, "d", DAY_MS],
    ["a day for sixty days", 60 * DAY_MS, "d", DAY_MS],
    ["thirty days before that", 95 * DAY_MS, "t", 30 * DAY_MS],
  ])("is %s", (_, age, kind, length) => {
    const since = NOW - age;
    const granule = granuleOf(since, clockAt(NOW));
    expect(granule.slice(0, 1)).toBe(kind);
    const start = granuleStart(granule) ?? Number.NaN;
    expect(start).toBeLessThanOrEqual(since);
    expect(since - start).toBeLessThan(length);
  });

  test("is a minute for what has not come yet, and whatever the time while there is no clock", () => {
    expect(granuleOf(NOW + DAY_MS, clockAt(NOW))).toMatch(/^m/);
    expect(granuleOf(NOW - 400 * DAY_MS, 0)).toMatch(/^m/);
  });

  test.each(["", "m", "x1", "m1.5", "m-1", "m1234567890123"])("is not %j, which stays what it is", (name) => {
    expect(granuleStart(name)).toBeUndefined();
    expect(coarsened(name, clockAt(NOW))).toBe(name);
  });

  test("lies inside one granule of every later clock, by whatever clocks it came there", () => {
    const time = fc.integer({ min: 0, max: NOW });
    fc.assert(
      fc.property(time, time, time, (since, one, other) => {
        const [early, late] = [Math.min(one, other), Math.max(one, other)].map(clockAt) as [number, number];
        expect(coarsened(granuleOf(since, early), late)).toBe(granuleOf(since, late));
        expect(coarsened(granuleOf(since, late), early)).toBe(granuleOf(since, late));
      }),
      { numRuns: 2_000 },
    );
  });

  test("is one of a few hundred, however many times rows wait since, for a year", () => {
    const clock = clockAt(NOW);
    const granules = new Set<string>();
    for (let age = 0; age < 365 * DAY_MS; age += MINUTE_MS) granules.add(granuleOf(NOW - age, clock));
    expect(granules.size).toBeLessThan(400);
  });
});

describe("a row waits", () => {
  test.each([
    ["since it was first heard of", { state: 3, waiting_since: 5, last_event_at: 9 }, 5],
    ["since its last hint, when it does not say", { state: 0, last_event_at: 9, created_at: 2 }, 9],
    ["since it was made, when nobody hinted at it", { state: 1, created_at: 2 }, 2],
  ])("%s", (_, row, since) => {
    expect(waitingSince(row)).toBe(since);
  });

  test.each([
    ["there is none", undefined],
    ["it is synced", { state: 2, waiting_since: 5 }],
    ["it is a tombstone", { state: 5, waiting_since: 5 }],
    ["it is a primary's", { verification_state: 0, created_at: 5 }],
    ["it tells no time", { state: 0 }],
    ["its times are no times", { state: 0, waiting_since: "5", last_event_at: -1, created_at: 1.5 }],
  ])("for nothing when %s", (_, row) => {
    expect(waitingSince(row)).toBeUndefined();
  });
});

describe("what waits", () => {
  test("is told by the oldest, and in bands of age", () => {
    const ages = [0, 1, 4, 10, 40, 60 * 5, 60 * 20, 60 * 24 * 6, 60 * 24 * 90];
    const granules = ages.map((minutes) => granuleOf(NOW - minutes * MINUTE_MS, clockAt(NOW)));
    const waiting = sumWaiting([new Map(granules.map((granule, index) => [granule, index + 1]))], clockAt(NOW));
    const { oldestSince, ages: bands } = backlogOf(waiting, NOW);
    expect(oldestSince).toBe((granuleStart(granules.at(-1) ?? "") ?? 0) / 1_000);
    expect(bands.map(({ upToSeconds }) => upToSeconds)).toEqual([...BACKLOG_AGE_BOUNDS, undefined]);
    expect(bands.map(({ rows }) => rows)).toEqual([3, 3, 4, 5, 6, 7, 8, 9]);
  });

  test("is nothing where counters of two shards cancel out, and less than nothing counts as nothing", () => {
    const minute = granuleOf(NOW, 0);
    expect([...sumWaiting([new Map([[minute, 1]]), new Map([[minute, -1]])], 0)]).toEqual([]);
    const backlog = backlogOf(
      new Map([
        [minute, -2],
        ["w", 3],
      ]),
      NOW,
    );
    expect(backlog.oldestSince).toBeUndefined();
    expect(backlog.ages.every(({ rows }) => rows === 0)).toBe(true);
  });

  test("is the same from counters that were written by different clocks", () => {
    const since = NOW - 5 * HOUR_MS;
    const [put, taken] = [granuleOf(since, clockAt(since)), granuleOf(since, clockAt(NOW))];
    expect(put).not.toBe(taken);
    expect([...sumWaiting([new Map([[put, 1]]), new Map([[taken, -1]])], clockAt(NOW))]).toEqual([]);
  });
});
