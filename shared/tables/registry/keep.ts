import { duePartition, type ObjectRef, rowKey } from "../../geo/registry-row.ts";
import { REPLICATION_STATE } from "../../geo/replication-state.ts";
import { VERIFICATION_STATE } from "../../geo/verification-state.ts";
import type { UpdateRequest } from "../../ports/table.ts";
import { writeColumns } from "../write-columns.ts";
import { dueColumns } from "./settle.ts";
import { RESYNC_REQUESTED } from "./touch-and-claim.ts";

/** A hint that is kept may make the row. */
export interface KeepArguments {
  readonly ref: ObjectRef;
  readonly now: number;
  /** What `rev` starts from should the row be made (`firstRev`). */
  readonly revStart: number;
  /** Whether a fresh copy is wanted, whatever is there (F18). */
  readonly resync: boolean;
}

/**
 * T1p. Counts a hint as T1 does and takes no lease: the site is paused. The row is pending and due, so that it is in the due
 * index however long the pause lasts, and the sweep comes back to it (L2). Makes the row when there is none.
 *
 * Refused when somebody holds the row: the hint is joined to theirs (T1b).
 */
export const keepHint = ({ ref, now, revStart, resync }: KeepArguments): UpdateRequest => ({
  key: rowKey(ref),
  update:
    "SET gen = if_not_exists(gen, :zero) + :one, #state = :pending, retry_count = :zero, last_event_at = :now," +
    " waiting_since = if_not_exists(waiting_since, :now), created_at = if_not_exists(created_at, :now)," +
    " due_pk = :due_pk, due_at = :now," +
    ` rev = if_not_exists(rev, :rev_start) + :one${resync ? RESYNC_REQUESTED.set : ""} REMOVE retry_at`,
  condition: "attribute_not_exists(attempt_token)",
  names: { "#state": "state" },
  values: {
    ":zero": 0,
    ":one": 1,
    ":rev_start": revStart,
    ":pending": REPLICATION_STATE.pending,
    ":now": now,
    ":due_pk": duePartition(ref),
    ...(resync ? RESYNC_REQUESTED.values : {}),
  },
});

/**
 * The same for the primary's word that it has a digest (F28): what is settled and verified, or waits for that very word, is
 * to be read later.
 *
 * Refused of every other row: see `keepVerificationOfUnsettled`.
 */
export const keepVerification = (ref: ObjectRef, now: number): UpdateRequest =>
  writeColumns({
    key: rowKey(ref),
    columns: {
      verification_state: VERIFICATION_STATE.pending,
      verification_retry_at: undefined,
      ...dueColumns(ref, now),
    },
    condition:
      "#state = :synced AND gen = done_gen AND attribute_not_exists(attempt_token) AND attribute_not_exists(v_token)" +
      " AND (verification_state = :succeeded OR verification_state = :disabled)",
    names: { "#state": "state" },
    values: {
      ":synced": REPLICATION_STATE.synced,
      ":succeeded": VERIFICATION_STATE.succeeded,
      ":disabled": VERIFICATION_STATE.disabled,
    },
  });

/**
 * The same of a row that is not settled and that nobody holds, such as one whose hint came first. It is in the due index
 * already; but a look that finds its version unchanged would leave a replica unread that had been verified before, and the
 * primary's word be forgotten.
 *
 * Refused of a row that is to be read anyway, and of one that somebody holds: who looks at it now began before the pause.
 */
export const keepVerificationOfUnsettled = (ref: ObjectRef): UpdateRequest =>
  writeColumns({
    key: rowKey(ref),
    columns: { verification_state: VERIFICATION_STATE.pending },
    condition:
      "attribute_exists(due_pk) AND attribute_not_exists(attempt_token) AND attribute_not_exists(v_token)" +
      " AND verification_state = :succeeded",
    values: { ":succeeded": VERIFICATION_STATE.succeeded },
  });
