import { duePartition, rowKey } from "../../geo/registry-row.ts";
import { REPLICATION_STATE } from "../../geo/replication-state.ts";
import type { UpdateRequest } from "../../ports/table.ts";
import { type ClaimArguments, RESYNC_REQUESTED } from "./touch-and-claim.ts";

/**
 * T1c. Takes a row whose holder's lease is over (R9, R10, R12). The old holder may be dead, frozen, or have a request on
 * its way that S3 has yet to carry out (R11), and S3 cannot check our lease: so the row is tainted until nothing of the
 * old attempt can land any more, and is looked at again then (T8).
 *
 * Refused when the holder has changed, or has renewed its lease.
 */
export const takeOver = ({
  ref,
  token,
  now,
  leaseUntil,
  oldToken,
  taintUntil,
  hints,
  resync,
}: ClaimArguments & {
  readonly oldToken: string;
  readonly taintUntil: number;
  /** 1 when a hint led here, 0 when the due index did: hints count as changes. */
  readonly hints: 0 | 1;
  /** Whether a fresh copy is wanted, whatever is there (F18). */
  readonly resync: boolean;
}): UpdateRequest => ({
  key: rowKey(ref),
  update:
    "SET gen = gen + :hints, claimed_gen = gen + :hints, #state = :started, attempt_token = :token," +
    " lease_until = :lease_until, attempt_started_at = :now, taint_until = :taint_until," +
    ` due_pk = :due_pk, due_at = :lease_until, rev = rev + :one${resync ? RESYNC_REQUESTED.set : ""}`,
  condition: "attempt_token = :old_token AND lease_until < :now",
  names: { "#state": "state" },
  values: {
    ":hints": hints,
    ":one": 1,
    ":started": REPLICATION_STATE.started,
    ":token": token,
    ":old_token": oldToken,
    ":lease_until": leaseUntil,
    ":taint_until": taintUntil,
    ":now": now,
    ":due_pk": duePartition(ref),
    ...(resync ? RESYNC_REQUESTED.values : {}),
  },
});
