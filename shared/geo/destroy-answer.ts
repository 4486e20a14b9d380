import type { DestroyParent, DestroyState } from "./destroy.ts";

/** What the API tells of a destroy. Times are ISO 8601. */
export interface DestroyAnswer {
  readonly id: string;
  readonly state: DestroyState;
  readonly replicable_names: readonly string[];
  readonly parent: DestroyParentAnswer;
  readonly requested_at: string;
  readonly requested_by: string | null;
  readonly confirmed_at: string | null;
  readonly confirmed_by: string | null;
  readonly ended_at: string | null;
  /** Until when it may be confirmed; null when it may not (yet, or any more). */
  readonly expires_at: string | null;
  /** What it names; while it is being planned, what was found so far. */
  readonly object_count: number;
  readonly byte_count: number;
  readonly counts_by_type: Readonly<Record<string, number>>;
  /** Objects that were looked at and are not to be destroyed. */
  readonly left_out_count: number;
  readonly sample_keys: readonly string[];
  /**
   * Why it was refused, or why its workflow gave up; null when neither was so. Asked for by itself, also why one that is said to be
   * under way does not move: its execution was stopped, or took too long.
   */
  readonly problem: string | null;
}

/** A list of keys is told by its length: it may have a thousand. */
export type DestroyParentAnswer =
  Exclude<DestroyParent, { kind: "keys" }> | { readonly kind: "keys"; readonly count: number };

/** And how far it has come. Every number is a sum over its slices. */
export interface DestroyProgressAnswer extends DestroyAnswer {
  readonly slices_count: number;
  readonly slices_done_count: number;
  readonly destroyed_count: number;
  readonly destroyed_bytes: number;
  /** Overwritten since the dry run: they stay. */
  readonly kept_count: number;
  /** Deleted by somebody else since then. */
  readonly gone_count: number;
  readonly failed_count: number;
  /** `deleted` events that were sent to the secondaries: one for each object that was destroyed. */
  readonly events_count: number;
  readonly restored_count: number;
  /** Not brought back: something newer is there, or the version is gone. */
  readonly not_restored_count: number;
  /** Could not be brought back: to be undone again. */
  readonly restore_failed_count: number;
  /** How many slices each secondary holds nothing of any more. */
  readonly secondaries: Readonly<Record<string, { readonly slices_followed_count: number }>>;
}
