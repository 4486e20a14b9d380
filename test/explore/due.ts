import { REPLICATION_STATE } from "../../shared/geo/replication-state.ts";
import { VERIFICATION_STATE } from "../../shared/geo/verification-state.ts";
import { numberIn, type State } from "./state.ts";
import { PAST, TO_COME } from "./time.ts";

/** Whether a sweep that finds this row has anything to do now. Starting one that has not would only repeat states. */
export const isDue = (state: State): boolean => {
  const { row } = state;
  if (row?.["due_at"] === undefined) return false;
  if (row["attempt_token"] !== undefined) return numberIn(state, "lease_until") === PAST;
  const settled = numberIn(state, "gen") === numberIn(state, "done_gen");
  if (!settled)
    return (
      row["state"] !== REPLICATION_STATE.failed ||
      numberIn(state, "retry_at") !== TO_COME ||
      numberIn(state, "gen") !== numberIn(state, "claimed_gen")
    );
  if (numberIn(state, "taint_until") === PAST) return true;
  if (row["state"] === REPLICATION_STATE.failed) return numberIn(state, "retry_at") !== TO_COME;
  if (row["state"] === REPLICATION_STATE.absent) return row["taint_until"] === undefined;
  return row["state"] !== REPLICATION_STATE.synced;
};

/** Whether a verifier that finds this row has anything to do now. */
export const isVerificationDue = (state: State): boolean =>
  state.row?.["due_at"] !== undefined &&
  state.row["state"] === REPLICATION_STATE.synced &&
  state.row["attempt_token"] === undefined &&
  numberIn(state, "gen") === numberIn(state, "done_gen") &&
  state.row["verification_state"] !== VERIFICATION_STATE.succeeded &&
  (state.row["v_token"] === undefined || numberIn(state, "v_lease") === PAST);
