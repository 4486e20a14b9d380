import { describe, expect, test } from "vitest";
import {
  BULK_PAGE_ROWS,
  type BulkCursor,
  type BulkUpdate,
  bulkUpdateAnswer,
  cursorAfter,
  NO_COUNTS,
  nextWidth,
  partitionsOf,
} from "../../../shared/geo/bulk-progress.ts";
import type { BulkSelection } from "../../../shared/geo/bulk-request.ts";
import { BULK_STEPS, readBulkStep } from "../../../shared/geo/bulk-step.ts";
import { DUE_PARTITIONS } from "../../../shared/geo/limits.ts";
import { ROW_PARTITIONS } from "../../../shared/geo/registry-row.ts";

const everything: BulkSelection = { action: "resync", replicableNames: ["lfs_object", "upload"] };
const failed: BulkSelection = { action: "retry_now", replicableNames: ["lfs_object"] };
const one: BulkSelection = { action: "resync", replicableNames: ["upload"], keys: ["uploads/a", "uploads/b"] };

describe("the way through the rows", () => {
  test("comes by every partition of every type once, and has an end", () => {
    for (const [selection, partitions] of [
      [everything, ROW_PARTITIONS],
      [failed, DUE_PARTITIONS],
      [one, 1],
    ] as const) {
      expect(partitionsOf(selection)).toBe(partitions);
      const seen: string[] = [];
      let cursor: BulkCursor | undefined = { type: 0, partition: 0 };
      while (cursor !== undefined) {
        seen.push(`${cursor.type}/${cursor.partition}`);
        cursor = cursorAfter(selection, cursor, 1);
      }
      expect(new Set(seen).size).toBe(seen.length);
      expect(seen).toHaveLength(partitions * selection.replicableNames.length);
    }
  });

  test("goes from the last partition of a type to the first one of the next", () => {
    expect(cursorAfter(everything, { type: 0, partition: ROW_PARTITIONS - 16 }, 16)).toEqual({ type: 1, partition: 0 });
    expect(cursorAfter(everything, { type: 1, partition: ROW_PARTITIONS - 1 }, 1)).toBeUndefined();
  });
});

test("partitions that hold little are asked many at once, and full ones one by one", () => {
  expect(nextWidth(0, 1)).toBe(16);
  expect(nextWidth(0, 16)).toBe(16);
  expect(nextWidth(16 * 25, 16)).toBe(16);
  expect(nextWidth(100, 1)).toBe(4);
  expect(nextWidth(BULK_PAGE_ROWS, 1)).toBe(1);
});

const update = (rest: Partial<BulkUpdate> = {}): BulkUpdate => ({
  id: "0123456789abcdef",
  selection: everything,
  state: "running",
  askedBy: "alice",
  askedAt: 0,
  updatedAt: 60_000,
  endedAt: undefined,
  failure: undefined,
  cursor: { type: 1, partition: 0 },
  counts: { lookedAt: 10, changed: 6, skipped: 4 },
  switchedOff: ["lfs_object"],
  pages: 3,
  execution: 1,
  pagesAtStart: 0,
  rev: 4,
  ...rest,
});

describe("what is said of a request", () => {
  test("is what was asked, by whom, what was done, and how long it will take at this pace (F77)", () => {
    expect(bulkUpdateAnswer(update(), 60_000)).toEqual({
      id: "0123456789abcdef",
      action: "resync",
      replicable_name: null,
      keys_count: null,
      replication_state: null,
      verification_state: null,
      failure: null,
      state: "running",
      asked_by: "alice",
      asked_at: "1970-01-01T00:00:00.000Z",
      updated_at: "1970-01-01T00:01:00.000Z",
      ended_at: null,
      looked_at_count: 10,
      changed_count: 6,
      skipped_count: 4,
      switched_off: ["lfs_object"],
      position: "upload",
      share_done: 0.5,
      estimated_seconds_left: 60,
      error: null,
    });
  });

  test("names the only type, the states and how many keys, where these were named", () => {
    expect(bulkUpdateAnswer(update({ selection: one, cursor: { type: 0, partition: 0 } }), 0)).toMatchObject({
      replicable_name: "upload",
      keys_count: 2,
    });
    const selection = { ...failed, replicationState: "failed", verificationState: "failed", failure: "kms" } as const;
    expect(bulkUpdateAnswer(update({ selection }), 0)).toMatchObject({
      replication_state: "failed",
      verification_state: "failed",
      failure: "kms",
    });
  });

  test("is no guess before anything was done, nor after the end", () => {
    const begun = update({ cursor: { type: 0, partition: 0 }, counts: NO_COUNTS });
    expect(bulkUpdateAnswer(begun, 1_000)).toMatchObject({ share_done: 0, estimated_seconds_left: null });
    const done = update({ state: "succeeded", endedAt: 90_000 });
    expect(bulkUpdateAnswer(done, 1_000_000)).toMatchObject({
      share_done: 1,
      estimated_seconds_left: null,
      position: null,
      ended_at: "1970-01-01T00:01:30.000Z",
    });
    expect(bulkUpdateAnswer(update({ state: "failed", failure: "no table" }), 0)).toMatchObject({
      share_done: 0.5,
      error: "no table",
    });
  });

  test("holds for a site without any type", () => {
    const nothing = { action: "resync", replicableNames: [] } as const;
    expect(bulkUpdateAnswer(update({ selection: nothing, state: "succeeded" }), 0)).toMatchObject({
      replicable_name: null,
      position: null,
    });
    expect(bulkUpdateAnswer(update({ selection: nothing, cursor: { type: 0, partition: 0 } }), 0).position).toBeNull();
  });
});

describe("a step of the workflow", () => {
  const asked = { bulk_id: "0123456789abcdef", execution: 2 };

  test("is read from the machine's input", () => {
    for (const step of BULK_STEPS) {
      expect(readBulkStep({ ...asked, step })).toEqual({ step, id: asked.bulk_id, execution: 2, reason: "" });
    }
  });

  test.each([
    [{ Error: "Error", Cause: '{"errorMessage":"no table","trace":[]}' }, "Error: no table"],
    [{ Error: "States.Timeout", Cause: "" }, "States.Timeout"],
    [{ Error: "States.TaskFailed", Cause: "no JSON" }, "States.TaskFailed: no JSON"],
    [{ Cause: "[]" }, "[]"],
    [{}, ""],
  ])("says why the function failed: %j", (failure, reason) => {
    expect(readBulkStep({ ...asked, step: "note_failure", failure }).reason).toBe(reason);
  });

  test.each([undefined, {}, { ...asked, step: "stop" }, { ...asked, step: "slice", bulk_id: "../x" }])(
    "that is none is refused: %j",
    (input) => {
      expect(() => readBulkStep(input)).toThrow(/^this is no step of a bulk update: /);
    },
  );
});
