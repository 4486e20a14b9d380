import { REPLICATION_STATE } from "./replication-state.ts";
import { VERIFICATION_STATE } from "./verification-state.ts";

/**
 * What becomes of rows, as far as one change shows it: counted as it happens, so that a graph of it tells how much was done
 * and how much of it went wrong, also where the counts of rows stay the same. Pure.
 *
 * - `synced`: a version's replica is there; `failed`: an attempt ended without one
 * - `verified`: bytes were found to be what they should be, at the primary that a checksum was made; `verification_failed`: not
 * - `removed`: the object is gone on the primary, and here as well
 */
export const ROW_OUTCOMES = ["synced", "failed", "verified", "verification_failed", "removed"] as const;
export type RowOutcome = (typeof ROW_OUTCOMES)[number];

/** A row as a stream tells it. */
type Image = Readonly<Record<string, unknown>>;

/** Whether a column has come to be this, or is it once more by what another column says. */
const became = (before: Image, after: Image, column: string, value: number, again: string): boolean =>
  after[column] === value && (before[column] !== value || before[again] !== after[again]);

const HAPPENED: Readonly<Record<RowOutcome, (before: Image, after: Image) => boolean>> = {
  synced: (before, after) => became(before, after, "state", REPLICATION_STATE.synced, "rep_version_id"),
  failed: (before, after) => became(before, after, "state", REPLICATION_STATE.failed, "retry_count"),
  verified: (before, after) => became(before, after, "verification_state", VERIFICATION_STATE.succeeded, "verified_at"),
  verification_failed: (before, after) =>
    became(before, after, "verification_state", VERIFICATION_STATE.failed, "verification_retry_count"),
  removed: (before, after) =>
    after["state"] === REPLICATION_STATE.absent && before["state"] !== REPLICATION_STATE.absent,
};

/** What a change shows to have happened; nothing for a row that is purged. */
export const outcomesOf = (before: Image | undefined, after: Image | undefined): readonly RowOutcome[] =>
  after === undefined ? [] : ROW_OUTCOMES.filter((outcome) => HAPPENED[outcome](before ?? {}, after));
