import { type ObjectRef, duePartition, rowKey } from "../../geo/registry-row.ts";
import { REPLICATION_STATE } from "../../geo/replication-state.ts";
import type { UpdateRequest } from "../../ports/table.ts";

/** Who claims a row, and until when. */
export interface ClaimArguments {
  readonly ref: ObjectRef;
  /** Names this attempt; unique for ever. */
  readonly token: string;
  readonly now: number;
  /** When the lease ends, milliseconds since the epoch. */
  readonly leaseUntil: number;
}

/** A hint's claim may make the row. */
export interface FirstClaimArguments extends ClaimArguments {
  /** What `rev` starts from should the row be made (`firstRev`). */
  readonly revStart: number;
  /** Whether a fresh copy is wanted, whatever is there (F18). */
  readonly resync: boolean;
}

/** Marks a row for a fresh copy. Only the commit of one takes the mark away again. */
export const RESYNC_REQUESTED = { set: ", resync_requested = :true", values: { ":true": true } } as const;

/**
 * T1. Counts a hint and claims the row, in one write; makes the row when there is none (R22). Every hint raises `gen`, so
 * that an attempt can tell whether the key was touched while it worked (R4, R5).
 *
 * Refused when somebody holds the row (R8): the old item says whether the lease is alive (T1b) or over (T1c).
 */
export const touchAndClaim = ({
  ref,
  token,
  now,
  leaseUntil,
  revStart,
  resync,
}: FirstClaimArguments): UpdateRequest => ({
  key: rowKey(ref),
  update:
    "SET gen = if_not_exists(gen, :zero) + :one, claimed_gen = if_not_exists(gen, :zero) + :one, #state = :started," +
    " attempt_token = :token, lease_until = :lease_until, attempt_started_at = :now, last_event_at = :now," +
    " waiting_since = if_not_exists(waiting_since, :now)," +
    " due_pk = :due_pk, due_at = :lease_until, created_at = if_not_exists(created_at, :now)," +
    ` rev = if_not_exists(rev, :rev_start) + :one${resync ? RESYNC_REQUESTED.set : ""}`,
  condition: "attribute_not_exists(attempt_token)",
  names: { "#state": "state" },
  values: {
    ":zero": 0,
    ":one": 1,
    ":rev_start": revStart,
    ":started": REPLICATION_STATE.started,
    ":token": token,
    ":lease_until": leaseUntil,
    ":now": now,
    ":due_pk": duePartition(ref),
    ...(resync ? RESYNC_REQUESTED.values : {}),
  },
});
