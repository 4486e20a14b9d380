import { REPLICATION_STATE, type ReplicationChange } from "../../shared/geo/replication-state.ts";
import { VERIFICATION_STATE, type VerificationChange } from "../../shared/geo/verification-state.ts";
import type { UpdateRequest } from "../../shared/ports/table.ts";
import type { Attempt } from "../../shared/services/blob-sync/attempt.ts";
import type { Drift } from "../../shared/services/notice-drift.ts";
import type { Verification } from "../../shared/services/verification/verify-replica.ts";

type PlaceOf<Walk extends { readonly at: string }> = Exclude<Walk["at"], "ended">;

/** Where an attempt, a verification or a look at drift can stand: the protocol's steps, each named after its walk. */
export type Step =
  | `sync ${PlaceOf<Attempt>}`
  | `verify ${PlaceOf<Verification>}`
  | `drift ${PlaceOf<Drift>}`
  /** What a paused site does with what it hears (F98). */
  | "keep hint"
  | "keep verification";

/** Every step, and whether a simulation can reach it; one that is missing does not compile. */
const EVERY_STEP: Readonly<Record<Step, boolean>> = {
  "sync touch_and_claim": true,
  "sync join": true,
  "sync take_over": true,
  "sync claim_seen": true,
  "sync time_out": true,
  "sync look_at_row": true,
  "sync recheck": true,
  "sync clear_taint": true,
  "sync count_suspicion": true,
  "sync reschedule": true,
  "sync observe_source": true,
  "sync ask_primary_record": true,
  // No object of these worlds names an owner.
  "sync ask_owner": false,
  "sync observe_replica": true,
  "sync compare_tags": true,
  "sync copy": true,
  "sync prepare_upload": true,
  "sync begin_upload": true,
  "sync record_upload": true,
  "sync list_parts": true,
  "sync copy_parts": true,
  "sync complete_upload": true,
  "sync abort_upload": true,
  // No world has a workflow: its executions are shown by scenarios.
  "sync hand_over": false,
  "sync ask_removal_guard": true,
  "sync remove": true,
  "sync resolve_unknown": true,
  "sync read_back": true,
  "sync commit_synced": true,
  "sync commit_absent": true,
  "sync commit_mismatched": true,
  "sync next_pass": true,
  "sync leave_pending": true,
  "sync release": true,
  "sync fail": true,
  "sync taint": true,
  "sync purge": true,
  "sync request_verification": true,
  "verify claim": true,
  "verify time_out": true,
  "verify find_primary_checksum": true,
  "verify read_replica": true,
  "verify look_at_replica": true,
  "verify weigh_mismatch": true,
  "verify look_again": true,
  "verify commit": true,
  "verify await_primary": true,
  "drift read_row": true,
  "drift look": true,
  "drift touch": true,
  "keep hint": true,
  "keep verification": true,
};

const STEPS = (Object.keys(EVERY_STEP) as readonly Step[]).filter((step) => EVERY_STEP[step]);

/** What rows are to be seen saying: Geo's texts for holders that never came back (F20, F21), at either site. */
export const TOLD = ["told sync timed out", "told verification timed out", "told checksum timed out"] as const;
export type Told = (typeof TOLD)[number];

/** Types whose replicas nobody reads can not hold what every world is held to: they are shown by scenarios alone. */
const NOT_SIMULATED: ReadonlySet<Step> = new Set(["verify look_at_replica"]);

/** Everything that a run has to come to somewhere, or it is not simulated. */
export const PLACES: readonly (Step | Told)[] = [...STEPS.filter((step) => !NOT_SIMULATED.has(step)), ...TOLD];

/** How often each of them was come to. */
export type Reached = Readonly<Record<Step | Told, number>>;

export const NOWHERE: Reached = Object.fromEntries(PLACES.map((place) => [place, 0])) as Record<Step | Told, number>;

/** A write of the registry: the step that makes it, and what it may do to the row's two states (F9, F10). */
export interface RegistryWrite {
  readonly step: Step;
  readonly replication?: ReplicationChange;
  readonly verification?: VerificationChange;
}

const HELD = "attempt_token = :token";
const HELD_AND_UNTOUCHED = "attempt_token = :token AND gen = :claimed_gen";
const STILL_CLAIMED = "attempt_token = :token AND claimed_gen = :claimed_gen";

const { pending, synced, failed, absent } = REPLICATION_STATE;

/** What the attempt that settles or moves on says of the bytes; nothing where the columns stand as they are. */
const SETTLES: ReadonlyMap<unknown, VerificationChange> = new Map<unknown, VerificationChange>([
  [VERIFICATION_STATE.succeeded, "settle_verified"],
  [VERIFICATION_STATE.pending, "settle_pending"],
  [VERIFICATION_STATE.disabled, "settle_disabled"],
  [VERIFICATION_STATE.failed, "settle_mismatched"],
]);

const settles = (verified: unknown): { readonly verification?: VerificationChange } => {
  const verification = SETTLES.get(verified);
  return verification === undefined ? {} : { verification };
};

/** The writes of whoever holds the row, by their condition, and by what they make of the two states. */
const heldWrite = (condition: string, update: string, state: unknown, verified: unknown): RegistryWrite | undefined => {
  const said = settles(verified);
  switch (condition) {
    case HELD_AND_UNTOUCHED:
      if (state === synced) return { step: "sync commit_synced", replication: "sync", ...said };
      if (state === absent) return { step: "sync commit_absent", replication: "settle_absent", ...said };
      return state === failed ? { step: "sync commit_mismatched", replication: "fail", ...said } : undefined;
    case STILL_CLAIMED:
      if (update.includes("claimed_gen = gen")) return { step: "sync next_pass", ...said };
      return state === pending ? { step: "sync leave_pending", replication: "release", ...said } : undefined;
    case HELD:
      if (update.includes("#upload_id = :upload_id")) return { step: "sync record_upload" };
      if (state === pending) return { step: "sync release", replication: "release" };
      return state === failed ? { step: "sync fail", replication: "fail" } : undefined;
    default:
      return undefined;
  }
};

/** The writes of verifications: only they have a condition on who verifies. */
const verificationWrite = (condition: string, update: string, state: unknown, verified: unknown): RegistryWrite => {
  if (condition.includes(":disabled") || condition.startsWith("attribute_exists(due_pk)")) {
    return { step: "keep verification", verification: "keep" };
  }
  if (verified === VERIFICATION_STATE.started) return { step: "verify claim", verification: "start" };
  if (condition.includes("v_lease < :now")) return { step: "verify time_out", verification: "time_out" };
  if (verified === VERIFICATION_STATE.disabled) return { step: "verify await_primary", verification: "disable" };
  if (verified === VERIFICATION_STATE.succeeded) return { step: "verify commit", verification: "succeed" };
  if (verified === VERIFICATION_STATE.pending) {
    return state === pending
      ? { step: "verify look_again", verification: "put_back", replication: "excuse" }
      : { step: "verify commit", verification: "put_back" };
  }
  return state === failed || update.includes("gen = gen + :one")
    ? { step: "verify commit", verification: "fail", replication: "mismatch" }
    : { step: "verify commit", verification: "fail" };
};

const named = (request: UpdateRequest): RegistryWrite | undefined => {
  const { update, condition = "", values = {} } = request;
  const [state, verified] = [values[":state"], values[":verification_state"]];
  const held = heldWrite(condition, update, state, verified);
  if (held !== undefined) return held;
  if (condition.includes("v_token")) return verificationWrite(condition, update, state, verified);
  if (update.includes("claimed_gen = if_not_exists")) return { step: "sync touch_and_claim", replication: "start" };
  if (update.includes(":hints")) return { step: "sync take_over", replication: "take_over" };
  if (condition.includes(":seen_gen")) return { step: "sync claim_seen", replication: "start_due" };
  if (condition.includes(":old_token")) return { step: "sync time_out", replication: "time_out" };
  if (condition === "attribute_exists(pk)") return { step: "sync join" };
  if (condition === "" && update.includes("taint_until")) return { step: "sync taint", replication: "note" };
  if (condition.startsWith("taint_until = :taint_until")) return { step: "sync clear_taint" };
  if (update.includes("REMOVE taint_until")) return { step: "sync count_suspicion" };
  if (condition.startsWith("rev = :seen_rev")) return { step: "sync reschedule" };
  if (update.includes("retry_count = :zero")) return { step: "keep hint", replication: "keep" };
  if (update.startsWith("SET gen = if_not_exists(gen")) return { step: "drift touch", replication: "drift" };
  return undefined;
};

/**
 * Each request is asked about when it is made and whenever it arrives. The texts that tell it are long: looking them up
 * would cost as much as reading them.
 */
const known = new WeakMap<UpdateRequest, { readonly write: RegistryWrite | undefined }>();

/** Which step makes a write of the registry; undefined for a write that nobody has told the simulation of. */
export const registryWriteOf = (request: UpdateRequest): RegistryWrite | undefined => {
  const told = known.get(request) ?? { write: named(request) };
  known.set(request, told);
  return told.write;
};
