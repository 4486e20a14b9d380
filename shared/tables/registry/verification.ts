import { type ObjectRef, type RegistryRow, rowKey } from "../../geo/registry-row.ts";
import { REPLICATION_STATE } from "../../geo/replication-state.ts";
import { VERIFICATION_STATE } from "../../geo/verification-state.ts";
import type { UpdateRequest } from "../../ports/table.ts";
import { writeColumns } from "../write-columns.ts";
import { type Mismatch, mismatchColumns } from "./fail.ts";
import { dueColumns } from "./settle.ts";

/** Who verifies a row, and which generation and versions it speaks of. */
export interface HeldVerification {
  readonly ref: ObjectRef;
  readonly token: string;
  readonly now: number;
  /** The row as the claim returned it. */
  readonly row: RegistryRow;
}

/**
 * T7, claim. Only a settled row that nobody is copying. The claim takes nothing from a sync: a touch that comes meanwhile
 * makes the commit below fail.
 *
 * @param which `unverified` leaves a verified row alone, since a due message that is delivered twice shall not cost a second
 *   read, and one whose verifier never came back, which is to be told of (F21); `any` takes that over
 */
export const claimVerification = (
  ref: ObjectRef,
  token: string,
  now: number,
  leaseUntil: number,
  which: "any" | "unverified",
): UpdateRequest =>
  writeColumns({
    key: rowKey(ref),
    columns: {
      verification_state: VERIFICATION_STATE.started,
      verification_started_at: now,
      v_token: token,
      v_lease: leaseUntil,
      ...dueColumns(ref, leaseUntil),
    },
    condition:
      "#state = :synced AND gen = done_gen AND attribute_not_exists(attempt_token)" +
      (which === "unverified"
        ? " AND attribute_not_exists(v_token) AND verification_state <> :succeeded"
        : " AND (attribute_not_exists(v_token) OR v_lease < :now)"),
    names: { "#state": "state" },
    values: {
      ":synced": REPLICATION_STATE.synced,
      ...(which === "unverified" ? { ":succeeded": VERIFICATION_STATE.succeeded } : { ":now": now }),
    },
  });

/**
 * The row still names the versions that were read (R15), and has not been touched since the claim. The generation is in
 * the condition because these writes also decide what the row is due for: a suspicion or a touch that came meanwhile has
 * put the row into the due index, and taking it out again would forget it.
 */
const UNCHANGED =
  "v_token = :v_token AND #state = :synced AND gen = :gen AND src_version_id = :src_version_id AND rep_version_id = :rep_version_id";

const unchangedValues = (held: HeldVerification) => ({
  ":v_token": held.token,
  ":synced": REPLICATION_STATE.synced,
  ":gen": held.row.gen,
  ":src_version_id": held.row.src_version_id ?? "",
  ":rep_version_id": held.row.rep_version_id ?? "",
});

const LET_GO = { v_token: undefined, v_lease: undefined } as const;

/** T7, equal: these bytes were read and are the source's (S2). */
export const commitVerified = (held: HeldVerification, checksum: string): UpdateRequest =>
  writeColumns({
    key: rowKey(held.ref),
    columns: {
      ...LET_GO,
      ...dueColumns(held.ref, held.row.taint_until),
      verification_state: VERIFICATION_STATE.succeeded,
      verified_at: held.now,
      verification_checksum: checksum,
      verification_retry_count: 0,
      verification_retry_at: undefined,
      verification_failure: undefined,
      verification_progress: undefined,
      checksum_mismatch: false,
      verification_checksum_mismatched: undefined,
      mismatch_excused: undefined,
      unproven: undefined,
    },
    condition: UNCHANGED,
    names: { "#state": "state" },
    values: unchangedValues(held),
  });

/**
 * T7, different, and the primary has looked at its object again since this replica was made: what it was compared with may
 * have been wrong, or of another version by now. Nothing is held against the replica yet; both sides are looked at again
 * (F32). Once for each version of the source, so that a mismatch which stays becomes one.
 */
export const excuseMismatch = (held: HeldVerification): UpdateRequest =>
  writeColumns({
    key: rowKey(held.ref),
    columns: {
      ...LET_GO,
      ...dueColumns(held.ref, held.now),
      state: REPLICATION_STATE.pending,
      verification_state: VERIFICATION_STATE.pending,
      verification_progress: undefined,
      mismatch_excused: held.row.src_version_id,
      // A settled row waits for nothing; from here on it does.
      waiting_since: held.now,
    },
    alsoSet: ["gen = gen + :one"],
    condition: UNCHANGED,
    values: { ...unchangedValues(held), ":one": 1 },
  });

/**
 * T7, out of time in the middle of a large replica: where the next attempt goes on. Due at once, and no failure.
 * @param progress as `writeProgress` writes it
 */
export const pauseVerification = (held: HeldVerification, progress: string | undefined): UpdateRequest =>
  writeColumns({
    key: rowKey(held.ref),
    columns: {
      ...LET_GO,
      ...dueColumns(held.ref, held.now),
      verification_state: VERIFICATION_STATE.pending,
      verification_retry_at: undefined,
      verification_progress: progress,
    },
    condition: UNCHANGED,
    names: { "#state": "state" },
    values: unchangedValues(held),
  });

/** T7, different: the copy is made again (F25, F26). */
export const commitMismatched = (held: HeldVerification, mismatch: Mismatch): UpdateRequest =>
  writeColumns({
    key: rowKey(held.ref),
    columns: { ...mismatchColumns(held.ref, mismatch, held.now), waiting_since: held.now },
    alsoSet: ["gen = gen + :one"],
    condition: UNCHANGED,
    values: { ...unchangedValues(held), ":one": 1 },
  });

/**
 * F21. Fails the verification whose holder's time is over; the sync state stands. The generation is in the condition as in
 * every write that says when a row is due next.
 */
export const timeOutVerification = (
  ref: ObjectRef,
  row: RegistryRow,
  now: number,
  failure: { readonly text: string; readonly retryAt: number; readonly retryCount: number },
): UpdateRequest =>
  writeColumns({
    key: rowKey(ref),
    columns: {
      ...LET_GO,
      ...dueColumns(ref, failure.retryAt, row.taint_until),
      verification_state: VERIFICATION_STATE.failed,
      verification_retry_at: failure.retryAt,
      verification_retry_count: failure.retryCount,
      verification_failure: failure.text,
      verified_at: now,
    },
    condition:
      "v_token = :v_token AND v_lease < :now AND #state = :synced AND gen = :gen AND gen = done_gen AND attribute_not_exists(attempt_token)",
    names: { "#state": "state" },
    values: {
      ":v_token": row.v_token ?? "",
      ":now": now,
      ":synced": REPLICATION_STATE.synced,
      ":gen": row.gen,
    },
  });

/**
 * The replica could not be read: verification is tried again; the sync state stands, since nothing is known against it.
 * @param progress how far it was read all the same, as `writeProgress` writes it
 */
export const failVerification = (
  held: HeldVerification,
  failure: { readonly text: string; readonly retryAt: number; readonly retryCount: number },
  progress?: string,
): UpdateRequest =>
  writeColumns({
    key: rowKey(held.ref),
    columns: {
      ...LET_GO,
      ...dueColumns(held.ref, failure.retryAt, held.row.taint_until),
      verification_state: VERIFICATION_STATE.failed,
      verification_retry_at: failure.retryAt,
      verification_retry_count: failure.retryCount,
      verification_failure: failure.text,
      verified_at: held.now,
      verification_progress: progress,
    },
    condition: UNCHANGED,
    names: { "#state": "state" },
    values: unchangedValues(held),
  });

/** The primary has no digest for this version yet: disabled until it has (F16), and due in case its event is lost. */
export const awaitPrimaryChecksum = (held: HeldVerification, dueAt: number): UpdateRequest =>
  writeColumns({
    key: rowKey(held.ref),
    columns: {
      ...LET_GO,
      ...dueColumns(held.ref, dueAt, held.row.taint_until),
      verification_state: VERIFICATION_STATE.disabled,
      verification_retry_at: dueAt,
    },
    condition: UNCHANGED,
    names: { "#state": "state" },
    values: unchangedValues(held),
  });
