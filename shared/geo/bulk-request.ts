import { createHash } from "node:crypto";
import { failureKinds, type RowFailureKind } from "./failure-kind.ts";
import { findKeyProblem, quoted } from "./key-codec.ts";
import { KEYS_PER_MESSAGE_MAX } from "./geo-message.ts";
import { REPLICATION_STATE, type ReplicationState } from "./replication-state.ts";
import type { SiteRole } from "./site-status.ts";
import { VERIFICATION_STATE, type VerificationState } from "./verification-state.ts";

/**
 * What an operator wants done to many rows of a site (F77), in Geo's words.
 *
 * | action | where | which rows | what becomes of them |
 * | --- | --- | --- | --- |
 * | `resync` | secondary | all that do not wait for their copy already | copied again, whatever the replica holds (F18) |
 * | `reconcile` | secondary | all that do not wait for their copy already | both sides are looked at, and what is not right is copied or removed |
 * | `reverify` | secondary | synced ones that do not wait for their verification already | read again |
 * | `retry_now` | both | failed ones | tried again now, and not at the end of their wait |
 * | `checksum` | primary | all that do not wait for it already | read again, and announced to the secondaries |
 */
export const BULK_ACTIONS = ["resync", "reconcile", "reverify", "retry_now", "checksum"] as const;
export type BulkAction = (typeof BULK_ACTIONS)[number];

/** Which rows, and what of them. A row has to fit all that is named. */
export interface BulkSelection {
  readonly action: BulkAction;
  /** The types, in the order in which they are walked through. */
  readonly replicableNames: readonly string[];
  /** S3 keys of one type; absent: all rows of the types. */
  readonly keys?: readonly string[];
  readonly replicationState?: ReplicationState;
  readonly verificationState?: VerificationState;
  /** Why they failed; of `retry_now` at a secondary. */
  readonly failure?: RowFailureKind;
}

/** A request as it was sent. */
export interface BulkRequest {
  readonly selection: BulkSelection;
  /** To do again what was done within the last hour. */
  readonly force: boolean;
}

/** What a request is held against. */
export interface BulkPlace {
  readonly role: SiteRole;
  readonly replicableNames: readonly string[];
}

/** Most keys that one request names: one message's worth. For more there are states and types. */
export const BULK_KEYS_MAX = KEYS_PER_MESSAGE_MAX;

const ACTIONS_OF: Readonly<Record<SiteRole, readonly BulkAction[]>> = {
  primary: ["checksum", "retry_now"],
  secondary: ["resync", "reconcile", "reverify", "retry_now"],
};

const FIELDS = ["action", "replicable_name", "keys", "replication_state", "verification_state", "failure", "force"];

/** A tombstone is nobody's to choose. */
const REPLICATION_STATES = Object.keys(REPLICATION_STATE).filter((state) => state !== "absent");
const VERIFICATION_STATES = Object.keys(VERIFICATION_STATE);

/** How much of a wrong value is shown, and how many wrong keys. */
const SHOWN_LENGTH_MAX = 100;
const SHOWN_KEYS_MAX = 5;

const shown = (value: unknown): string => {
  const text = value === undefined ? "nothing" : JSON.stringify(value);
  return text.length > SHOWN_LENGTH_MAX ? `${text.slice(0, SHOWN_LENGTH_MAX)}…` : text;
};

type Sent = Readonly<Record<string, unknown>>;

/** Takes down a problem; whoever does so has no value to hand back. */
type Note = (problem: string) => undefined;

const oneOf = <T extends string>(sent: Sent, field: string, words: readonly T[], note: Note): T | undefined => {
  const value = sent[field];
  if (value === undefined) return undefined;
  const word = words.find((one) => one === value);
  return word ?? note(`${field}: expected one of ${words.join(", ")}, got ${shown(value)}`);
};

const keysOf = (sent: Sent, note: Note): readonly string[] | undefined => {
  const { keys } = sent;
  if (keys === undefined) return undefined;
  if (!Array.isArray(keys)) return note(`keys: expected a list of S3 keys, got ${shown(keys)}`);
  if (keys.length === 0) return note("keys: expected 1 key or more, got an empty list; leave it out for all rows");
  if (keys.length > BULK_KEYS_MAX) {
    return note(`keys: expected at most ${BULK_KEYS_MAX}, got ${keys.length}; choose by type and state instead`);
  }
  const problems = keys.flatMap((key: unknown) => {
    if (typeof key !== "string") return [`expected a text, got ${shown(key)}`];
    const problem = findKeyProblem(key);
    return problem === undefined ? [] : [`${quoted(key)} is no key: ${problem}`];
  });
  if (problems.length > 0) return note(`keys: ${problems.slice(0, SHOWN_KEYS_MAX).join("; ")}`);
  if (sent["replicable_name"] === undefined) {
    return note("keys: expected replicable_name beside them: a key is looked up among the rows of one type");
  }
  return [...new Set(keys as readonly string[])]; // each was found to be a text
};

/** States that contradict each other or the action: such a request would select nothing, and its sender would not know why. */
const noteContradictions = (
  role: SiteRole,
  action: BulkAction,
  replication: ReplicationState | undefined,
  verification: VerificationState | undefined,
  failure: RowFailureKind | undefined,
  note: Note,
): void => {
  if (role === "primary" && replication !== undefined) {
    note("replication_state: a primary copies nothing, so its rows have none");
  }
  if (failure !== undefined && (role === "primary" || action !== "retry_now")) {
    note(`failure: expected with the action retry_now at a secondary only, got the action ${action}`);
  }
  if (failure !== undefined && replication !== undefined && replication !== "failed") {
    note(`failure: a row that is ${replication} has none`);
  }
  if ((action === "resync" || action === "reconcile") && replication === "pending") {
    note("replication_state: a row that is pending is copied anyway");
  }
  if (action === "reverify" && replication !== undefined && replication !== "synced") {
    note(`replication_state: only synced rows are verified, got ${shown(replication)}`);
  }
  if ((action === "reverify" || action === "checksum") && verification === "pending") {
    note("verification_state: a row that is pending is verified anyway");
  }
  if (role === "secondary" && replication !== undefined && replication !== "synced" && verification !== undefined) {
    note(`verification_state: only a synced row has one that counts, and replication_state is ${shown(replication)}`);
  }
  if (action === "retry_now") {
    if (replication !== undefined && replication !== "failed") {
      note(`replication_state: only failed rows wait for another try, got ${shown(replication)}`);
    }
    if (verification !== undefined && verification !== "failed") {
      note(`verification_state: only failed rows wait for another try, got ${shown(verification)}`);
    }
  }
};

/** Reads a request from parsed JSON. Everything that is wrong with it is named together: what was expected, and what came. */
export const parseBulkRequest = (
  input: unknown,
  { role, replicableNames }: BulkPlace,
): { readonly request: BulkRequest } | { readonly problems: readonly string[] } => {
  if (typeof input !== "object" || input === null || Array.isArray(input)) {
    return { problems: [`body: expected an object such as {"action": "${ACTIONS_OF[role][0]}"}, got ${shown(input)}`] };
  }
  const sent = input as Sent; // an object that is no list
  const problems: string[] = [];
  const note: Note = (problem) => void problems.push(problem);
  const unknown = Object.keys(sent).filter((field) => !FIELDS.includes(field));
  if (unknown.length > 0) {
    note(`there is nothing called ${unknown.join(", ").slice(0, SHOWN_LENGTH_MAX)}; expected ${FIELDS.join(", ")}`);
  }
  const action = oneOf(sent, "action", ACTIONS_OF[role], note);
  if (sent["action"] === undefined) {
    note(`action: expected one of ${ACTIONS_OF[role].join(", ")} at a ${role}, got nothing`);
  }
  const replicableName = oneOf(sent, "replicable_name", replicableNames, note);
  const keys = keysOf(sent, note);
  const replication = oneOf(sent, "replication_state", REPLICATION_STATES as readonly ReplicationState[], note);
  const verification = oneOf(sent, "verification_state", VERIFICATION_STATES as readonly VerificationState[], note);
  const failure = oneOf(sent, "failure", failureKinds, note);
  const { force = false } = sent;
  if (typeof force !== "boolean") note(`force: expected true or false, got ${shown(force)}`);
  if (action !== undefined) noteContradictions(role, action, replication, verification, failure, note);
  if (action === undefined || problems.length > 0) return { problems };
  return {
    request: {
      force: force === true,
      selection: {
        action,
        replicableNames: replicableName === undefined ? replicableNames : [replicableName],
        ...(keys === undefined ? {} : { keys }),
        ...(replication === undefined ? {} : { replicationState: replication }),
        ...(verification === undefined ? {} : { verificationState: verification }),
        ...(failure === undefined ? {} : { failure }),
      },
    },
  };
};

/** Hexadecimal digits of a fingerprint: 64 bits, of which an operator makes a few thousand at most. */
const FINGERPRINT_LENGTH = 16;

/** What an API's path names a request by. */
export const BULK_ID = /^[0-9a-f]{16}$/;

/** Names what is asked for, and nothing else: the same request has the same id, whoever sends it and whenever. */
export const bulkIdOf = (selection: BulkSelection): string => {
  const { action, replicableNames, keys = [], replicationState = "", verificationState = "", failure = "" } = selection;
  const said = [action, replicableNames.toSorted(), keys.toSorted(), replicationState, verificationState, failure];
  return createHash("sha256").update(JSON.stringify(said), "utf8").digest("hex").slice(0, FINGERPRINT_LENGTH);
};
