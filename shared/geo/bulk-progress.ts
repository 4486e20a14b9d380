import type { BulkSelection } from "./bulk-request.ts";
import { type BulkSource, sourceOf } from "./bulk-selection.ts";
import { DUE_PARTITIONS } from "./limits.ts";
import { ROW_PARTITIONS } from "./registry-row.ts";

/** `succeeded`: every selected row was asked for. What becomes of it then is the row's to say. */
export type BulkState = "running" | "succeeded" | "failed" | "cancelled";

/** Where a walk through the rows goes on: it only ever moves forward. */
export interface BulkCursor {
  /** Which of the request's types. */
  readonly type: number;
  /** Which of its partitions. */
  readonly partition: number;
  /** The key of the last row that was looked at in it; absent at its beginning. */
  readonly startAfter?: Readonly<Record<string, string | number>>;
}

/** What was done so far. */
export interface BulkCounts {
  /** Rows that were read. */
  readonly lookedAt: number;
  /** Rows that were asked for what the request wants. */
  readonly changed: number;
  /** Rows that are selected, and of which it need not be asked. */
  readonly skipped: number;
}

export const NO_COUNTS: BulkCounts = { lookedAt: 0, changed: 0, skipped: 0 };

/** A request, and how far it has come. */
export interface BulkUpdate {
  readonly id: string;
  readonly selection: BulkSelection;
  readonly state: BulkState;
  /** The name of the operator's token. */
  readonly askedBy: string;
  /** Milliseconds since the epoch. */
  readonly askedAt: number;
  readonly updatedAt: number;
  readonly endedAt: number | undefined;
  /** Why it failed. */
  readonly failure: string | undefined;
  readonly cursor: BulkCursor;
  readonly counts: BulkCounts;
  /** Types that were stepped over, wholly or from some row on, since they were switched off. */
  readonly switchedOff: readonly string[];
  /** Pages of rows that are done with. */
  readonly pages: number;
  /** The present execution of the workflow: 1, and one more for each that went on after another. */
  readonly execution: number;
  /** How many pages there were when it began. */
  readonly pagesAtStart: number;
  /** Counts every write of the record. */
  readonly rev: number;
}

/** Rows of one page: Geo's own batch. */
export const BULK_PAGE_ROWS = 1_000;

/** How long one run of the function works, milliseconds: Geo's own. Then the workflow calls it again. */
export const BULK_SLICE_MS = 20_000;

/** How long the same request is not taken again after it was done, milliseconds: Geo's own. */
export const BULK_SAME_MS = 60 * 60 * 1_000;

/**
 * How long an ended request is remembered, milliseconds. Longer than the 90 days for which Step Functions does not give away
 * the name of an execution again: the numbers of executions go on from what is remembered.
 */
export const BULK_KEPT_MS = 120 * 24 * 60 * 60 * 1_000;

/** No more rows are handed over while this many keys wait in the queue that they go to: as walks do. */
export const BULK_BACKLOG_KEYS_MAX = 20_000;

/** How long to wait then, seconds. */
export const BULK_BACKLOG_WAIT_SECONDS = 30;

/** How long to wait when a queue did not take what was handed over, seconds. */
export const BULK_QUEUE_WAIT_SECONDS = 5;

/** How far ahead the due index is looked through, milliseconds: no row waits longer than a day. */
export const BULK_DUE_WINDOW_MS = 24 * 60 * 60 * 1_000;

const PARTITIONS: Readonly<Record<BulkSource, number>> = {
  keys: 1,
  due: DUE_PARTITIONS,
  partitions: ROW_PARTITIONS,
};

/** How many partitions each type has to be looked for in. */
export const partitionsOf = (selection: BulkSelection): number => PARTITIONS[sourceOf(selection)];

/** Where to go on `partitions` further, at their beginning; undefined when that was the last one. */
export const cursorAfter = (
  selection: BulkSelection,
  { type, partition }: BulkCursor,
  partitions: number,
): BulkCursor | undefined => {
  const next = partition + partitions;
  if (next < partitionsOf(selection)) return { type, partition: next };
  return type + 1 < selection.replicableNames.length ? { type: type + 1, partition: 0 } : undefined;
};

/** Partitions that are asked at the same time, at most. */
const WIDTH_MAX = 16;

/**
 * How many partitions to ask at the same time: so many that what they hold is about one page. A type of a few rows has
 * thousands of empty partitions, and one of many would show a page of each of which all but the first are thrown away.
 *
 * @param rows how many rows the last partitions held
 * @param partitions how many those were
 */
export const nextWidth = (rows: number, partitions: number): number =>
  Math.min(WIDTH_MAX, Math.max(1, Math.floor(BULK_PAGE_ROWS / (2 * (rows / partitions) + 1))));

/** The answer of the API. */
export interface BulkUpdateAnswer {
  readonly id: string;
  readonly action: string;
  /** Null: every type. */
  readonly replicable_name: string | null;
  /** How many keys were named; null when all rows were meant. */
  readonly keys_count: number | null;
  readonly replication_state: string | null;
  readonly verification_state: string | null;
  readonly failure: string | null;
  readonly state: BulkState;
  readonly asked_by: string;
  /** ISO 8601, UTC. */
  readonly asked_at: string;
  readonly updated_at: string;
  readonly ended_at: string | null;
  readonly looked_at_count: number;
  readonly changed_count: number;
  readonly skipped_count: number;
  /** Types of which nothing, or nothing more, was asked, since they were switched off. */
  readonly switched_off: readonly string[];
  /** The type that is being walked through; null once it has ended. */
  readonly position: string | null;
  /** Between 0 and 1, by partitions. */
  readonly share_done: number;
  /** At the pace that it has had so far; null when it can not be told. */
  readonly estimated_seconds_left: number | null;
  readonly error: string | null;
}

const iso = (time: number): string => new Date(time).toISOString();

const shareDone = ({ selection, cursor, state }: BulkUpdate): number => {
  if (state === "succeeded") return 1;
  const partitions = partitionsOf(selection);
  const share = (cursor.type * partitions + cursor.partition) / (selection.replicableNames.length * partitions);
  return Math.floor(share * 10_000) / 10_000;
};

/** What the API says of a request. */
export const bulkUpdateAnswer = (update: BulkUpdate, now: number): BulkUpdateAnswer => {
  const { selection, state, counts, cursor } = update;
  const [only, ...others] = selection.replicableNames;
  const share = shareDone(update);
  const isRunning = state === "running";
  return {
    id: update.id,
    action: selection.action,
    replicable_name: others.length === 0 ? (only ?? null) : null,
    keys_count: selection.keys?.length ?? null,
    replication_state: selection.replicationState ?? null,
    verification_state: selection.verificationState ?? null,
    failure: selection.failure ?? null,
    state,
    asked_by: update.askedBy,
    asked_at: iso(update.askedAt),
    updated_at: iso(update.updatedAt),
    ended_at: update.endedAt === undefined ? null : iso(update.endedAt),
    looked_at_count: counts.lookedAt,
    changed_count: counts.changed,
    skipped_count: counts.skipped,
    switched_off: update.switchedOff,
    position: isRunning ? (selection.replicableNames[cursor.type] ?? null) : null,
    share_done: share,
    estimated_seconds_left:
      isRunning && share > 0 ? Math.ceil(((now - update.askedAt) / 1_000) * (1 / share - 1)) : null,
    error: update.failure ?? null,
  };
};
