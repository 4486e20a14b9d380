import * as z from "zod/mini";
import type { BulkCounts, BulkCursor, BulkState, BulkUpdate } from "../../geo/bulk-progress.ts";
import { BULK_ACTIONS, type BulkSelection } from "../../geo/bulk-request.ts";
import { GeoError } from "../../geo/errors.ts";
import { failureKinds } from "../../geo/failure-kind.ts";
import { SITE_TABLE_PARTITIONS } from "../../geo/physical-names.ts";
import { REPLICATION_STATE, type ReplicationState } from "../../geo/replication-state.ts";
import { VERIFICATION_STATE, type VerificationState } from "../../geo/verification-state.ts";
import type { DeleteRequest, Item, ItemKey, QueryRequest, UpdateRequest } from "../../ports/table.ts";
import { writeColumns } from "../write-columns.ts";

/** Where the request of an id stands: one item each, in which a later one of the same replaces what has ended. */
export const bulkUpdateKey = (id: string): ItemKey => ({ pk: SITE_TABLE_PARTITIONS.bulkUpdate, sk: id });

const StoredBulkUpdate = z.object({
  sk: z.string(),
  action: z.enum(BULK_ACTIONS),
  replicable_names: z.array(z.string()),
  object_keys: z.optional(z.array(z.string())),
  replication_state: z.optional(z.enum(Object.keys(REPLICATION_STATE) as ReplicationState[])), // it has no other keys
  verification_state: z.optional(z.enum(Object.keys(VERIFICATION_STATE) as VerificationState[])),
  failure_kind: z.optional(z.enum(failureKinds)),
  bulk_state: z.enum(["running", "succeeded", "failed", "cancelled"]),
  asked_by: z.string(),
  asked_at: z.number(),
  updated_at: z.number(),
  ended_at: z.optional(z.number()),
  failure: z.optional(z.string()),
  cursor_type: z.number(),
  cursor_partition: z.number(),
  cursor_after: z.optional(z.record(z.string(), z.union([z.string(), z.number()]))),
  looked_at: z.number(),
  changed: z.number(),
  skipped: z.number(),
  switched_off: z._default(z.array(z.string()), []),
  pages: z.number(),
  execution: z.number(),
  pages_at_start: z.number(),
  rev: z.number(),
});

/** Parses a stored request. Throws `GEO_UNREADABLE_ROW` on an item that is none. */
export const parseBulkUpdate = (item: Item): BulkUpdate => {
  const parsed = z.safeParse(StoredBulkUpdate, item);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; ");
    throw new GeoError("GEO_UNREADABLE_ROW", `a bulk update can not be read: ${problems}`, { cause: parsed.error });
  }
  const { data } = parsed;
  const selection: BulkSelection = {
    action: data.action,
    replicableNames: data.replicable_names,
    ...(data.object_keys === undefined ? {} : { keys: data.object_keys }),
    ...(data.replication_state === undefined ? {} : { replicationState: data.replication_state }),
    ...(data.verification_state === undefined ? {} : { verificationState: data.verification_state }),
    ...(data.failure_kind === undefined ? {} : { failure: data.failure_kind }),
  };
  return {
    id: data.sk,
    selection,
    state: data.bulk_state,
    askedBy: data.asked_by,
    askedAt: data.asked_at,
    updatedAt: data.updated_at,
    endedAt: data.ended_at,
    failure: data.failure,
    cursor: {
      type: data.cursor_type,
      partition: data.cursor_partition,
      ...(data.cursor_after === undefined ? {} : { startAfter: data.cursor_after }),
    },
    counts: { lookedAt: data.looked_at, changed: data.changed, skipped: data.skipped },
    switchedOff: data.switched_off,
    pages: data.pages,
    execution: data.execution,
    pagesAtStart: data.pages_at_start,
    rev: data.rev,
  };
};

/** As the record was seen: every write counts in it, so that of two who have seen the same one only one writes. */
const asSeen = ({ rev }: Pick<BulkUpdate, "rev">) => ({ condition: "rev = :seen_rev", values: { ":seen_rev": rev } });

/**
 * A request from its beginning, in place of an ended one of the same if there is one. Refused when somebody else has begun
 * one since that was seen.
 * @param before what stands there now
 */
export const beginBulkUpdate = (
  id: string,
  selection: BulkSelection,
  before: BulkUpdate | undefined,
  { askedBy, now }: { readonly askedBy: string; readonly now: number },
): readonly [Item & ItemKey, Pick<UpdateRequest, "condition" | "values">] => {
  const { action, replicableNames, keys, replicationState, verificationState, failure } = selection;
  const item = {
    ...bulkUpdateKey(id),
    action,
    replicable_names: replicableNames,
    ...(keys === undefined ? {} : { object_keys: keys }),
    ...(replicationState === undefined ? {} : { replication_state: replicationState }),
    ...(verificationState === undefined ? {} : { verification_state: verificationState }),
    ...(failure === undefined ? {} : { failure_kind: failure }),
    bulk_state: "running",
    asked_by: askedBy,
    asked_at: now,
    updated_at: now,
    cursor_type: 0,
    cursor_partition: 0,
    looked_at: 0,
    changed: 0,
    skipped: 0,
    pages: 0,
    // The names of executions are given away once: they go on where the last one of the same request ended.
    execution: (before?.execution ?? 0) + 1,
    pages_at_start: 0,
    rev: (before?.rev ?? 0) + 1,
  };
  return [item, before === undefined ? { condition: "attribute_not_exists(pk)" } : asSeen(before)];
};

/** Has another execution go on with it. Refused when it has been written since it was seen. */
export const goOnWithBulkUpdate = (seen: BulkUpdate, now: number): UpdateRequest =>
  writeColumns({
    key: bulkUpdateKey(seen.id),
    columns: {
      bulk_state: "running",
      execution: seen.execution + 1,
      pages_at_start: seen.pages,
      updated_at: now,
      ended_at: undefined,
      failure: undefined,
    },
    ...asSeen(seen),
  });

/**
 * Remembers that a page is done with, after its rows were asked for and never before. Refused when the record has been
 * written since it was seen: somebody cancelled it, or another run has done the same page.
 * @param next where it goes on; undefined: that was the last page
 * @param switchedOff the type that was stepped over instead, if one was
 */
export const advanceBulkUpdate = (
  seen: BulkUpdate,
  next: BulkCursor | undefined,
  page: BulkCounts,
  now: number,
  switchedOff?: string,
): UpdateRequest =>
  writeColumns({
    key: bulkUpdateKey(seen.id),
    columns: {
      ...(next === undefined
        ? { bulk_state: "succeeded" satisfies BulkState, ended_at: now }
        : { cursor_type: next.type, cursor_partition: next.partition, cursor_after: next.startAfter }),
      looked_at: seen.counts.lookedAt + page.lookedAt,
      changed: seen.counts.changed + page.changed,
      skipped: seen.counts.skipped + page.skipped,
      pages: seen.pages + 1,
      ...(switchedOff === undefined ? {} : { switched_off: [...seen.switchedOff, switchedOff] }),
      updated_at: now,
    },
    ...asSeen(seen),
  });

/**
 * Ends it: nothing more is asked of any row. Refused when it has ended. One that failed goes on from where it is when it is
 * made again, or from the beginning.
 */
export const endBulkUpdate = (
  id: string,
  end:
    | { readonly state: "cancelled" }
    | { readonly state: "failed"; readonly failure: string; readonly fromTheBeginning?: boolean },
  now: number,
): UpdateRequest =>
  writeColumns({
    key: bulkUpdateKey(id),
    columns: {
      bulk_state: end.state,
      ended_at: now,
      updated_at: now,
      ...(end.state === "failed" ? { failure: end.failure } : {}),
      ...(end.state === "failed" && end.fromTheBeginning === true
        ? { cursor_type: 0, cursor_partition: 0, cursor_after: undefined }
        : {}),
    },
    condition: "bulk_state = :running",
    values: { ":running": "running" satisfies BulkState },
  });

/** Every request that is remembered. */
export const bulkUpdatesQuery = (): QueryRequest => ({
  condition: "pk = :pk",
  values: { ":pk": SITE_TABLE_PARTITIONS.bulkUpdate },
  limit: 100,
});

/** Forgets one that ended long ago. Refused when it was begun again. */
export const forgetBulkUpdate = (seen: BulkUpdate): DeleteRequest => ({
  key: bulkUpdateKey(seen.id),
  ...asSeen(seen),
});
