import { type ObjectRef, rowKey } from "../../geo/registry-row.ts";
import { REPLICATION_STATE } from "../../geo/replication-state.ts";
import { VERIFICATION_STATE } from "../../geo/verification-state.ts";
import type { UpdateRequest } from "../../ports/table.ts";
import { writeColumns } from "../write-columns.ts";
import {
  type HeldAttempt,
  LET_GO,
  type ReplicaPin,
  type SourcePin,
  dueColumns,
  overColumns,
  pinColumns,
  taintColumns,
  unprovenColumn,
} from "./settle.ts";

/** Why an attempt did not get there, and when to try again. */
export interface Failure {
  /** At most 255 characters. */
  readonly text: string;
  readonly retryAt: number;
  /** How often it has failed in a row, this time included. Throttling does not count. */
  readonly retryCount: number;
  /** Set when nothing will change until somebody acts. */
  readonly blockedReason: string | undefined;
  /** The primary's record names an object that its bucket does not hold (F14). */
  readonly missingOnPrimary: boolean;
}

/** T6. Lets go of the row and says why and until when. Refused when the row is not ours any more (T5c). */
export const fail = (held: HeldAttempt, failure: Failure): UpdateRequest =>
  writeColumns({
    key: rowKey(held.ref),
    columns: {
      ...LET_GO,
      ...dueColumns(held.ref, failure.retryAt),
      ...taintColumns(held),
      ...overColumns(held),
      state: REPLICATION_STATE.failed,
      retry_at: failure.retryAt,
      retry_count: failure.retryCount,
      last_sync_failure: failure.text,
      blocked_reason: failure.blockedReason,
      missing_on_primary: failure.missingOnPrimary ? true : undefined,
    },
    condition: "attempt_token = :token",
    values: { ":token": held.token },
  });

/** The two digests that should have been one. */
export interface Mismatch {
  /** What was read from the replica. */
  readonly found: string;
  /** What the primary holds. */
  readonly expected: string;
  /** Consecutive verification failures, this one included. */
  readonly verificationRetryCount: number;
  readonly retryAt: number;
  readonly text: string;
}

/** Columns of a row whose replica was read and is not the source's bytes (F25). A resync follows at `retryAt`. */
export const mismatchColumns = (ref: ObjectRef, mismatch: Mismatch, now: number) => ({
  ...dueColumns(ref, mismatch.retryAt),
  state: REPLICATION_STATE.failed,
  retry_at: mismatch.retryAt,
  retry_count: mismatch.verificationRetryCount,
  last_sync_failure: `Verification failed with: ${mismatch.text}`.slice(0, 255),
  verification_state: VERIFICATION_STATE.failed,
  verification_retry_at: mismatch.retryAt,
  verification_retry_count: mismatch.verificationRetryCount,
  verification_failure: mismatch.text,
  verification_checksum: mismatch.found,
  verification_checksum_mismatched: mismatch.expected,
  // Also keeps the next attempt from trusting the versions that this row names: it has to copy again.
  checksum_mismatch: true,
  verified_at: now,
  verification_progress: undefined,
  v_token: undefined,
  v_lease: undefined,
});

/** T7's mismatch, found by the attempt that made the copy. Same condition as T5. */
export const failMismatched = (
  held: HeldAttempt,
  source: SourcePin,
  replica: ReplicaPin,
  mismatch: Mismatch,
): UpdateRequest =>
  writeColumns({
    key: rowKey(held.ref),
    columns: {
      ...LET_GO,
      ...pinColumns(source, replica),
      ...mismatchColumns(held.ref, mismatch, held.now),
      ...unprovenColumn(held, source),
      ...taintColumns(held),
      ...overColumns(held),
    },
    condition: "attempt_token = :token AND gen = :claimed_gen",
    values: { ":token": held.token, ":claimed_gen": held.claimedGen },
  });
