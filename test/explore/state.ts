import type { Item } from "../../shared/ports/table.ts";
import type { Attempt } from "../../shared/services/blob-sync/attempt.ts";
import type { Verification } from "../../shared/services/verification/verify-replica.ts";

/**
 * The whole world of one key, as plain data: what the two buckets hold, the registry row as DynamoDB holds it, what is
 * under way, and what may still go wrong. Two worlds with the same data are the same world.
 */

/** What a version holds. `X` are bytes that nobody put: what a corrupted transfer leaves. */
export type Content = "A" | "B" | "X";

export type SourceVersion =
  | { readonly kind: "object"; readonly v: string; readonly content: Content }
  | { readonly kind: "marker"; readonly v: string };

export type ReplicaVersion =
  | {
      readonly kind: "object";
      readonly v: string;
      /** What its ETag and stored checksum say: those are the source's, whatever the bytes are. */
      readonly says: Content;
      readonly bytes: Content;
    }
  | { readonly kind: "marker"; readonly v: string };

/** A request that S3 has accepted and not carried out yet: its sender is gone or has stopped waiting. */
export type LateRequest =
  | { readonly kind: "copy"; readonly content: Content; readonly onto: Content | undefined }
  | { readonly kind: "remove"; readonly onto: Content };

/** Somebody who works on the key, or nobody. */
export interface WorkerSlot {
  /** Where the attempt stands; undefined while the worker is idle. */
  readonly attempt: Attempt | undefined;
  /** Whether a message leads it, which comes back when it dies. */
  readonly message: boolean;
}

/** How often each thing may still happen. */
export interface Budget {
  /** Changes of the source. */
  readonly changes: number;
  readonly crashes: number;
  readonly duplicates: number;
  /** Messages that vanish; reconciliation finds the key later. */
  readonly losses: number;
  /** Leases that end while their holder lives. */
  readonly zombies: number;
  /** S3 writes whose answer never comes. */
  readonly unanswered: number;
  /** Copies that arrive with other bytes. */
  readonly corruptions: number;
}

export interface State {
  readonly source: readonly SourceVersion[];
  readonly replica: readonly ReplicaVersion[];
  readonly row: Item | undefined;
  /** Hints in the queue. */
  readonly hints: number;
  readonly workers: readonly WorkerSlot[];
  readonly verifier: Verification | undefined;
  readonly late: readonly LateRequest[];
  /** A message was lost, and nobody has compared the two sides since. */
  readonly unreconciled: boolean;
  readonly budget: Budget;
  /** Counts what has been named, so that names are never used twice. */
  readonly names: number;
}

export const initialState = (workers: number, budget: Budget): State => ({
  source: [],
  replica: [],
  row: undefined,
  hints: 0,
  workers: Array.from({ length: workers }, () => ({ attempt: undefined, message: false })),
  verifier: undefined,
  late: [],
  unreconciled: false,
  budget,
  names: 0,
});

/** What a stack of versions shows. */
export const currentOf = <V extends { readonly kind: "object" | "marker" }>(
  versions: readonly V[],
): Extract<V, { kind: "object" }> | undefined => {
  const top = versions.at(-1);
  return top?.kind === "object" ? (top as Extract<V, { kind: "object" }>) : undefined;
};
