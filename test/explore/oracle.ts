import { REPLICATION_STATE } from "../../shared/geo/replication-state.ts";
import { VERIFICATION_STATE } from "../../shared/geo/verification-state.ts";
import { isDue, isVerificationDue } from "./due.ts";
import type { Surroundings } from "./site.ts";
import { currentOf, type State } from "./state.ts";
import { TO_COME } from "./time.ts";

const number = (value: unknown): number => (typeof value === "number" ? value : 0);

/** L4: every upload has somebody who will end it: the row names it, somebody has it in hand, or the sweep is to find it. */
const findLeak = ({ uploads, row, workers }: State): string | undefined => {
  const isInHand = (u: string): boolean =>
    workers.some(({ attempt }) => {
      if (attempt === undefined || !("held" in attempt)) return false;
      return attempt.held.upload?.id === u || ("upload" in attempt && attempt.upload.id === u);
    });
  const leaked = uploads.find(({ u, unheard }) => !unheard && row?.["upload_id"] !== u && !isInHand(u));
  return leaked === undefined ? undefined : `L4: nobody knows of upload ${leaked.u} any more`;
};

/** What must hold in every state. */
const findUnsafe = (state: State): string | undefined => {
  const { row } = state;
  if (row === undefined) return undefined;
  const gen = number(row["gen"]);
  const claimed = number(row["claimed_gen"]);
  const done = number(row["done_gen"]);
  if (done > claimed || claimed > gen) return `S5: done ${done}, claimed ${claimed}, gen ${gen} are out of order`;
  if (row["state"] === REPLICATION_STATE.synced) {
    const replica = state.replica.find(({ v }) => v === row["rep_version_id"]);
    if (replica?.kind !== "object") return "S1: the row is synced and names a replica version that does not exist";
    if (row["verification_state"] === VERIFICATION_STATE.succeeded && replica.bytes !== replica.says) {
      return "S2: the row is verified and its replica version holds other bytes";
    }
    const source = state.source.find(({ v }) => v === row["src_version_id"]);
    if (source?.kind === "object" && source.content !== replica.says) {
      return "S1: the row is synced and names versions of different content";
    }
  }
  const unsettled =
    row["attempt_token"] !== undefined ||
    gen > done ||
    row["taint_until"] !== undefined ||
    row["state"] !== REPLICATION_STATE.synced ||
    row["verification_state"] !== VERIFICATION_STATE.succeeded;
  if (unsettled && row["due_at"] === undefined) return "L2: the row is not settled and is not in the due index";
  return undefined;
};

/** Nothing is under way and nothing will happen by itself. */
export const isQuiet = ({ record }: Surroundings, state: State): boolean =>
  state.hints === 0 &&
  state.resyncs === 0 &&
  !state.unreconciled &&
  state.late.length === 0 &&
  state.uploads.every(({ unheard }) => !unheard) &&
  state.drifts.length === 0 &&
  state.drifter === undefined &&
  state.standing.role === "secondary" &&
  (record === "prompt" || state.recorded === (currentOf(state.source) !== undefined)) &&
  state.verifiers.every((verifier) => verifier === undefined) &&
  state.workers.every(({ attempt }) => attempt === undefined) &&
  !isDue(state) &&
  !isVerificationDue(state) &&
  ["lease_until", "retry_at", "taint_until", "v_lease"].every((time) => state.row?.[time] !== TO_COME);

/** What must hold when all is quiet: the replica is the source, and the row says so. */
const findUnconverged = (state: State): string | undefined => {
  const source = currentOf(state.source);
  const replica = currentOf(state.replica);
  const { row } = state;
  if (state.uploads.length > 0) return "L4: all is quiet and an upload is left";
  if (source === undefined) {
    if (replica !== undefined) return "L3: the primary holds nothing and the replica shows an object";
    return row === undefined ? undefined : "L3: both sides are empty and a row remains";
  }
  if (state.resync === "asked") return "L3: nothing was copied since an operator asked for a fresh copy (F18)";
  if (replica === undefined) return "L3: the primary holds an object and the replica shows none";
  if (replica.bytes !== source.content) return "L3: the replica shows other bytes than the primary holds";
  if (row === undefined) return "L3: both sides hold the object and no row speaks of it";
  if (row["state"] !== REPLICATION_STATE.synced)
    return `L3: all is quiet and the row is in state ${number(row["state"])}`;
  if (row["verification_state"] !== VERIFICATION_STATE.succeeded) return "L3: all is quiet and the row is not verified";
  if (row["rep_version_id"] !== replica.v) return "L3: the row names another replica version than the current one";
  if (row["src_version_id"] !== source.v) {
    const named = state.source.find(({ v }) => v === row["src_version_id"]);
    return named?.kind === "object" && named.content === source.content
      ? undefined
      : "L3: the row names another source version than the current one";
  }
  return undefined;
};

/** The first rule that a state breaks, in words. */
export const findViolation = (surroundings: Surroundings, state: State): string | undefined =>
  state.broken ??
  findUnsafe(state) ??
  findLeak(state) ??
  (isQuiet(surroundings, state) ? findUnconverged(state) : undefined);
