/**
 * The structured log's vocabulary: every event that is logged, and the one shape of those that tell of a row's change of
 * state. Whoever logs, a saved query, a test and docs/observability.md take names from here. No SDK, no port.
 */

/** The states that a line may name: the row's own (`replication-state.ts`) and its verification's (`verification-state.ts`). */
export type LoggedState =
  | "pending"
  | "started"
  | "synced"
  | "failed"
  | "absent"
  /** Of a verification, and of the primary's record. */
  | "succeeded"
  /** Of a verification: there is nothing to compare with, or it is switched off. */
  | "disabled"
  /** There is no row any more. */
  | "none";

/** Which of an object's two states a line is about. */
export type LoggedMachine = "sync" | "verification" | "checksum";

interface TransitionEvent {
  /** `sync`: the registry's state. `verification`: a secondary's verification. `checksum`: the primary's record. */
  readonly of: LoggedMachine;
  readonly level: "debug" | "info" | "warn" | "error";
  readonly from: LoggedState;
  readonly to: LoggedState;
  /** What happened, for docs/observability.md. */
  readonly meaning: string;
}

/**
 * Every change of an object's state that is told, one line for each. How an attempt begins is told at the level `debug`, which
 * is not written unless somebody asks for it: the line of its end says when it began (`duration_ms`), and a second line per
 * object would cost as much as the first. Not told is that a tombstone was deleted: its `absent` was.
 */
export const TRANSITION_EVENTS = {
  claimed: {
    of: "sync",
    level: "debug",
    from: "pending",
    to: "started",
    meaning: "A worker took the row. `from` is `pending` whatever it was before.",
  },
  synced: {
    of: "sync",
    level: "info",
    from: "started",
    to: "synced",
    meaning: "The replica is the primary's object. `how`: `copied`, `adopted` (it was there), `unchanged`.",
  },
  absent: {
    of: "sync",
    level: "info",
    from: "started",
    to: "absent",
    meaning:
      "The primary does not hold the object. `how`: the replica was `removed`, there was none (`unchanged`), or it is `left_in_place`.",
  },
  sync_failed: {
    of: "sync",
    level: "warn",
    from: "started",
    to: "failed",
    meaning:
      "The attempt did not get there; it is tried again at `retry_at`. `kind` says why in a word, `reason` in a sentence.",
  },
  left_pending: {
    of: "sync",
    level: "info",
    from: "started",
    to: "pending",
    meaning: "The key changed again and again, or time was up: the sweep brings somebody back to it.",
  },
  left_to_workflow: {
    of: "sync",
    level: "info",
    from: "started",
    to: "pending",
    meaning: "A workflow copies the object in parts.",
  },
  verification_claimed: {
    of: "verification",
    level: "debug",
    from: "pending",
    to: "started",
    meaning: "A worker began to read the replica. `from` is `pending` whatever it was before.",
  },
  verified: {
    of: "verification",
    level: "info",
    from: "started",
    to: "succeeded",
    meaning: "The replica was read and is the primary's object, byte for byte.",
  },
  checksum_mismatch: {
    of: "verification",
    level: "error",
    from: "started",
    to: "failed",
    meaning: "The replica was read and is not the primary's object. It is copied again at `retry_at`.",
  },
  verification_failed: {
    of: "verification",
    level: "warn",
    from: "started",
    to: "failed",
    meaning: "The replica could not be read to its end; it is read again at `retry_at`.",
  },
  verification_timed_out: {
    of: "verification",
    level: "warn",
    from: "started",
    to: "failed",
    meaning: "Whoever read the replica never came back.",
  },
  verification_paused: {
    of: "verification",
    level: "info",
    from: "started",
    to: "pending",
    meaning: "Time was up in the middle of a large replica: the next attempt goes on from there.",
  },
  mismatch_excused: {
    of: "verification",
    level: "info",
    from: "started",
    to: "pending",
    meaning: "It differs, and the primary has looked at its object since the copy: it is looked at again first.",
  },
  awaiting_primary: {
    of: "verification",
    level: "debug",
    from: "started",
    to: "disabled",
    meaning: "The primary has no digest of this version yet: its event, or the sweep, brings somebody back.",
  },
  checksum_succeeded: {
    of: "checksum",
    level: "info",
    from: "started",
    to: "succeeded",
    meaning: "The primary knows its object's digest. `how`: `attested` by S3, `adopted` or `computed`.",
  },
  checksum_failed: {
    of: "checksum",
    level: "warn",
    from: "started",
    to: "failed",
    meaning: "The primary could not get a digest; it tries again at `retry_at`.",
  },
  checksum_paused: {
    of: "checksum",
    level: "info",
    from: "started",
    to: "pending",
    meaning: "Time was up in the middle of a large object: the next attempt goes on from there.",
  },
  primary_differs: {
    of: "checksum",
    level: "error",
    from: "started",
    to: "failed",
    meaning: "The primary's own bytes are not what was recorded of the very same version.",
  },
  record_forgotten: {
    of: "checksum",
    level: "info",
    from: "succeeded",
    to: "none",
    meaning: "The primary does not hold the object any more, and its record went.",
  },
} as const satisfies Readonly<Record<string, TransitionEvent>>;

/** The name of a transition's line: its `message`. */
export type TransitionEventName = keyof typeof TRANSITION_EVENTS;

/** What a transition's line says beside `from` and `to`, which follow from its name. */
export interface TransitionFacts {
  readonly replicable_name: string;
  /** The object's key, percent-encoded. */
  readonly key: string;
  /** The id of the S3 request, the message or the operator's request that led here: the same from the first function on. */
  readonly correlation_id: string;
  /** From the moment the message named the key to the end of the attempt. */
  readonly duration_ms?: number | undefined;
  /** How large the object is that was copied, read or found equal. */
  readonly bytes?: number | undefined;
  readonly how?: string | undefined;
  /** What a failure is in a word (`failure-kind.ts`). */
  readonly kind?: string | undefined;
  /** What a failure is in a sentence; never an object's metadata, never a secret. */
  readonly reason?: string | undefined;
  /** Milliseconds since the epoch. */
  readonly retry_at?: number | undefined;
  /** Of a line that tells of two transitions at once: what became of the verification. */
  readonly verification?: string | undefined;
}

/** Every field that a transition's line may have beside what stands on each line, in the order in which it is written. */
export const TRANSITION_FIELDS = [
  "replicable_name",
  "key",
  "from",
  "to",
  "correlation_id",
  "duration_ms",
  "bytes",
  "how",
  "kind",
  "reason",
  "retry_at",
  "verification",
] as const;

/** What stands on every line, whatever it tells of; the logger puts it there. */
export const FIELDS_OF_EVERY_LINE = ["timestamp", "level", "message", "service", "site_name"] as const;

/**
 * Every other line that a function of ours may write, by its `message`: what operators did, what could not be done and who
 * goes on with it, what was counted. `test/unit/rules/log-events.test.ts` holds it against the code.
 */
export const OTHER_EVENTS = [
  "a batch destroy begins",
  "a batch destroy failed",
  "a batch destroy has ended",
  "a batch destroy was asked for",
  "a batch destroy was cancelled",
  "a bulk update comes no further",
  "a bulk update failed",
  "a bulk update was not taken by its queue",
  "a call could not be remembered",
  "a key was left alone: trying again can not help",
  "a message will be delivered again",
  "a queue could not be measured",
  "a reported status can not be read",
  "a row was left out of a bulk update: it can not be read",
  "a row was left out of a list: it can not be read",
  "a secondary could not be noted at the primary",
  "a secondary does not say how far it has followed a batch destroy",
  "an execution of the retry sweep was started with an input that can not be used",
  "an object's owners can not be read",
  "an operator asked for a bulk update",
  "an operator asked for a walk",
  "an operator cancelled a bulk update",
  "an operator changed a feature flag",
  "an operator changed settings of the site",
  "an operator changed what is noted of a site",
  "an operator noted a site",
  "an operator released removals",
  "an operator removed a site",
  "an operator removed the primary",
  "an operator renamed a site",
  "an operator sent dead letters back",
  "an upload is kept, since its row can not be read",
  "api_call",
  "api_call_denied",
  "api_call_failed",
  "changes_counted_before",
  "consistency_unreadable",
  "could not park a message",
  "counters_unreadable",
  "counts_differ",
  "dead letters could not be looked at",
  "dead letters could not be sent back",
  "events could not be sent to the secondary",
  "gathered_status_unreadable",
  "graphql_failed",
  "it is not known whether a type is being drained",
  "keys that differ could not be handed over",
  "lost the lease of a row",
  "messages could not be given back at once",
  "more is due than a sweep sends: an execution drains it",
  "more is due, and waits until fewer messages do",
  "objects are to be verified again",
  "out_of_pattern",
  "parked a message that can not be read",
  "part of the status could not be gathered",
  "partitions_added",
  "recount_unreadable",
  "recounted",
  "removals are held back until an operator releases them",
  "reports_unreadable",
  "retries of a type are held back: everything fails, and only a person can change that",
  "retries of a type go on",
  "settings_unreadable",
  "some due rows could not be sent",
  "some objects could not be sent to be verified again",
  "the note of a site can not be read",
  "the primary could not be told of this site's status",
  "the replica's bucket was changed by somebody else, or by a write that landed late",
  "the rest is left to a successor",
  "the stored status can not be read and is made anew",
  "the successor could not be noted",
  "the sweep could not be told of outcomes",
  "the usage of the day could not be noted",
  "totals_unreadable",
  "type_status",
  "upload of nobody",
  "walked through a type",
  "what is held back can not be read: nothing is",
  "what is held back could not be noted",
  "what is left could not be handed to the workflow; the next sweep goes on",
  "worked on a bulk update",
] as const;
