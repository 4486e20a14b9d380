import { duePartition, type ObjectRef, rowKey } from "../geo/registry-row.ts";
import type { UpdateRequest } from "../ports/table.ts";

/**
 * Puts off a due row that nobody here may work on, in the tables of both sides alike. Nothing else of it changes: what it
 * says is still true, and it is still in the due index. Refused when there is no such row, or it is settled or not due.
 */
export const putOffDue = (ref: ObjectRef, now: number, dueAt: number): UpdateRequest => ({
  key: rowKey(ref),
  update: "SET due_at = :due_at, rev = rev + :one",
  condition: "due_pk = :partition AND due_at <= :now",
  values: { ":partition": duePartition(ref), ":now": now, ":due_at": dueAt, ":one": 1 },
});
