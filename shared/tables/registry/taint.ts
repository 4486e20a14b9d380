import { type ObjectRef, duePartition, rowKey } from "../../geo/registry-row.ts";
import { REPLICATION_STATE } from "../../geo/replication-state.ts";
import type { UpdateRequest } from "../../ports/table.ts";

/**
 * T5c. We wrote to S3 and found that the row is not ours any more: what we wrote may have undone a newer attempt's work
 * (R12). Says so in the row, whoever holds it and whether or not it still exists, and makes sure that it is looked at.
 * Unconditional: the one thing that must not be lost is the suspicion.
 */
export const taint = (
  ref: ObjectRef,
  now: number,
  taintUntil: number,
  soon: number,
  revStart: number,
): UpdateRequest => ({
  key: rowKey(ref),
  update:
    "SET taint_until = :taint_until, gen = if_not_exists(gen, :zero) + :one, #state = if_not_exists(#state, :pending)," +
    " due_pk = :due_pk, due_at = if_not_exists(due_at, :soon), created_at = if_not_exists(created_at, :now)," +
    " waiting_since = if_not_exists(waiting_since, :now)," +
    " rev = if_not_exists(rev, :rev_start) + :one",
  names: { "#state": "state" },
  values: {
    ":zero": 0,
    ":one": 1,
    ":rev_start": revStart,
    ":now": now,
    ":soon": soon,
    ":taint_until": taintUntil,
    ":pending": REPLICATION_STATE.pending,
    ":due_pk": duePartition(ref),
  },
});
