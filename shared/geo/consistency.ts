import type { RegistryRow, VerificationStateRow } from "./registry-row.ts";

/**
 * Registry consistency (F44-F47, F104): both buckets are listed, in the order of their keys, and held against the rows. A
 * difference is a reason to look at a key and nothing more: a listing is old when it is read, so what is to be done is
 * decided by whoever claims the row (R17, R18).
 */

/** What a listing says of one key. */
export interface Listed {
  /** With quotes, as S3 writes it. */
  readonly etag: string;
  readonly size: number;
  /** Milliseconds since the epoch. */
  readonly lastModified: number;
}

/** One key, by what each side's listing shows of it; at least one of them does. */
export interface ListedKey {
  readonly key: string;
  readonly source: Listed | undefined;
  readonly replica: Listed | undefined;
}

/**
 * What was found of a key.
 * - `missing`: the primary has it, and the secondary has no record or no replica of it
 * - `stale`: the record or the replica is of something else than the primary holds
 * - `orphan`: the secondary has it, and the primary has not
 * - `out_of_scope`: the secondary has it, and its rule does not want it (any more)
 * - `unverified`: it was settled while its type was not verified, which it is now
 * - `held`: somebody has it in hand, who decided by what was in force when they began
 * - `under_way`: its row is not settled, so it is looked at anyway
 * - `unwanted`: the secondary does not have it, and its rule does not want it
 * - `equal`
 */
export type Finding =
  "missing" | "stale" | "orphan" | "out_of_scope" | "unverified" | "held" | "under_way" | "unwanted" | "equal";

/** S3 tells times in whole seconds; other stores list finer times than they answer a HEAD with, which is where rows have theirs from. */
const SAME_SECOND_MS = 1_000;

/**
 * Whether a row was made from the version that is listed. The time tells of what leaves bytes alone: an object that was
 * copied onto itself for new metadata has its old ETag and size. A second change within one second is not seen here.
 */
const isFrom = (row: Pick<RegistryRow, "src_etag" | "src_size" | "src_last_modified">, source: Listed): boolean =>
  row.src_etag === source.etag &&
  row.src_size === source.size &&
  row.src_last_modified !== undefined &&
  Math.abs(row.src_last_modified - source.lastModified) < SAME_SECOND_MS;

/**
 * Whether the listed replica may be the one that the row names. Its size alone would not tell of somebody who wrote as many
 * bytes over it, and whose event was lost. A row that names no replica by its ETag is not held against one.
 */
const isNamed = (row: Pick<RegistryRow, "rep_etag">, source: Listed, replica: Listed): boolean =>
  replica.size === source.size && (row.rep_etag === undefined || row.rep_etag === replica.etag);

/** Judges a key by both listings and its row, if it has one. */
export const judge = ({ source, replica }: ListedKey, row: RegistryRow | undefined): Finding => {
  if (row?.attempt_token !== undefined) return "held";
  // In the due index: somebody looks at it without us.
  if (row?.due_at !== undefined) return "under_way";
  if (source === undefined) return "orphan";
  if (row === undefined || row.state === "absent" || replica === undefined) return "missing";
  return isFrom(row, source) && isNamed(row, source, replica) ? "equal" : "stale";
};

/**
 * Judges a key by the primary's listing and the primary's record of it, if there is one (F47). A record that is not settled
 * is looked at without us.
 */
export const judgeRecord = (source: Listed, row: VerificationStateRow | undefined): Finding => {
  if (row === undefined || row.tombstone) return "missing";
  if (row.verification_state !== "succeeded") return "under_way";
  return isFrom(row, source) ? "equal" : "stale";
};

/** What one walk has found so far. */
export interface Findings {
  /** Keys of the type that either side listed. */
  readonly listed: number;
  readonly missing: number;
  readonly stale: number;
  readonly orphan: number;
  readonly outOfScope: number;
  /** Keys that were handed over to be looked at. */
  readonly enqueued: number;
}

export const NO_FINDINGS: Findings = {
  listed: 0,
  missing: 0,
  stale: 0,
  orphan: 0,
  outOfScope: 0,
  enqueued: 0,
};

export const addFindings = (a: Findings, b: Findings): Findings => ({
  listed: a.listed + b.listed,
  missing: a.missing + b.missing,
  stale: a.stale + b.stale,
  orphan: a.orphan + b.orphan,
  outOfScope: a.outOfScope + b.outOfScope,
  enqueued: a.enqueued + b.enqueued,
});
