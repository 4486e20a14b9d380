import { duePartition, rowKey } from "../../geo/registry-row.ts";
import { REPLICATION_STATE } from "../../geo/replication-state.ts";
import type { UpdateRequest } from "../../ports/table.ts";
import type { ClaimArguments } from "./touch-and-claim.ts";

/**
 * T1d. Claims a row as it was just seen, without counting a hint: for rows that are due (a retry, a released attempt) and
 * for a hint that was counted a moment ago (T1b) on a row whose holder has left.
 *
 * Refused when somebody holds the row or it has been touched since it was seen: look again.
 */
export const claimSeen = ({
  ref,
  token,
  now,
  leaseUntil,
  seenGen,
}: ClaimArguments & { readonly seenGen: number }): UpdateRequest => ({
  key: rowKey(ref),
  update:
    "SET claimed_gen = gen, #state = :started, attempt_token = :token, lease_until = :lease_until," +
    " attempt_started_at = :now, waiting_since = if_not_exists(waiting_since, :now), due_pk = :due_pk," +
    " due_at = :lease_until, rev = rev + :one",
  condition: "attribute_not_exists(attempt_token) AND gen = :seen_gen",
  names: { "#state": "state" },
  values: {
    ":one": 1,
    ":started": REPLICATION_STATE.started,
    ":token": token,
    ":lease_until": leaseUntil,
    ":now": now,
    ":due_pk": duePartition(ref),
    ":seen_gen": seenGen,
  },
});
