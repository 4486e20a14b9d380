import type { BulkSelection } from "./bulk-request.ts";
import type { TypeSwitches } from "./feature-flags.ts";
import { failureKindOf } from "./failure-kind.ts";
import type { RegistryRow, VerificationStateRow } from "./registry-row.ts";
import type { SiteRole } from "./site-status.ts";

/**
 * What a row is asked for. All but `checksum` are messages that exist anyway, and change no row by themselves: whoever gets
 * one takes the row through the protocol.
 * - `resync`: a message of that kind (F18)
 * - `look`: a hint, which does not wait for the end of a row's wait
 * - `verify_again`: the primary's event `checksum_succeeded`, by which even a verified replica is read (F28)
 * - `verify`: a due message, by which only a replica that is not verified is read
 * - `checksum`: the primary's record is marked as to be read again, and named to the checksum function (F30)
 * - `due`: the primary's record is looked at, and read if it is not settled
 */
export type Asked = "resync" | "look" | "verify_again" | "verify" | "checksum" | "due";

/** `already`: it is selected, and what is asked for is under way or was done since. */
export type Judgement = { readonly ask: Asked } | { readonly skip: "not_selected" | "already" };

const NOT_SELECTED: Judgement = { skip: "not_selected" };
const ALREADY: Judgement = { skip: "already" };

/**
 * Where the rows are found.
 * - `keys`: they are named
 * - `due`: what is failed or under way stands in the due index, each row of it once, and little else does
 * - `partitions`: all partitions of the type are read
 */
export type BulkSource = "keys" | "due" | "partitions";

const inDueIndex = (state: string | undefined): boolean => state === "failed" || state === "started";

export const sourceOf = (selection: BulkSelection): BulkSource => {
  if (selection.keys !== undefined) return "keys";
  const { action, replicationState, verificationState } = selection;
  return action === "retry_now" || inDueIndex(replicationState) || inDueIndex(verificationState) ? "due" : "partitions";
};

/** Whether what is asked for is done about a type at all (F84, F85, F87). */
export const isServed = (role: SiteRole, { action }: Pick<BulkSelection, "action">, on: TypeSwitches): boolean => {
  if (role === "primary") return on.primaryChecksumming;
  return action === "reverify" ? on.verification : on.replication;
};

/**
 * Whoever stamps a row reads another clock than whoever took the request: what bears a time of the request's own second may
 * be older than it, and is asked for.
 */
const CLOCKS_APART_MS = 1_000;

const since = (time: number | undefined, askedAt: number): boolean =>
  time !== undefined && time > askedAt + CLOCKS_APART_MS;

/**
 * What to ask for a row of a secondary. A row of which it was asked does not come again: it waits for it, is being worked
 * on, or bears a time that is not before the request. Only of a resync nothing is left once the copy is made: a page that is
 * handed over twice, since somebody died in between, may copy twice.
 *
 * @param askedAt when the request was made, milliseconds since the epoch
 */
export const judgeRegistryRow = (selection: BulkSelection, row: RegistryRow, askedAt: number): Judgement => {
  const { action, replicationState, verificationState, failure } = selection;
  const { state, verification_state: verification } = row;
  if (state === "absent") return NOT_SELECTED;
  if (replicationState !== undefined && state !== replicationState) return NOT_SELECTED;
  if (verificationState !== undefined && (state !== "synced" || verification !== verificationState)) {
    return NOT_SELECTED;
  }
  switch (action) {
    case "resync":
      return state === "pending" || row.resync_requested === true ? ALREADY : { ask: "resync" };
    // Once more does no harm: a look at what is right writes nothing to S3.
    case "reconcile":
      return state === "pending" ? ALREADY : { ask: "look" };
    case "reverify": {
      if (state !== "synced") return NOT_SELECTED;
      const isDone = verification === "succeeded" && since(row.verified_at, askedAt);
      const isBegun = verification === "started" && since(row.verification_started_at, askedAt);
      return verification === "pending" || isDone || isBegun ? ALREADY : { ask: "verify_again" };
    }
    case "retry_now":
      if (state === "failed") {
        if (failure !== undefined && failureKindOf(row) !== failure) return NOT_SELECTED;
        return since(row.attempt_started_at, askedAt) ? ALREADY : { ask: "look" };
      }
      if (state !== "synced" || verification !== "failed" || failure !== undefined) return NOT_SELECTED;
      return since(row.verified_at, askedAt) ? ALREADY : { ask: "verify" };
    case "checksum":
      return NOT_SELECTED; // a primary's
  }
};

/** The same for a record of the primary. */
export const judgeStateRow = (selection: BulkSelection, row: VerificationStateRow, askedAt: number): Judgement => {
  const { action, verificationState } = selection;
  const { verification_state: verification } = row;
  if (row.tombstone) return NOT_SELECTED;
  if (verificationState !== undefined && verification !== verificationState) return NOT_SELECTED;
  if (action === "retry_now" && verification !== "failed") return NOT_SELECTED;
  if (verification === "pending" || verification === "started" || since(row.verified_at, askedAt)) return ALREADY;
  return { ask: verification === "succeeded" ? "checksum" : "due" };
};
