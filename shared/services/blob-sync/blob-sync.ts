import { STEPS_PER_ATTEMPT_MAX } from "../../geo/limits.ts";
import type { SyncCause } from "../../geo/read-message.ts";
import type { ObjectRef } from "../../geo/registry-row.ts";
import type { SecondarySite } from "../../ports/site.ts";
import type { Attempt, AttemptAt, Step, SyncResult } from "./attempt.ts";
import { claimSeenStep, joinStep, lookAtRowStep, takeOverStep, timeOutStep, touchAndClaimStep } from "./claiming.ts";
import {
  commitAbsentStep,
  commitMismatchedStep,
  commitSyncedStep,
  failStep,
  leavePendingStep,
  nextPassStep,
  purgeStep,
  releaseStep,
  requestVerificationStep,
  taintStep,
} from "./ending.ts";
import {
  askOwnerStep,
  askPrimaryRecordStep,
  compareTagsStep,
  observeReplicaStep,
  observeSourceStep,
} from "./observing.ts";
import { clearTaintStep, countSuspicionStep, recheckStep, rescheduleStep } from "./rechecking.ts";
import {
  abortUploadStep,
  beginUploadStep,
  completeUploadStep,
  copyPartsStep,
  handOverStep,
  listPartsStep,
  prepareUploadStep,
  recordUploadStep,
} from "./uploading.ts";
import { askRemovalGuardStep, copyStep, readBackStep, removeStep, resolveUnknownStep } from "./writing.ts";

/** Every step of the protocol, by where an attempt stands. */
const STEPS: { readonly [At in Exclude<Attempt["at"], "ended">]: Step<SecondarySite, At> } = {
  touch_and_claim: touchAndClaimStep,
  join: joinStep,
  take_over: takeOverStep,
  claim_seen: claimSeenStep,
  time_out: timeOutStep,
  look_at_row: lookAtRowStep,
  recheck: recheckStep,
  clear_taint: clearTaintStep,
  count_suspicion: countSuspicionStep,
  reschedule: rescheduleStep,
  observe_source: observeSourceStep,
  ask_primary_record: askPrimaryRecordStep,
  ask_owner: askOwnerStep,
  observe_replica: observeReplicaStep,
  compare_tags: compareTagsStep,
  copy: copyStep,
  prepare_upload: prepareUploadStep,
  begin_upload: beginUploadStep,
  record_upload: recordUploadStep,
  list_parts: listPartsStep,
  copy_parts: copyPartsStep,
  complete_upload: completeUploadStep,
  abort_upload: abortUploadStep,
  hand_over: handOverStep,
  ask_removal_guard: askRemovalGuardStep,
  remove: removeStep,
  resolve_unknown: resolveUnknownStep,
  read_back: readBackStep,
  commit_synced: commitSyncedStep,
  commit_absent: commitAbsentStep,
  commit_mismatched: commitMismatchedStep,
  next_pass: nextPassStep,
  leave_pending: leavePendingStep,
  release: releaseStep,
  fail: failStep,
  taint: taintStep,
  purge: purgeStep,
  request_verification: requestVerificationStep,
};

/** One step: the outside world is asked at most once. What a worker that dies leaves behind is always between two steps. */
export const step = (site: SecondarySite, attempt: Exclude<Attempt, AttemptAt<"ended">>): Promise<Attempt> =>
  // The table pairs each place with the step for it, which a lookup by a union can not express.
  (STEPS[attempt.at] as Step<SecondarySite, Attempt["at"]>)(site, attempt);

/** Why a key is to be looked at. */
export interface SyncRequest {
  readonly ref: ObjectRef;
  readonly cause: SyncCause;
  /** When to let go, milliseconds since the epoch: well before the function would be ended. */
  readonly stopAt: number;
  /** The site's epoch when the message was taken up (`SiteStanding`). */
  readonly epoch: number;
}

/** Where an attempt begins. */
export const firstStep = (request: SyncRequest, token: string): Exclude<Attempt, AttemptAt<"ended">> => ({
  at: request.cause === "due" ? "look_at_row" : "touch_and_claim",
  asked: { ...request, token },
});

/**
 * Makes one replica equal to its source, as far as one attempt goes. Safe to run twice, late, out of order and at the
 * same time as any other attempt for the same key.
 *
 * @param noteClaim is told once the row is this attempt's
 * @returns how it ended; the message that led here may be acknowledged
 * @throws TableUnavailableError when the registry did not answer: the message must be delivered again
 */
export const syncBlob = async (
  site: SecondarySite,
  request: SyncRequest,
  noteClaim?: () => void,
): Promise<SyncResult> => {
  let attempt: Attempt = firstStep(request, site.chance.token());
  for (let steps = 0; attempt.at !== "ended"; steps += 1) {
    // The world moved under us at every step: let the row's lease and the due index bring somebody back to it.
    if (steps === STEPS_PER_ATTEMPT_MAX) return { result: "left_pending" };
    const next = await step(site, attempt);
    if ("asked" in attempt && "held" in next) noteClaim?.();
    attempt = next;
  }
  return attempt.result;
};
