import { type ObjectRef, duePartition, rowKey, verifiedPartition } from "../../geo/registry-row.ts";
import { VERIFICATION_STATE } from "../../geo/verification-state.ts";
import type { UpdateRequest } from "../../ports/table.ts";

/**
 * Still as the index showed it: settled, and not verified since. The index may be behind its table, and others mark as well.
 */
const stillSettled = (ref: ObjectRef, verifiedAt: number) => ({
  condition: "due_pk = :settled AND due_at = :verified_at AND verification_state = :succeeded",
  values: {
    ":settled": verifiedPartition(ref),
    ":verified_at": verifiedAt,
    ":succeeded": VERIFICATION_STATE.succeeded,
  },
});

/**
 * F30. The object is to be read again. What was recorded of it stays, to be compared, and holds until then.
 * @param dueAt when to look at it should the message that goes out now be lost, milliseconds since the epoch
 */
export const markForReverification = (ref: ObjectRef, verifiedAt: number, dueAt: number): UpdateRequest => {
  const { condition, values } = stillSettled(ref, verifiedAt);
  return {
    key: rowKey(ref),
    update: "SET verification_state = :pending, due_pk = :partition, due_at = :due_at, rev = rev + :one",
    condition,
    values: {
      ...values,
      ":pending": VERIFICATION_STATE.pending,
      ":partition": duePartition(ref),
      ":due_at": dueAt,
      ":one": 1,
    },
  };
};

/** The row's turn came, and nobody here may read its object: its next turn comes when one that was read now has its next. */
export const passOver = (ref: ObjectRef, verifiedAt: number, now: number): UpdateRequest => {
  const { condition, values } = stillSettled(ref, verifiedAt);
  return {
    key: rowKey(ref),
    update: "SET due_at = :now, rev = rev + :one",
    condition,
    values: { ...values, ":now": now, ":one": 1 },
  };
};
