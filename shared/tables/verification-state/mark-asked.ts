import { type ObjectRef, type VerificationStateRow, duePartition, rowKey } from "../../geo/registry-row.ts";
import { VERIFICATION_STATE } from "../../geo/verification-state.ts";
import type { UpdateRequest } from "../../ports/table.ts";

/**
 * F77. An operator wants the object of a settled row to be read again: what `markForReverification` does to one whose time
 * has come, to a row as it was seen. On `rev`: whoever has written the row since has looked at its object since.
 * @param dueAt when to look at it should the message that goes out now be lost, milliseconds since the epoch
 */
export const markAsked = (
  ref: ObjectRef,
  { rev }: Pick<VerificationStateRow, "rev">,
  dueAt: number,
): UpdateRequest => ({
  key: rowKey(ref),
  update: "SET verification_state = :pending, due_pk = :partition, due_at = :due_at, rev = rev + :one",
  condition: "rev = :seen_rev AND verification_state = :succeeded",
  values: {
    ":pending": VERIFICATION_STATE.pending,
    ":partition": duePartition(ref),
    ":due_at": dueAt,
    ":one": 1,
    ":seen_rev": rev,
    ":succeeded": VERIFICATION_STATE.succeeded,
  },
});
