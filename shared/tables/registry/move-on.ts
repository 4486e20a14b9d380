import { rowKey } from "../../geo/registry-row.ts";
import { REPLICATION_STATE } from "../../geo/replication-state.ts";
import { VERIFICATION_STATE } from "../../geo/verification-state.ts";
import type { AttributeValue, UpdateRequest } from "../../ports/table.ts";
import { writeColumns } from "../write-columns.ts";
import {
  type HeldAttempt,
  LET_GO,
  type ReplicaPin,
  type SourcePin,
  dueColumns,
  overColumns,
  pinColumns,
  taintColumns,
  unprovenColumn,
} from "./settle.ts";

/** What the attempt found or made, so that the next pass knows what the replica holds. */
export interface PassOutcome {
  readonly source: SourcePin;
  readonly replica: ReplicaPin;
  /** Whether these are the versions that the row named before: what it says of their bytes then still stands. */
  readonly namedBefore: boolean;
}

/** Nothing when the pass settled an empty key. Other versions than before have not been verified, whatever came of them. */
const recorded = (held: HeldAttempt, outcome: PassOutcome | undefined): Record<string, AttributeValue | undefined> => {
  if (outcome === undefined) return { rep_version_id: undefined, rep_etag: undefined };
  const pins = pinColumns(outcome.source, outcome.replica);
  return outcome.namedBefore
    ? pins
    : { ...pins, verification_state: VERIFICATION_STATE.pending, ...unprovenColumn(held, outcome.source) };
};

/**
 * The row is ours by this very claim. A claim that arrives a second time, late, can give a row back to whoever lost it; what
 * that worker knows is then about an older generation, and must not set `done_gen` back (S5).
 */
const STILL_CLAIMED = "attempt_token = :token AND claimed_gen = :claimed_gen";

/**
 * T5b, with time left. The key was touched while we worked: the generation we claimed is done, but the row is not. Keeps
 * the row and claims all that has come since, so that the caller can look again at once.
 */
export const nextPass = (held: HeldAttempt, outcome: PassOutcome | undefined, leaseUntil: number): UpdateRequest =>
  writeColumns({
    key: rowKey(held.ref),
    columns: {
      ...recorded(held, outcome),
      ...dueColumns(held.ref, leaseUntil),
      ...taintColumns(held),
      ...overColumns(held),
      done_gen: held.claimedGen,
      lease_until: leaseUntil,
    },
    alsoSet: ["claimed_gen = gen"],
    condition: STILL_CLAIMED,
    values: { ":token": held.token, ":claimed_gen": held.claimedGen },
  });

/**
 * T5b, out of passes or time (R39). Lets go of the row and leaves it pending and due, for the sweep: a key that is
 * rewritten without end must not keep a worker spinning.
 */
export const leavePending = (held: HeldAttempt, outcome: PassOutcome | undefined): UpdateRequest =>
  writeColumns({
    key: rowKey(held.ref),
    columns: {
      ...LET_GO,
      ...recorded(held, outcome),
      ...dueColumns(held.ref, held.now),
      ...taintColumns(held),
      ...overColumns(held),
      state: REPLICATION_STATE.pending,
      done_gen: held.claimedGen,
      // As Geo's `pending` does: the count begins anew, and the last failure's text stays until the row is synced (F11).
      retry_count: 0,
      retry_at: undefined,
    },
    condition: STILL_CLAIMED,
    values: { ":token": held.token, ":claimed_gen": held.claimedGen },
  });

/**
 * Lets go of a row before anything was written: it is pending and due, and what it says about the replica stands.
 * @param dueAt when somebody is to come back to it. Default: at once
 */
export const release = (held: HeldAttempt, dueAt = held.now): UpdateRequest =>
  writeColumns({
    key: rowKey(held.ref),
    columns: {
      ...LET_GO,
      ...dueColumns(held.ref, dueAt),
      ...taintColumns(held),
      ...overColumns(held),
      state: REPLICATION_STATE.pending,
      retry_at: undefined,
    },
    condition: "attempt_token = :token",
    values: { ":token": held.token },
  });
