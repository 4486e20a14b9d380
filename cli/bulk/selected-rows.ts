import { countsOf, type BulkUpdateWish, type SiteStatusAnswer, type TypeCounts } from "../../shared/client/contract.ts";
import type { Replicable } from "../../shared/geo/replicable.ts";

/** About how many rows of a type a request selects, by the site's counters; null when the counters do not say. */
export interface SelectedRows {
  readonly replicableName: string;
  readonly rows: number | null;
}

type Count = number | null;

const sum = (...counts: readonly Count[]): Count => {
  const known = counts.filter((count) => count !== null);
  return known.length === 0 ? null : known.reduce((total, count) => total + count, 0);
};

/** By the state that a request names; some states are counted together, and then it is at most so many. */
const byReplicationState = (counts: TypeCounts, state: string): Count => {
  if (state === "synced") return counts.syncedCount;
  return state === "failed" ? counts.failedCount : counts.queued;
};

const byVerificationState = (counts: TypeCounts, state: string): Count => {
  if (state === "succeeded") return counts.verifiedCount;
  return state === "failed" ? counts.verificationFailedCount : counts.verificationQueued;
};

const atSecondary = (wish: BulkUpdateWish, counts: TypeCounts): Count => {
  if (wish.verification_state !== undefined) return byVerificationState(counts, wish.verification_state);
  if (wish.replication_state !== undefined) return byReplicationState(counts, wish.replication_state);
  if (wish.action === "resync" || wish.action === "reconcile") return counts.registryCount;
  if (wish.action === "reverify") return counts.syncedCount;
  return wish.failure === undefined ? sum(counts.failedCount, counts.verificationFailedCount) : counts.failedCount;
};

const atPrimary = (wish: BulkUpdateWish, counts: TypeCounts): Count => {
  const state = wish.verification_state ?? (wish.action === "retry_now" ? "failed" : undefined);
  if (state === "failed") return counts.checksumFailedCount;
  return state === "succeeded" ? counts.checksummedCount : sum(counts.checksummedCount, counts.checksumFailedCount);
};

/** About how many rows a request selects, type by type: what the site counts costs nothing to ask. */
export const selectedRows = (
  wish: BulkUpdateWish,
  status: SiteStatusAnswer,
  replicables: readonly Replicable[],
): readonly SelectedRows[] =>
  replicables
    .filter(({ name }) => wish.replicable_name === undefined || wish.replicable_name === name)
    .map(({ name, names }) => {
      if (wish.keys !== undefined) return { replicableName: name, rows: wish.keys.length };
      const counts = countsOf(status, names);
      return { replicableName: name, rows: status.primary ? atPrimary(wish, counts) : atSecondary(wish, counts) };
    });

/** Of all types together. */
export const totalRows = (selected: readonly SelectedRows[]): number =>
  selected.reduce((total, { rows }) => total + (rows ?? 0), 0);
