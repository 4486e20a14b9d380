import { createHash } from "node:crypto";

/**
 * Idempotency keys: a caller that got no answer sends the same call again under the same key, and it is not done twice. Pure;
 * `functions/status-api/idempotent-calls.ts` runs it.
 */

/** How long an answer is kept for its key: 24 hours. */
export const IDEMPOTENCY_KEPT_MS = 24 * 60 * 60 * 1_000;

/**
 * How long a call may be under way, in milliseconds. Longer than the API's function lives with one call (29 seconds), so that
 * nobody is at work on one that is older, and its key may be tried again.
 */
export const IDEMPOTENCY_UNDER_WAY_MS = 60_000;

/** Longest key in characters. */
export const IDEMPOTENCY_KEY_LENGTH_MAX = 255;

const PRINTABLE = /^[\u0020-\u007e]+$/;

/** What is wrong with a key; nothing when it is fine. */
export const findKeyProblem = (key: string): string | undefined => {
  const expected = `Idempotency-Key: expected 1 to ${IDEMPOTENCY_KEY_LENGTH_MAX} printable ASCII characters`;
  if (key.length === 0 || key.length > IDEMPOTENCY_KEY_LENGTH_MAX) return `${expected}, got ${key.length}`;
  return PRINTABLE.test(key) ? undefined : `${expected}, got others`;
};

const digest = (...parts: readonly (string | Uint8Array)[]): string => {
  const hash = createHash("sha256");
  // Each with its length, so that no two lists of parts read alike.
  for (const part of parts) hash.update(`${Buffer.byteLength(part)}:`).update(part);
  return hash.digest("hex");
};

/** Under what a key is remembered: everybody's keys are their own. 64 hex digits. */
export const rememberedAs = (tokenId: string, key: string): string => digest(tokenId, key);

/** A call as far as it has to be the same one to be answered again. */
export interface KeyedCall {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly body: Uint8Array;
}

/** What tells a call from every other: 64 hex digits. */
export const fingerprintOf = ({ method, path, body }: KeyedCall): string => digest(method, path, body);
