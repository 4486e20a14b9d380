import { NO_UPLOAD } from "../../geo/open-upload.ts";
import { type ObjectRef, duePartition, rowKey } from "../../geo/registry-row.ts";
import { REPLICATION_STATE } from "../../geo/replication-state.ts";
import { VERIFICATION_STATE } from "../../geo/verification-state.ts";
import type { AttributeValue, UpdateRequest } from "../../ports/table.ts";
import { writeColumns } from "../write-columns.ts";

/** The source version that a replica was made from. */
export interface SourcePin {
  readonly versionId: string;
  readonly etag: string;
  readonly size: number;
  readonly lastModified: number;
  /** What S3 says of it, in the kind that its type declares, when that takes no reading. */
  readonly checksum: string | undefined;
}

/** The replica version that holds its bytes. */
export interface ReplicaPin {
  readonly versionId: string;
  readonly etag: string;
}

/** What this attempt knows about the replica's bytes. */
export type VerificationVerdict =
  /** They were read back and are the source's; or they were compared without reading them, and `checksum` says so. */
  | { readonly verdict: "verified"; readonly checksum: string }
  /** They were read back before, and neither version has changed since: the columns stand as they are. */
  | { readonly verdict: "still_verified" }
  /** They will be read by the verification function; the row is due at `dueAt` in case nobody asks it to. */
  | { readonly verdict: "to_verify"; readonly dueAt: number }
  /** S3 attests no digest; the primary is computing one (F16). */
  | { readonly verdict: "awaiting_primary"; readonly dueAt: number }
  /** Objects of its type are not verified now (F84, F87); a walk finds the row when they are again. */
  | { readonly verdict: "switched_off" };

/** The attempt that writes: the row must still be its, and untouched since it was claimed. */
export interface HeldAttempt {
  readonly ref: ObjectRef;
  readonly token: string;
  readonly claimedGen: number;
  readonly now: number;
  /** The quarantine that the row was in when it was claimed: the row stays due at its end. */
  readonly taintUntil: number | undefined;
  /** The quarantine that this attempt has to put the row into, because one of its own writes had no known end. */
  readonly ownTaintUntil: number | undefined;
  /** The row names an upload that is over: this write takes it out. */
  readonly uploadOver: boolean;
  /** The source version that the row named when it was claimed, and that had been verified or is not to be. */
  readonly provenVersion: string | undefined;
}

/**
 * A replica that has to be verified tells its version's lag only the first time (`lag-histogram.ts`): one that rotted, or was
 * lost, and is made again from the same version says nothing of how long writes take.
 */
export const unprovenColumn = (held: HeldAttempt, source: SourcePin): { readonly unproven: true | undefined } => ({
  unproven: held.provenVersion === source.versionId ? undefined : true,
});

/** Only whoever ended an upload, or learnt that it is over, takes it out of the row: one that nobody names is swept late. */
export const overColumns = (held: HeldAttempt): Record<string, undefined> => (held.uploadOver ? NO_UPLOAD : {});

/**
 * Only ever sets a quarantine, never lifts one: another worker may have tainted the row since it was claimed (T5c), and
 * the recheck alone may decide that nothing can land any more (T8).
 */
export const taintColumns = (held: HeldAttempt): Record<string, AttributeValue> =>
  held.ownTaintUntil === undefined ? {} : { taint_until: held.ownTaintUntil };

/** When the quarantine that the row will be in ends, as far as this attempt can know. */
export const taintEnd = (held: HeldAttempt): number | undefined => held.ownTaintUntil ?? held.taintUntil;

/** What every end of an attempt removes. */
export const LET_GO = { attempt_token: undefined, lease_until: undefined } as const;

/** When a row that is settled but for these has to be looked at: the earliest of them, or never. */
export const dueColumns = (
  ref: ObjectRef,
  ...times: readonly (number | undefined)[]
): Record<"due_at" | "due_pk", AttributeValue | undefined> => {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0
    ? { due_at: undefined, due_pk: undefined }
    : { due_at: Math.min(...known), due_pk: duePartition(ref) };
};

/** The columns that say which versions belong together. */
export const pinColumns = (source: SourcePin, replica: ReplicaPin): Record<string, AttributeValue | undefined> => ({
  src_version_id: source.versionId,
  src_etag: source.etag,
  src_size: source.size,
  src_last_modified: source.lastModified,
  src_checksum: source.checksum,
  rep_version_id: replica.versionId,
  rep_etag: replica.etag,
});

const verificationColumns = (
  held: HeldAttempt,
  source: SourcePin,
  verdict: VerificationVerdict,
): Record<string, AttributeValue | undefined> => {
  switch (verdict.verdict) {
    case "verified":
      return {
        verification_state: VERIFICATION_STATE.succeeded,
        verification_checksum: verdict.checksum,
        verified_at: held.now,
        verification_retry_count: 0,
        verification_retry_at: undefined,
        verification_failure: undefined,
        verification_progress: undefined,
        mismatch_excused: undefined,
        unproven: undefined,
      };
    case "still_verified":
      return {};
    // The retry count is kept: a row that keeps failing its verification waits longer each time (F27).
    case "to_verify":
      return {
        verification_state: VERIFICATION_STATE.pending,
        verification_retry_at: undefined,
        verification_failure: undefined,
        ...unprovenColumn(held, source),
      };
    case "awaiting_primary":
      return {
        verification_state: VERIFICATION_STATE.disabled,
        verification_retry_at: verdict.dueAt,
        ...unprovenColumn(held, source),
      };
    // What will be verified once it is switched on again says nothing of lag.
    case "switched_off":
      return {
        verification_state: VERIFICATION_STATE.disabled,
        verification_retry_at: undefined,
        unproven: undefined,
      };
  }
};

/**
 * T5. Settles exactly the generation that was claimed. Refused when the key was touched meanwhile (T5b, R4, R5) or the row
 * is not ours any more (T5c, R12).
 */
export const commitSynced = (
  held: HeldAttempt,
  source: SourcePin,
  replica: ReplicaPin,
  verdict: VerificationVerdict,
): UpdateRequest =>
  writeColumns({
    key: rowKey(held.ref),
    columns: {
      ...LET_GO,
      ...pinColumns(source, replica),
      ...verificationColumns(held, source, verdict),
      ...dueColumns(held.ref, taintEnd(held), "dueAt" in verdict ? verdict.dueAt : undefined),
      ...taintColumns(held),
      ...overColumns(held),
      state: REPLICATION_STATE.synced,
      done_gen: held.claimedGen,
      last_synced_at: held.now,
      waiting_since: undefined,
      retry_count: 0,
      retry_at: undefined,
      last_sync_failure: undefined,
      blocked_reason: undefined,
      missing_on_primary: undefined,
      resync_requested: undefined,
      // The mismatch, if there was one, was about a replica version that has been replaced.
      checksum_mismatch: false,
      verification_checksum_mismatched: undefined,
      v_token: undefined,
      v_lease: undefined,
    },
    condition: "attempt_token = :token AND gen = :claimed_gen",
    values: { ":token": held.token, ":claimed_gen": held.claimedGen },
  });

/**
 * T5 for a key that the primary does not hold: both sides are empty. The row is kept as a tombstone while it is tainted,
 * since purging it would forget that an old write may still land; an untainted one is purged at once.
 */
export const commitAbsent = (held: HeldAttempt): UpdateRequest =>
  writeColumns({
    key: rowKey(held.ref),
    columns: {
      ...LET_GO,
      // Due at once if the purge that follows does not come.
      ...dueColumns(held.ref, taintEnd(held) ?? held.now),
      ...taintColumns(held),
      ...overColumns(held),
      state: REPLICATION_STATE.absent,
      done_gen: held.claimedGen,
      rep_version_id: undefined,
      rep_etag: undefined,
      src_version_id: undefined,
      src_etag: undefined,
      src_checksum: undefined,
      retry_count: 0,
      retry_at: undefined,
      last_sync_failure: undefined,
      blocked_reason: undefined,
      missing_on_primary: undefined,
      resync_requested: undefined,
      verification_state: VERIFICATION_STATE.disabled,
      verification_progress: undefined,
      mismatch_excused: undefined,
      unproven: undefined,
      waiting_since: undefined,
      checksum_mismatch: false,
      v_token: undefined,
      v_lease: undefined,
    },
    condition: "attempt_token = :token AND gen = :claimed_gen",
    values: { ":token": held.token, ":claimed_gen": held.claimedGen },
  });
