import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  boundOf,
  bucketOf,
  cumulative,
  eachPart,
  figuresOf,
  growth,
  lagOf,
  packBuckets,
  packLag,
  sumBuckets,
  unpackBuckets,
  unpackLag,
} from "../../../shared/geo/lag-histogram.ts";
import { isStepDue, lastHour, NEW_WINDOW, nextStep } from "../../../shared/geo/lag-window.ts";

const DAY_MS = 86_400_000;
const WRITTEN = Date.UTC(2026, 10, 21, 19);

/** A row whose replica was verified four seconds after its source was written. */
const verified = (changes: Readonly<Record<string, unknown>> = {}) => ({
  state: 2,
  verification_state: 2,
  src_version_id: "v2",
  src_last_modified: WRITTEN,
  last_event_at: WRITTEN + 1_000,
  attempt_started_at: WRITTEN + 1_500,
  last_synced_at: WRITTEN + 3_000,
  verified_at: WRITTEN + 4_000,
  ...changes,
});
const claimed = { state: 1, verification_state: 2, src_version_id: "v1" };

describe("the lag of a version", () => {
  test("is from its writing to its replica's verification, and its parts add up to it", () => {
    const lag = lagOf(claimed, verified());
    expect(lag).toEqual({ total: 4_000, notify: 1_000, queue: 500, copy: 1_500, verify: 1_000 });
  });

  test("is told when what was copied before is verified", () => {
    const copied = { ...verified(), verification_state: 1, unproven: true };
    expect(lagOf(copied, verified())?.total).toBe(4_000);
  });

  test("has no part below zero, whatever clocks say", () => {
    const lag = lagOf(claimed, verified({ last_event_at: WRITTEN - 5, attempt_started_at: WRITTEN - 10 }));
    expect(lag).toMatchObject({ notify: 0, queue: 0 });
  });

  test.each([
    ["the row was just made", undefined, verified()],
    ["the row went", verified(), undefined],
    ["it was verified before", verified(), verified()],
    ["it was read again", { ...verified(), verification_state: 1 }, verified()],
    ["it is not verified", claimed, verified({ verification_state: 0 })],
    ["it is not synced", claimed, verified({ state: 3 })],
    ["it names no version", claimed, verified({ src_version_id: undefined })],
    ["it was written nobody knows when", claimed, verified({ src_last_modified: undefined })],
    ["it was heard of nobody knows when", claimed, verified({ last_event_at: "soon" })],
    ["its attempt has no beginning", claimed, verified({ attempt_started_at: Number.NaN })],
    ["it was copied nobody knows when", claimed, verified({ last_synced_at: undefined })],
    ["it was verified nobody knows when", claimed, verified({ verified_at: undefined })],
    ["it was older than a day when it was heard of", claimed, verified({ src_last_modified: WRITTEN - DAY_MS })],
  ])("is not told when %s", (_, before, after) => {
    expect(lagOf(before, after)).toBeUndefined();
  });
});

describe("a bucket", () => {
  test.each([
    [Number.NaN, 0],
    [0, 0],
    [250, 0],
    [251, 1],
    [500, 2],
    [501, 3],
    [1_000, 4],
    [7 * DAY_MS, 43],
    [1e15, 60],
  ])("of %d ms is %d", (ms, bucket) => {
    expect(bucketOf(ms)).toBe(bucket);
  });

  test("holds what lies above the one before it and up to its bound", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 * 365 * DAY_MS }), (ms) => {
        const bucket = bucketOf(ms);
        expect(ms).toBeLessThanOrEqual(boundOf(bucket) + 1e-6 * ms);
        expect(ms).toBeGreaterThan((bucket === 0 ? 0 : boundOf(bucket - 1)) - 1e-6 * ms);
      }),
    );
  });
});

const bucketsOf = (durations: readonly number[]) => {
  const buckets = new Map<number, number>();
  for (const ms of durations) buckets.set(bucketOf(ms), (buckets.get(bucketOf(ms)) ?? 0) + 1);
  return buckets;
};

describe("a histogram", () => {
  test("tells percentiles that are off by less than one bucket", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: DAY_MS }), { minLength: 1, maxLength: 300 }), (durations) => {
        const sorted = durations.toSorted((left, right) => left - right);
        const figures = figuresOf(bucketsOf(durations));
        expect(figures?.count).toBe(durations.length);
        for (const [share, found] of [
          [0.5, figures?.p50Ms],
          [0.99, figures?.p99Ms],
        ] as const) {
          const real = sorted[Math.ceil(share * sorted.length) - 1] ?? 0;
          expect(Math.abs(bucketOf(found ?? -1) - bucketOf(real))).toBeLessThanOrEqual(1);
        }
        expect(figures?.maxMs).toBeGreaterThanOrEqual(Math.floor(sorted.at(-1) ?? 0));
        expect(bucketOf(figures?.maxMs ?? -1) - bucketOf(sorted.at(-1) ?? 0)).toBeLessThanOrEqual(1);
      }),
    );
  });

  test("without anything in it comes to nothing", () => {
    expect(figuresOf(new Map([[3, 0]]))).toBeUndefined();
    expect(cumulative({ buckets: new Map(), sumMs: 0 })).toEqual({ buckets: [], count: 0, sumSeconds: 0 });
  });

  test("is told with ascending bounds of a quarter of a second to a little over seven days, and with what is beyond", () => {
    const { buckets, count, sumSeconds } = cumulative({
      buckets: new Map([
        [0, 2],
        [4, 1],
        [50, 3],
      ]),
      sumMs: 5_500,
    });
    expect(buckets[0]).toEqual({ upToSeconds: 0.25, count: 2 });
    expect(buckets.find(({ upToSeconds }) => upToSeconds === 1)).toEqual({ upToSeconds: 1, count: 3 });
    expect(buckets.at(-1)?.upToSeconds).toBeGreaterThan(7 * 86_400);
    expect(buckets.at(-1)?.count).toBe(3);
    expect({ count, sumSeconds }).toEqual({ count: 6, sumSeconds: 5.5 });
  });

  test("is packed and unpacked without a loss", () => {
    const buckets = fc
      .array(fc.tuple(fc.nat({ max: 60 }), fc.integer({ min: 1, max: 1e9 })), { maxLength: 20 })
      .map((entries) => new Map(entries));
    fc.assert(
      fc.property(fc.array(buckets, { minLength: 5, maxLength: 5 }), (parts) => {
        const [total = new Map(), notify = new Map(), queue = new Map(), copy = new Map(), verify = new Map()] = parts;
        const lag = { total, notify, queue, copy, verify };
        const back = unpackLag(packLag(lag));
        for (const part of ["total", "notify", "queue", "copy", "verify"] as const) {
          expect(Object.fromEntries(back[part])).toEqual(Object.fromEntries(lag[part]));
        }
      }),
    );
    expect(
      packBuckets(
        new Map([
          [3, 36],
          [5, 1],
        ]),
      ),
    ).toBe("3,10,,1");
    expect([...unpackBuckets("")]).toEqual([]);
    expect(unpackLag("").verify.size).toBe(0);
  });

  test("that became smaller has begun anew, and has not grown", () => {
    expect([
      ...growth(
        new Map([
          [1, 2],
          [2, 5],
        ]),
        new Map([
          [1, 4],
          [2, 3],
        ]),
      ),
    ]).toEqual([[2, 2]]);
  });
});

/** The same durations in every part. */
const lagBuckets = (durations: readonly number[]) => eachPart(() => bucketsOf(durations));

describe("the last hour", () => {
  test("holds what has been counted for between 60 and 65 minutes", () => {
    let window = NEW_WINDOW;
    let all: number[] = [];
    for (let minute = 0; minute <= 240; minute += 1) {
      const now = WRITTEN + minute * 60_000;
      all = [...all, 1_000];
      const counted = lagBuckets(all);
      const recent = lastHour(window, "cool_widget", counted, now).total;
      const count = figuresOf(recent)?.count ?? 0;
      expect(count).toBeGreaterThanOrEqual(Math.min(60, minute + 1));
      expect(count).toBeLessThanOrEqual(Math.min(66, minute + 1));
      if (isStepDue(window, now)) window = nextStep(window, new Map([["cool_widget", counted]]), now);
      expect(window.steps.length).toBeLessThanOrEqual(13);
    }
    // Nothing more happens, and an hour later nothing has.
    const end = WRITTEN + 310 * 60_000;
    expect(lastHour(window, "cool_widget", sumOf(window.base["cool_widget"]), end).total.size).toBe(0);
  });

  test("is told anew when a clock that was a day ahead has kept it", () => {
    const one = new Map([["cool_widget", lagBuckets([1_000])]]);
    const ahead = nextStep(NEW_WINDOW, one, WRITTEN + 24 * 3_600_000);
    const two = lagBuckets([1_000, 1_000]);
    expect(isStepDue(ahead, WRITTEN)).toBe(true);
    expect(figuresOf(lastHour(ahead, "cool_widget", two, WRITTEN).total)?.count).toBe(1);
    const window = nextStep(ahead, new Map([["cool_widget", two]]), WRITTEN);
    expect(window).toMatchObject({ steppedAt: WRITTEN, steps: [{ until: WRITTEN }] });
    expect(isStepDue(window, WRITTEN + 60_000)).toBe(false);
  });

  test("leaves out types in which nothing happened", () => {
    const window = nextStep(
      NEW_WINDOW,
      new Map([
        ["cool_widget", lagBuckets([])],
        ["upload", lagBuckets([1])],
      ]),
      1,
    );
    expect(Object.keys(window.base)).toEqual(["upload"]);
    expect(Object.keys(window.steps[0]?.grown ?? {})).toEqual(["upload"]);
  });
});

const sumOf = (packed: string | undefined) => {
  const lag = unpackLag(packed ?? "");
  return eachPart((part) => sumBuckets([lag[part]]));
};
