import { type ObjectRef, type VerificationStateRow, duePartition, rowKey } from "../../geo/registry-row.ts";
import { VERIFICATION_STATE } from "../../geo/verification-state.ts";
import type { AttributeValue, DeleteRequest, UpdateRequest } from "../../ports/table.ts";
import { writeColumns } from "../registry/expression.ts";

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
): Record<string, AttributeValue> => ({
  src_version_id: pin.versionId,
  src_etag: pin.etag,
  src_size: pin.size,
  src_last_modified: pin.lastModified,
  created_at: row?.created_at ?? now,
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
    columns: {
      ...sourceColumns(pin, now, row),
      verification_state: VERIFICATION_STATE.succeeded,
      verified_at: now,
      verification_checksum: checksum,
      verification_retry_count: 0,
      verification_retry_at: undefined,
      verification_failure: undefined,
      due_at: undefined,
      due_pk: undefined,
    },
    ...asRead(row, revStart),
  });

/** Somebody has to read this version: says so, and when to look again should that somebody die. */
export const startChecksum = (
  ref: ObjectRef,
  row: VerificationStateRow | undefined,
  pin: StatePin,
  now: number,
  leaseUntil: number,
  revStart: number,
): UpdateRequest =>
  writeColumns({
    key: rowKey(ref),
    columns: {
      ...sourceColumns(pin, now, row),
      verification_state: VERIFICATION_STATE.started,
      verification_started_at: now,
      verification_checksum: undefined,
      due_at: leaseUntil,
      due_pk: duePartition(ref),
    },
    ...asRead(row, revStart),
  });

/** The version that was read is still the one that the row speaks of (R16, F29). */
const stillThis = (row: VerificationStateRow) => ({
  condition: "rev = :seen_rev AND src_version_id = :src_version_id",
  values: { ":seen_rev": row.rev, ":src_version_id": row.src_version_id ?? "" },
});

/** The digest of the version that was read. */
export const recordChecksum = (
  ref: ObjectRef,
  row: VerificationStateRow,
  checksum: string,
  now: number,
): UpdateRequest =>
  writeColumns({
    key: rowKey(ref),
    columns: {
      verification_state: VERIFICATION_STATE.succeeded,
      verified_at: now,
      verification_checksum: checksum,
      verification_retry_count: 0,
      verification_retry_at: undefined,
      verification_failure: undefined,
      due_at: undefined,
      due_pk: undefined,
    },
    ...stillThis(row),
  });

/** The version could not be read. */
export const failChecksum = (
  ref: ObjectRef,
  row: VerificationStateRow,
  failure: { readonly text: string; readonly retryAt: number; readonly retryCount: number },
  now: number,
): UpdateRequest =>
  writeColumns({
    key: rowKey(ref),
    columns: {
      verification_state: VERIFICATION_STATE.failed,
      verified_at: now,
      verification_failure: failure.text,
      verification_retry_at: failure.retryAt,
      verification_retry_count: failure.retryCount,
      verification_checksum: undefined,
      due_at: failure.retryAt,
      due_pk: duePartition(ref),
    },
    ...stillThis(row),
  });

/** The primary does not hold the key any more: its record goes with it (F7). */
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
