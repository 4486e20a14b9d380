import {
  type ObjectRef,
  type VerificationStateRow,
  duePartition,
  rowKey,
  verifiedPartition,
} from "../../geo/registry-row.ts";
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

/**
 * F30. The time of a settled row is near: it goes into the index, at the time when its object was verified, so that the
 * oldest can be asked for. On `rev`: whoever has written the row since has looked at its object since.
 */
export const listForReverification = (
  ref: ObjectRef,
  { rev, verified_at: verifiedAt = 0 }: Pick<VerificationStateRow, "rev" | "verified_at">,
): UpdateRequest => ({
  key: rowKey(ref),
  update: "SET due_pk = :settled, due_at = :verified_at, rev = rev + :one",
  condition: "rev = :seen_rev AND attribute_not_exists(due_pk) AND verification_state = :succeeded",
  values: {
    ":settled": verifiedPartition(ref),
    ":verified_at": verifiedAt,
    ":seen_rev": rev,
    ":succeeded": VERIFICATION_STATE.succeeded,
    ":one": 1,
  },
});

/** The row's turn came, and its type does not claim its key any more: no walk lists it until one does. */
export const leaveIndex = (ref: ObjectRef, verifiedAt: number): UpdateRequest => {
  const { condition, values } = stillSettled(ref, verifiedAt);
  return {
    key: rowKey(ref),
    update: "SET rev = rev + :one REMOVE due_pk, due_at",
    condition,
    values: { ...values, ":one": 1 },
  };
};
