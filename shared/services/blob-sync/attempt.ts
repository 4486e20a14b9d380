import type { Expectation, PresentDecision, Seen } from "../../geo/decide.ts";
import type { FailureKind } from "../../geo/failure-policy.ts";
import type { PartsWanted } from "../../geo/large-copy.ts";
import type { ObjectFacts } from "../../geo/object-facts.ts";
import type { OpenUpload } from "../../geo/open-upload.ts";
import type { SyncCause } from "../../geo/read-message.ts";
import type { ObjectRef, RegistryRow } from "../../geo/registry-row.ts";
import type { CopiedPart } from "../../ports/object-store.ts";
import type { Mismatch } from "../../tables/registry/fail.ts";
import type { PassOutcome } from "../../tables/registry/move-on.ts";
import type { ReplicaPin, VerificationVerdict } from "../../tables/registry/settle.ts";

/**
 * An attempt to make one replica equal to its source, as plain data: where it stands and what it knows. Each step takes
 * an attempt, talks to the outside world at most once, and returns the attempt that follows. A worker may die between any
 * two steps; what it leaves behind is then exactly one of these values, which is what the protocol's tests explore.
 */

/** What an attempt that holds the row knows. */
export interface Held {
  readonly ref: ObjectRef;
  readonly token: string;
  /** The row as the claim returned it. */
  readonly row: RegistryRow;
  readonly claimedGen: number;
  /** Whether this attempt has sent a write to the replica's bucket, whatever became of it. */
  readonly wrote: boolean;
  /** Set once one of those writes ended without an answer: the row has to be tainted until then. */
  readonly ownTaintUntil: number | undefined;
  /** The upload that the row names, as far as this attempt knows. Who settles the row ends it first. */
  readonly upload: OpenUpload | undefined;
  /** The row names an upload that is over: the next write of this attempt takes it out. */
  readonly uploadOver: boolean;
  /** Whether something was listed under the key in the replica's bucket: then it is asked about before anything is sent. */
  readonly replicaListed: boolean;
  /** How often the key has been looked at again within this pass. */
  readonly looks: number;
  /** How often the key has been claimed again because it was touched meanwhile. */
  readonly passes: number;
  /** When to stop and let go, milliseconds since the epoch. */
  readonly stopAt: number;
  /** The site's epoch when the attempt was asked for: it writes to S3 in no other (R27, R38). */
  readonly epoch: number;
}

/** Who wants the key to be looked at. */
export interface Asked {
  readonly ref: ObjectRef;
  /** Fresh for this attempt. */
  readonly token: string;
  /** A hint counts as a change; a due row does not. A resync is a hint that wants a fresh copy whatever is there (F18). */
  readonly cause: SyncCause;
  readonly stopAt: number;
  readonly epoch: number;
}

/** How an attempt ended. The message that led to it may be acknowledged after each of these. */
export type SyncResult =
  | {
      readonly result: "synced";
      readonly how: "copied" | "adopted" | "unchanged";
      readonly verification: VerificationVerdict["verdict"];
      readonly size: number;
      readonly sourceLastModified: number;
    }
  /** The row is gone. `left_in_place`: the replica is not, since this site does not touch objects (F50). */
  | { readonly result: "absent"; readonly how: Gone }
  | { readonly result: "joined" }
  | {
      readonly result: "failed";
      readonly kind: FailureKind | "checksum_mismatch" | "sync_timeout";
      readonly text: string;
      readonly retryAt: number;
      /** Nothing will change until somebody acts. */
      readonly blocked: boolean;
    }
  /** A workflow copies the object, or is to copy another version of it: the row is due again to see whether it does. */
  | { readonly result: "handed_over" }
  /** Parts are to be copied by others before the upload can be completed. */
  | { readonly result: "parts_wanted"; readonly wanted: PartsWanted }
  /** Touched again and again, or out of time: left pending for the sweep. */
  | { readonly result: "left_pending" }
  | { readonly result: "lost_lease" }
  /** The row named nothing to do at this time. */
  | { readonly result: "nothing_due" }
  /** A synced row whose verification is due: not this attempt's work. */
  | { readonly result: "verification_due" }
  | { readonly result: "rechecked" };

/** How a key came to have no row. */
export type Gone = "removed" | "unchanged" | "left_in_place";

export type Attempt =
  // Claiming: T1
  | { readonly at: "touch_and_claim"; readonly asked: Asked }
  | { readonly at: "join"; readonly asked: Asked }
  | { readonly at: "take_over"; readonly asked: Asked; readonly oldToken: string }
  | { readonly at: "claim_seen"; readonly asked: Asked; readonly seenGen: number }
  | { readonly at: "time_out"; readonly asked: Asked; readonly row: RegistryRow; readonly oldToken: string }
  // What the due index found: T10's other half, and T8
  | { readonly at: "look_at_row"; readonly asked: Asked }
  | { readonly at: "recheck"; readonly asked: Asked; readonly row: RegistryRow }
  | { readonly at: "clear_taint"; readonly asked: Asked; readonly row: RegistryRow }
  | { readonly at: "count_suspicion"; readonly asked: Asked; readonly row: RegistryRow }
  | {
      readonly at: "reschedule";
      readonly ref: ObjectRef;
      readonly row: RegistryRow;
      readonly dueAt: number | undefined;
      readonly result: SyncResult;
    }
  // Looking: T2, T3
  | { readonly at: "observe_source"; readonly held: Held }
  | { readonly at: "ask_primary_record"; readonly held: Held }
  | { readonly at: "ask_owner"; readonly held: Held; readonly source: ObjectFacts; readonly ownerKey: string }
  | { readonly at: "observe_replica"; readonly held: Held; readonly source: Seen }
  | {
      readonly at: "compare_tags";
      readonly held: Held;
      readonly source: ObjectFacts;
      readonly settled: SettledDecision;
    }
  // Writing: T4
  | { readonly at: "copy"; readonly held: Held; readonly source: ObjectFacts; readonly expectation: Expectation }
  // Writing in parts, for what is too large for one copy
  | ({ readonly at: "prepare_upload"; readonly held: Held; readonly partBytes: number } & CopyWanted)
  | ({
      readonly at: "begin_upload";
      readonly held: Held;
      readonly partBytes: number;
      readonly tags: Readonly<Record<string, string>>;
    } & CopyWanted)
  | ({ readonly at: "record_upload"; readonly held: Held; readonly upload: OpenUpload } & CopyWanted)
  | ({ readonly at: "list_parts"; readonly held: Held; readonly upload: OpenUpload } & CopyWanted)
  | ({
      readonly at: "copy_parts";
      readonly held: Held;
      readonly upload: OpenUpload;
      readonly done: readonly CopiedPart[];
    } & CopyWanted)
  | ({
      readonly at: "complete_upload";
      readonly held: Held;
      readonly upload: OpenUpload;
      readonly parts: readonly CopiedPart[];
    } & CopyWanted)
  | { readonly at: "hand_over"; readonly held: Held; readonly source: ObjectFacts }
  | { readonly at: "abort_upload"; readonly held: Held; readonly upload: OpenUpload; readonly next: AfterAbort }
  | { readonly at: "ask_removal_guard"; readonly held: Held; readonly etag: string }
  | { readonly at: "remove"; readonly held: Held; readonly etag: string }
  | { readonly at: "resolve_unknown"; readonly held: Held; readonly source: Seen; readonly detail: string }
  // Reading back
  | { readonly at: "read_back"; readonly held: Held; readonly written: Written }
  // Ending: T5, T6
  | {
      readonly at: "commit_synced";
      readonly held: Held;
      readonly written: Written;
      readonly verdict: VerificationVerdict;
    }
  | { readonly at: "commit_absent"; readonly held: Held; readonly how: Gone }
  | { readonly at: "commit_mismatched"; readonly held: Held; readonly written: Written; readonly mismatch: Mismatch }
  | { readonly at: "next_pass"; readonly held: Held; readonly outcome: PassOutcome | undefined }
  | { readonly at: "leave_pending"; readonly held: Held; readonly outcome: PassOutcome | undefined }
  | { readonly at: "release"; readonly held: Held; readonly later?: Later }
  | { readonly at: "fail"; readonly held: Held; readonly kind: FailureKind; readonly detail: string }
  | { readonly at: "taint"; readonly ref: ObjectRef }
  | { readonly at: "purge"; readonly ref: ObjectRef; readonly gen: number; readonly result: SyncResult }
  | {
      readonly at: "request_verification";
      readonly ref: ObjectRef;
      readonly result: SyncResult;
      readonly delaySeconds: number;
    }
  | { readonly at: "ended"; readonly ref: ObjectRef; readonly result: SyncResult };

/** What a copy is made of, and onto what. */
export interface CopyWanted {
  readonly source: ObjectFacts;
  readonly expectation: Expectation;
}

/** Lets go of the row because others do the work now. */
export interface Later {
  /** When to see whether they do, milliseconds since the epoch. */
  readonly dueAt: number;
  readonly result: Extract<SyncResult, { result: "handed_over" | "parts_wanted" }>;
}

/** What goes on once an upload is out of the way. */
export type AfterAbort = Extract<
  Attempt,
  { at: "begin_upload" | "observe_source" | "commit_synced" | "commit_absent" | "fail" | "taint" | "ended" }
>;

export type SettledDecision = Extract<PresentDecision, { do: "settle_synced" }>;

/** A replica version that holds, or should hold, a source version. */
export interface Written {
  readonly how: "copied" | "adopted" | "unchanged";
  readonly source: ObjectFacts;
  readonly replica: ReplicaPin;
}

export type AttemptAt<At extends Attempt["at"]> = Extract<Attempt, { at: At }>;

/** A step: one attempt in, the next one out, the outside world asked at most once. */
export type Step<Site, At extends Attempt["at"]> = (site: Site, attempt: AttemptAt<At>) => Promise<Attempt>;

/** Ends an attempt. */
export const ended = (ref: ObjectRef, result: SyncResult): AttemptAt<"ended"> => ({ at: "ended", ref, result });
