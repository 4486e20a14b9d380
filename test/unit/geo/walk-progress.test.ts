import { describe, expect, test } from "vitest";
import { NO_FINDINGS } from "../../../shared/geo/consistency.ts";
import { type RangeFacts, walkProgress, type WalkFacts } from "../../../shared/geo/walk-progress.ts";

const START = Date.UTC(2026, 10, 1, 12);

const walk = (changes: Partial<WalkFacts> = {}): WalkFacts => ({
  reason: "scheduled",
  ranges: 1,
  startedAt: START,
  finishedAt: undefined,
  findings: NO_FINDINGS,
  ...changes,
});

const range = (listed: number, changes: Partial<RangeFacts> = {}): RangeFacts => ({
  seenUntil: undefined,
  done: false,
  findings: { ...NO_FINDINGS, listed },
  ...changes,
});

describe("the progress of a walk", () => {
  test("is nothing before the first", () => {
    expect(walkProgress(undefined, [], 5, START)).toMatchObject({
      state: "never",
      reason: null,
      started_at: null,
      share_done: null,
      estimated_seconds_left: null,
    });
  });

  test("is told by the keys that it has listed of those that the site has rows of, at the pace so far", () => {
    const ranges = [
      range(200, { done: true }),
      range(50, {
        seenUntil: "cool_widgets/7 é/widget.bin",
        findings: { ...NO_FINDINGS, listed: 50, missing: 3, stale: 2, orphan: 1, enqueued: 6 },
      }),
      range(0, { seenUntil: "cool_widgets/9/widget.bin" }),
    ];
    expect(walkProgress(walk({ ranges: 3 }), ranges, 1_000, START + 60_000)).toEqual({
      state: "under_way",
      reason: "scheduled",
      started_at: "2026-11-01T12:00:00.000Z",
      finished_at: null,
      ranges_count: 3,
      ranges_done_count: 1,
      listed_count: 250,
      found_missing_count: 3,
      found_stale_count: 2,
      found_orphan_count: 1,
      found_out_of_scope_count: 0,
      enqueued_count: 6,
      position: "cool_widgets/7%20%C3%A9/widget.bin",
      share_done: 0.25,
      estimated_seconds_left: 180,
    });
  });

  test("is never all of it while it goes on, however many keys have come since they were counted", () => {
    expect(walkProgress(walk(), [range(5_000)], 1_000, START + 99_000)).toMatchObject({
      share_done: 0.99,
      estimated_seconds_left: 1,
    });
  });

  test("of a first walk can be told by its ranges, and not when it is in one piece", () => {
    const first = walk({ reason: "first", ranges: 4 });
    const ranges = [range(10, { done: true }), range(5), range(0), range(0)];
    expect(walkProgress(first, ranges, 15, START + 30_000)).toMatchObject({
      share_done: 0.25,
      estimated_seconds_left: 90,
    });
    expect(walkProgress(walk({ reason: "first" }), [range(5_000)], 5_000, START + 30_000)).toMatchObject({
      listed_count: 5_000,
      share_done: null,
      estimated_seconds_left: null,
    });
  });

  test("has no estimate before it has listed anything, nor a position, and no time below zero", () => {
    expect(walkProgress(walk(), [range(0)], 1_000, START - 5_000)).toMatchObject({
      position: null,
      share_done: 0,
      estimated_seconds_left: null,
    });
    expect(walkProgress(walk(), [range(500)], 1_000, START - 5_000)).toMatchObject({ estimated_seconds_left: 0 });
    expect(walkProgress(walk(), [], 0, START)).toMatchObject({ share_done: null });
  });

  test("is over when it is finished, with what it found in all", () => {
    const findings = { ...NO_FINDINGS, listed: 900, missing: 4, enqueued: 4 };
    expect(
      walkProgress(walk({ ranges: 2, finishedAt: START + 1_000, findings }), [], 900, START + 9_000),
    ).toMatchObject({
      state: "finished",
      finished_at: "2026-11-01T12:00:01.000Z",
      ranges_count: 2,
      ranges_done_count: 2,
      listed_count: 900,
      found_missing_count: 4,
      enqueued_count: 4,
      position: null,
      share_done: 1,
      estimated_seconds_left: 0,
    });
  });
});
