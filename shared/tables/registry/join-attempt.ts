import { type ObjectRef, duePartition, rowKey } from "../../geo/registry-row.ts";
import type { UpdateRequest } from "../../ports/table.ts";
import { RESYNC_REQUESTED } from "./touch-and-claim.ts";

/**
 * T1b. Counts a hint while somebody else holds the row: the holder's commit will see that `gen` has moved and look again,
 * so the hint may be acknowledged. The item that comes back says whether the holder is still there; if it is not, the
 * caller has to claim the row itself (T1d), or nobody would look (R8).
 *
 * Refused when the row is gone: it was purged between the refused claim and this write.
 */
export const joinAttempt = (ref: ObjectRef, now: number, soon: number, resync: boolean): UpdateRequest => ({
  key: rowKey(ref),
  update:
    "SET gen = gen + :one, last_event_at = :now, due_pk = :due_pk, due_at = if_not_exists(due_at, :soon)," +
    ` rev = rev + :one${resync ? RESYNC_REQUESTED.set : ""}`,
  condition: "attribute_exists(pk)",
  values: {
    ":one": 1,
    ":now": now,
    ":soon": soon,
    ":due_pk": duePartition(ref),
    ...(resync ? RESYNC_REQUESTED.values : {}),
  },
});
