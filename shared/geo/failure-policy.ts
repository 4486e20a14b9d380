import {
  BLOCKED_RETRY_MS,
  FAILURE_TEXT_LENGTH_MAX,
  GUARDED_RETRY_MIN_MS,
  GUARDED_RETRY_SPREAD_MS,
  THROTTLE_RETRY_MIN_MS,
  THROTTLE_RETRY_SPREAD_MS,
} from "./limits.ts";
import { RETRY_CAP_MISSING_SECONDS, retryDelayMs } from "./retry.ts";

/** The classes of failure that call for different waits; `StoreFailure["kind"]` and what the protocol adds. */
export type FailureKind =
  | "throttled"
  | "forbidden"
  | "kms"
  | "archived"
  | "customer_key"
  | "too_large"
  | "rejected"
  | "unavailable"
  | "unknown_outcome"
  | "unsettled"
  | "missing_on_primary"
  | "owner_missing"
  | "removal_guard";

interface Policy {
  /** How the failure begins to be told. */
  readonly text: string;
  /** What a person has to do about it, where nothing else helps. It stands at the end of the text, whatever is cut. */
  readonly advice?: string;
  /**
   * `geo`: Geo's growing wait; `missing`: the same with the cap of four hours. `throttle`: a short one that is not counted.
   * `blocked`: a long one, for a human; `guarded`: until a human has released the guard.
   */
  readonly wait: "geo" | "missing" | "throttle" | "blocked" | "guarded";
}

const POLICIES: Readonly<Record<FailureKind, Policy>> = {
  throttled: { text: "S3 asked to slow down", wait: "throttle" },
  // Access may come back at any time, and until then the row says what is missing.
  forbidden: {
    text: "Access to the object was denied",
    advice: "Allow it in the bucket's policy and the role of the event-consumer.",
    wait: "geo",
  },
  kms: {
    text: "The object's encryption key can not be used",
    advice: "Enable the KMS key and let the role of the event-consumer use it.",
    wait: "geo",
  },
  archived: {
    text: "The object is archived on the primary and must be restored before it can be copied",
    advice: "Restore it on the primary.",
    wait: "blocked",
  },
  customer_key: {
    text: "The object is encrypted with a customer's key (SSE-C), which is not supported",
    advice: "Upload it to the primary again without SSE-C.",
    wait: "blocked",
  },
  too_large: {
    text: "The object is larger than S3 can be asked to copy",
    advice: "Store it as several smaller objects, or leave its type out of what this site keeps.",
    wait: "blocked",
  },
  rejected: { text: "S3 rejected the request", wait: "geo" },
  unavailable: { text: "S3 did not answer", wait: "geo" },
  unknown_outcome: { text: "A write to the replica ended without an answer", wait: "geo" },
  unsettled: { text: "The object kept changing while it was copied", wait: "geo" },
  // Geo's own words, which its users search for (F14).
  missing_on_primary: { text: "The file is missing on the Geo primary site", wait: "missing" },
  // Geo's own words as far as they go (F91). An owner may come back from a backup as a file may.
  owner_missing: {
    text: "Skipping transfer due to validation error: the record that owns this upload is missing",
    wait: "missing",
  },
  // What is to be done stands in its detail, with the limit that it is about.
  removal_guard: { text: "Removal held back by the guard", wait: "guarded" },
};

/** How each kind of failure begins to be told: by that a row's kind is known again. */
export const FAILURE_TEXTS = Object.fromEntries(
  Object.entries(POLICIES).map(([kind, { text }]) => [kind, text]),
) as Readonly<Record<FailureKind, string>>; // the entries have exactly the policies' keys

/** What a row records about a failed attempt. */
export interface RecordedFailure {
  readonly text: string;
  readonly retryAt: number;
  readonly retryCount: number;
  readonly blockedReason: string | undefined;
}

/** Half of a character that takes two: what is left where a cut goes through one. */
const HALF_AT_THE_END = /[\uD800-\uDBFF]$/;

/** Cuts a failure text as Geo's columns do (F12), or to fewer characters, never through a character. */
export const failureText = (text: string, lengthMax = FAILURE_TEXT_LENGTH_MAX): string =>
  text.length <= lengthMax ? text : `${text.slice(0, lengthMax - 1).replace(HALF_AT_THE_END, "")}…`;

/** What happened, in S3's words where it gave some, and what is to be done. */
const told = ({ text, advice }: Policy, detail: string): string => {
  const happened = detail === "" ? text : `${text}: ${detail}`;
  if (advice === undefined) return failureText(happened);
  const between = ". ";
  return `${failureText(happened, FAILURE_TEXT_LENGTH_MAX - between.length - advice.length)}${between}${advice}`;
};

/**
 * What to record, and when to try again. There is no last attempt: failures are retried for ever (F13).
 * @param retryCount the row's count before this failure
 */
export const recordFailure = (
  kind: FailureKind,
  detail: string,
  retryCount: number,
  now: number,
  random: () => number,
): RecordedFailure => {
  const policy = POLICIES[kind];
  const recorded = told(policy, detail);
  switch (policy.wait) {
    case "throttle":
      return {
        text: recorded,
        retryAt: now + THROTTLE_RETRY_MIN_MS + Math.floor(random() * THROTTLE_RETRY_SPREAD_MS),
        retryCount,
        blockedReason: undefined,
      };
    case "blocked":
      return { text: recorded, retryAt: now + BLOCKED_RETRY_MS, retryCount: retryCount + 1, blockedReason: kind };
    case "guarded":
      return {
        text: recorded,
        retryAt: now + GUARDED_RETRY_MIN_MS + Math.floor(random() * GUARDED_RETRY_SPREAD_MS),
        retryCount: retryCount + 1,
        blockedReason: kind,
      };
    case "missing":
      return {
        text: recorded,
        retryAt: now + retryDelayMs(retryCount + 1, random, RETRY_CAP_MISSING_SECONDS),
        retryCount: retryCount + 1,
        blockedReason: undefined,
      };
    case "geo":
      return {
        text: recorded,
        retryAt: now + retryDelayMs(retryCount + 1, random),
        retryCount: retryCount + 1,
        blockedReason: kind === "forbidden" || kind === "kms" ? kind : undefined,
      };
  }
};

/**
 * What a row says whose holder never came back (F20): Geo's text, and a count that begins at one again, since nothing is
 * known against the object itself.
 * @param leaseSeconds how long the holder had
 */
export const recordTimeout = (leaseSeconds: number, now: number, random: () => number): RecordedFailure => ({
  text: `Sync timed out after ${leaseSeconds}`,
  retryAt: now + retryDelayMs(1, random),
  retryCount: 1,
  blockedReason: undefined,
});
