import type { ReplicaChange } from "../../shared/geo/drift.ts";
import { FIRST_STANDING, type SiteStanding } from "../../shared/geo/site-standing.ts";
import type { Item } from "../../shared/ports/table.ts";
import type { Attempt } from "../../shared/services/blob-sync/attempt.ts";
import type { Drift } from "../../shared/services/notice-drift.ts";
import type { Verification } from "../../shared/services/verification/verify-replica.ts";
import { type Knowledge, KNOWS_NOTHING } from "./knowledge.ts";

/**
 * The whole world of one key, as plain data: what the two buckets hold, the registry row as DynamoDB holds it, what is
 * under way, and what may still go wrong. Two worlds with the same data are the same world.
 */

/**
 * What a version holds. `X` are bytes that nobody put: what a corrupted transfer leaves. `P` is what a person puts into the
 * replica's bucket who knows nothing of the primary's. `M` is what parts of two objects come to.
 */
export type Content = "A" | "B" | "X" | "P" | "M";

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

/** An upload in two parts that was begun and neither completed nor aborted. */
export interface Upload {
  readonly u: string;
  /** What was copied into each part; the bytes of either part of `A` are `A`. */
  readonly parts: readonly [Content | undefined, Content | undefined];
  /** Nobody but its creator has ever heard of it, who died before writing it down: the sweep of uploads is for these. */
  readonly unheard: boolean;
}

/** A request that S3 has accepted and not carried out yet: its sender is gone or has stopped waiting. */
export type LateRequest =
  | { readonly kind: "copy"; readonly content: Content; readonly onto: Content | undefined }
  | { readonly kind: "complete"; readonly u: string; readonly onto: Content | undefined }
  | { readonly kind: "remove"; readonly onto: Content };

/** What leads a worker to a key and comes back when the worker dies; a due row needs no message. */
export type Message = "hint" | "resync";

/** Somebody who works on the key, or nobody. */
export interface WorkerSlot {
  /** Where the attempt stands; undefined while the worker is idle. */
  readonly attempt: Attempt | undefined;
  readonly message: Message | undefined;
  /** What the world, and not the code, has seen this attempt learn. */
  readonly knowledge: Knowledge;
  /** What the source held when the attempt began: only where a test has it looked at before the claim, and not after. */
  readonly seenFirst?: readonly SourceVersion[];
}

/** Who holds an event of the replica's bucket against the row. */
export interface Drifter {
  readonly drift: Exclude<Drift, { at: "ended" }>;
  /** The event, which comes back when this worker dies or asks for it later. */
  readonly change: ReplicaChange;
}

/** How often each thing may still happen. */
export interface Budget {
  /** Changes of the source. */
  readonly changes: number;
  readonly crashes: number;
  readonly duplicates: number;
  /** Messages that vanish; reconciliation finds the key later. */
  readonly losses: number;
  /** Leases that end while their holder lives: a worker's, or a verifier's. */
  readonly zombies: number;
  /** S3 writes whose answer never comes. */
  readonly unanswered: number;
  /** Copies that arrive with other bytes. */
  readonly corruptions: number;
  /** Changes of the replica's bucket by a person. */
  readonly persons: number;
  /** Events of the replica's bucket that vanish, and that no reconciliation makes up for. */
  readonly driftLosses: number;
  /** Removals of other keys, which the guard counts with ours. */
  readonly otherRemovals: number;
  /** An operator's requests for a fresh copy. */
  readonly resyncs: number;
  /** Restores of the registry and promotions of the site. */
  readonly epochs: number;
}

/** What became of an operator's request for a fresh copy; `done` as well when there was nothing to copy. */
export type ResyncRequest = "none" | "asked" | "done";

/**
 * How much has been named, so that names are never used twice: versions of the source and of the replica, tokens, and rows
 * that have been made. Counted by kind, so that what happens to one makes no difference to the names of another.
 */
export interface Named {
  readonly s: number;
  readonly r: number;
  readonly t: number;
  readonly u: number;
  readonly rows: number;
}

export interface State {
  readonly source: readonly SourceVersion[];
  readonly replica: readonly ReplicaVersion[];
  readonly row: Item | undefined;
  /** Hints in the queue. */
  readonly hints: number;
  /** Messages of an operator's resync in the queue. */
  readonly resyncs: number;
  readonly resync: ResyncRequest;
  readonly workers: readonly WorkerSlot[];
  readonly verifiers: readonly (Exclude<Verification, { at: "ended" }> | undefined)[];
  readonly late: readonly LateRequest[];
  readonly uploads: readonly Upload[];
  /** What S3 has reported of the replica's bucket and nobody has looked at; none while there is no drift path. */
  readonly drifts: readonly ReplicaChange[];
  readonly drifter: Drifter | undefined;
  /** Whether the primary's record names the object, where it may lag behind the bucket. */
  readonly recorded: boolean;
  /** The removal guard's item, where the guard counts. */
  readonly guard: Item | undefined;
  readonly standing: SiteStanding;
  /** A message was lost, and nobody has compared the two sides since. */
  readonly unreconciled: boolean;
  /** A rule that the last action broke, in words. */
  readonly broken: string | undefined;
  readonly budget: Budget;
  readonly named: Named;
}

export const IDLE: WorkerSlot = { attempt: undefined, message: undefined, knowledge: KNOWS_NOTHING };

export const initialState = (workers: number, verifiers: number, budget: Budget): State => ({
  source: [],
  replica: [],
  row: undefined,
  hints: 0,
  resyncs: 0,
  resync: "none",
  workers: Array.from({ length: workers }, () => IDLE),
  verifiers: Array.from({ length: verifiers }, () => undefined),
  late: [],
  uploads: [],
  drifts: [],
  drifter: undefined,
  recorded: false,
  guard: undefined,
  standing: FIRST_STANDING,
  unreconciled: false,
  broken: undefined,
  budget,
  named: { s: 0, r: 0, t: 0, u: 0, rows: 0 },
});

/** One more name of a kind, and the state in which it is taken. */
export const withName = (state: State, kind: keyof Named): readonly [State, string] => [
  { ...state, named: { ...state.named, [kind]: state.named[kind] + 1 } },
  `${kind}${state.named[kind]}`,
];

/** What a stack of versions shows. */
export const currentOf = <V extends { readonly kind: "object" | "marker" }>(
  versions: readonly V[],
): Extract<V, { kind: "object" }> | undefined => {
  const top = versions.at(-1);
  return top?.kind === "object" ? (top as Extract<V, { kind: "object" }>) : undefined;
};

/** A column of the row that holds a number. */
export const numberIn = ({ row }: State, column: string): number | undefined => {
  const value = row?.[column];
  return typeof value === "number" ? value : undefined;
};

/** The token under which an attempt works on the row, once it has one. */
export const tokenOf = (attempt: Attempt): string | undefined => {
  if ("held" in attempt) return attempt.held.token;
  return "asked" in attempt ? attempt.asked.token : undefined;
};

/** The token under which a verification works on the row, once it has claimed it. */
export const verificationTokenOf = (verification: Verification): string | undefined =>
  "claimed" in verification ? verification.claimed.token : undefined;
