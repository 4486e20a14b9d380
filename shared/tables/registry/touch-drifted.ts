import { type ObjectRef, duePartition, rowKey } from "../../geo/registry-row.ts";
import { REPLICATION_STATE } from "../../geo/replication-state.ts";
import type { UpdateRequest } from "../../ports/table.ts";

/**
 * T9. Counts a change of the replica that no row tells of, and makes the key due at once; makes the row when there is none,
 * since an object that nobody recorded has to be compared with the primary, too (R23).
 *
 * Refused while somebody holds the row: what was seen may be their own write, of which the row will tell.
 */
export const touchDrifted = (ref: ObjectRef, now: number, revStart: number): UpdateRequest => ({
  key: rowKey(ref),
  update:
    "SET gen = if_not_exists(gen, :zero) + :one, #state = if_not_exists(#state, :pending), due_pk = :due_pk," +
    " due_at = :now, created_at = if_not_exists(created_at, :now), last_event_at = :now," +
    " waiting_since = if_not_exists(waiting_since, :now)," +
    " rev = if_not_exists(rev, :rev_start) + :one",
  condition: "attribute_not_exists(attempt_token)",
  names: { "#state": "state" },
  values: {
    ":zero": 0,
    ":one": 1,
    ":now": now,
    ":rev_start": revStart,
    ":pending": REPLICATION_STATE.pending,
    ":due_pk": duePartition(ref),
  },
});
