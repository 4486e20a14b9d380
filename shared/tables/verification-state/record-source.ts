import { type ObjectRef, type VerificationStateRow, duePartition, rowKey } from "../../geo/registry-row.ts";
import { REPLICATION_STATE } from "../../geo/replication-state.ts";
import { VERIFICATION_STATE } from "../../geo/verification-state.ts";
import type { AttributeValue, DeleteRequest, UpdateRequest } from "../../ports/table.ts";
import { writeColumns } from "../write-columns.ts";

/** The version of the source that a state row speaks of. */
export interface StatePin {
  readonly versionId: string;
  readonly etag: string;
  readonly size: number;
  readonly lastModified: number;
}

/**
 * The row as it was read before the source was looked at. Because the source is looked at after the row was read, and the
 * write is refused when the row has changed since, writes that succeed saw the source in order: a slow worker can not put
 * an older version over a newer one, without any lease.
 *
 * @param revStart what `rev` starts from should the row be made (`firstRev`)
 */
const asRead = (row: VerificationStateRow | undefined, revStart: number) =>
  row === undefined
    ? { condition: "attribute_not_exists(pk)", values: {}, revStart }
    : { condition: "rev = :seen_rev", values: { ":seen_rev": row.rev } };

const sourceColumns = (
  pin: StatePin,
  now: number,
  row: VerificationStateRow | undefined,
): Record<string, AttributeValue | undefined> => ({
  src_version_id: pin.versionId,
  src_etag: pin.etag,
  src_size: pin.size,
  src_last_modified: pin.lastModified,
  created_at: row?.created_at ?? now,
  // Out of the tombstone that the row may have been.
  state: undefined,
});

/**
 * The row is settled with what is known of its version, and out of the index: most objects do not live until that is too
 * old (F30), and an entry that stood there meanwhile would be a write of each of them. A walk puts it in when its time is
 * near (`listForReverification`).
 */
const settledColumns = (checksum: string, now: number): Record<string, AttributeValue | undefined> => ({
  verification_state: VERIFICATION_STATE.succeeded,
  verified_at: now,
  verification_checksum: checksum,
  verification_checksum_found: undefined,
  verification_retry_count: 0,
  verification_retry_at: undefined,
  verification_failure: undefined,
  verification_progress: undefined,
  due_at: undefined,
  due_pk: undefined,
});

/** The source's digest is known without reading it: one write settles the row. */
export const recordAttested = (
  ref: ObjectRef,
  row: VerificationStateRow | undefined,
  pin: StatePin,
  checksum: string,
  now: number,
  revStart: number,
): UpdateRequest =>
  writeColumns({
    key: rowKey(ref),
    columns: { ...sourceColumns(pin, now, row), ...settledColumns(checksum, now) },
    ...asRead(row, revStart),
  });

/**
 * Somebody has to read this version: says so, and when to look again should that somebody die.
 * @param recorded what was recorded of this very version when it was last read: it is to be compared, and not replaced
 */
export const startChecksum = (
  ref: ObjectRef,
  row: VerificationStateRow | undefined,
  pin: StatePin,
  now: number,
  leaseUntil: number,
  revStart: number,
  recorded?: string,
): UpdateRequest =>
  writeColumns({
    key: rowKey(ref),
    columns: {
      ...sourceColumns(pin, now, row),
      verification_state: VERIFICATION_STATE.started,
      verification_started_at: now,
      verification_checksum: recorded,
      ...(recorded === undefined ? { verification_checksum_found: undefined } : {}),
      due_at: leaseUntil,
      due_pk: duePartition(ref),
    },
    ...asRead(row, revStart),
  });

/**
 * The version that was read is still the one that the row speaks of (R16, F29). Not `rev`: others may have looked and found
 * nothing new meanwhile, and what is said about these bytes is true whoever else has written.
 */
const stillThis = (row: VerificationStateRow) => ({
  condition: "src_version_id = :src_version_id AND src_etag = :src_etag",
  values: { ":src_version_id": row.src_version_id ?? "", ":src_etag": row.src_etag ?? "" },
});

/**
 * Nobody has begun to read this version since, and what is recorded of it is what it was when this reading began. A reader that
 * freezes past its lease is timed out and followed by another one. What that one has found stands: the slow one may have
 * misread, or have read before the bytes rotted. Not `rev` (as `stillThis`), which every look that finds nothing new moves; one
 * that was timed out, and whom nobody has followed yet, may still say what it read.
 */
const stillThisReading = (row: VerificationStateRow) => {
  const { condition, values } = stillThis(row);
  const { verification_started_at: startedAt = 0, verification_checksum: recorded } = row;
  const seen =
    recorded === undefined ? "attribute_not_exists(verification_checksum)" : "verification_checksum = :recorded";
  return {
    condition: `${condition} AND verification_started_at = :started_at AND ${seen}`,
    values: { ...values, ":started_at": startedAt, ...(recorded === undefined ? {} : { ":recorded": recorded }) },
  };
};

/**
 * The digest of the version that was read.
 * @param row as it was when the reading began
 */
export const recordChecksum = (
  ref: ObjectRef,
  row: VerificationStateRow,
  checksum: string,
  now: number,
): UpdateRequest =>
  writeColumns({
    key: rowKey(ref),
    columns: settledColumns(checksum, now),
    ...stillThisReading(row),
  });

/**
 * F30. The bytes of a version are not what they were: what was recorded of it stays, since replicas that are equal to that
 * are good ones, and nobody else is told of what was found.
 */
export const failDiffering = (
  ref: ObjectRef,
  row: VerificationStateRow,
  found: string,
  failure: { readonly text: string; readonly retryAt: number; readonly retryCount: number },
  now: number,
): UpdateRequest =>
  writeColumns({
    key: rowKey(ref),
    columns: {
      ...failedColumns(ref, failure, now),
      verification_checksum_found: found,
      verification_progress: undefined,
    },
    ...stillThis(row),
  });

/**
 * The version could not be read. What was recorded of it when it could be, if ever, stays.
 * @param progress how far it was read all the same, as `writeProgress` writes it
 */
export const failChecksum = (
  ref: ObjectRef,
  row: VerificationStateRow,
  failure: { readonly text: string; readonly retryAt: number; readonly retryCount: number },
  now: number,
  progress?: string,
): UpdateRequest =>
  writeColumns({
    key: rowKey(ref),
    columns: { ...failedColumns(ref, failure, now), verification_progress: progress },
    ...stillThis(row),
  });

/**
 * Out of time in the middle of a large version: where the next attempt goes on. Due at once, and no failure.
 * @param progress as `writeProgress` writes it
 */
export const pauseChecksum = (
  ref: ObjectRef,
  row: VerificationStateRow,
  progress: string | undefined,
  now: number,
): UpdateRequest =>
  writeColumns({
    key: rowKey(ref),
    columns: {
      verification_state: VERIFICATION_STATE.pending,
      verification_progress: progress,
      due_at: now,
      due_pk: duePartition(ref),
    },
    ...stillThis(row),
  });

const failedColumns = (
  ref: ObjectRef,
  failure: { readonly text: string; readonly retryAt: number; readonly retryCount: number },
  now: number,
): Record<string, AttributeValue | undefined> => ({
  verification_state: VERIFICATION_STATE.failed,
  verified_at: now,
  verification_failure: failure.text,
  verification_retry_at: failure.retryAt,
  verification_retry_count: failure.retryCount,
  due_at: failure.retryAt,
  due_pk: duePartition(ref),
});

/**
 * F21, on the primary. Whoever was reading this version never came back. On `rev`, unlike other failures: a reader that is
 * only slow may have recorded its digest meanwhile.
 */
export const timeOutChecksum = (
  ref: ObjectRef,
  row: VerificationStateRow,
  failure: { readonly text: string; readonly retryAt: number; readonly retryCount: number },
  now: number,
): UpdateRequest => writeColumns({ key: rowKey(ref), columns: failedColumns(ref, failure, now), ...asRead(row, 0) });

/**
 * The source was looked at and is what the row says. That has to be written, though nothing changes: a slow worker that
 * read the row before, and saw a source that is gone by now, would find the row as it knew it and write what it saw. The
 * argument of `asRead` holds for looks that end in a write, and for no others.
 */
export const confirmSource = (ref: ObjectRef, row: VerificationStateRow): UpdateRequest =>
  writeColumns({ key: rowKey(ref), columns: {}, ...asRead(row, 0) });

/**
 * The primary does not hold the key. A tombstone says so for as long as a worker may live that saw the key before: without
 * one, that worker would find no row, as it did then, and make one for an object that is gone. It is counted nowhere.
 */
export const leaveTombstone = (
  ref: ObjectRef,
  row: VerificationStateRow | undefined,
  now: number,
  purgeAt: number,
  revStart: number,
): UpdateRequest =>
  writeColumns({
    key: rowKey(ref),
    columns: {
      created_at: row?.created_at ?? now,
      state: REPLICATION_STATE.absent,
      verification_state: VERIFICATION_STATE.disabled,
      src_version_id: undefined,
      src_etag: undefined,
      src_size: undefined,
      src_last_modified: undefined,
      verification_checksum: undefined,
      verification_checksum_found: undefined,
      verification_retry_count: 0,
      verification_retry_at: undefined,
      verification_failure: undefined,
      verification_progress: undefined,
      due_at: purgeAt,
      due_pk: duePartition(ref),
    },
    ...asRead(row, revStart),
  });

/** The primary does not hold the key, and nobody is left who saw it: its record goes (F7). */
export const forgetSource = (ref: ObjectRef, row: VerificationStateRow): DeleteRequest => ({
  key: rowKey(ref),
  condition: "rev = :seen_rev",
  values: { ":seen_rev": row.rev },
});

/** The source could not even be looked at: nothing is known of its present version, and it is tried again. */
export const failUnseen = (
  ref: ObjectRef,
  row: VerificationStateRow | undefined,
  failure: { readonly text: string; readonly retryAt: number; readonly retryCount: number },
  now: number,
  revStart: number,
): UpdateRequest =>
  writeColumns({
    key: rowKey(ref),
    columns: {
      created_at: row?.created_at ?? now,
      verification_state: VERIFICATION_STATE.failed,
      verified_at: now,
      verification_failure: failure.text,
      verification_retry_at: failure.retryAt,
      verification_retry_count: failure.retryCount,
      due_at: failure.retryAt,
      due_pk: duePartition(ref),
    },
    ...asRead(row, revStart),
  });
