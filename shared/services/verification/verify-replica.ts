import { type Checksum, mismatchText, schemeOf } from "../../geo/checksum.ts";
import { digest } from "../../geo/digest.ts";
import { failureText } from "../../geo/failure-policy.ts";
import { PRIMARY_CHECKSUM_WAIT_MAX_MS, PRIMARY_CHECKSUM_WAIT_MIN_MS, leaseMs } from "../../geo/limits.ts";
import {
  type ObjectRef,
  parseRegistryRow,
  parseVerificationStateRow,
  type RegistryRow,
  rowKey,
} from "../../geo/registry-row.ts";
import { retryDelayMs } from "../../geo/retry.ts";
import type { VerifyingSite } from "../../ports/site.ts";
import {
  awaitPrimaryChecksum,
  claimVerification,
  commitMismatched,
  commitVerified,
  failVerification,
  type HeldVerification,
  timeOutVerification,
} from "../../tables/registry/verification.ts";

/**
 * T7: reads a replica in its own region and compares it with the primary's digest. As in a sync, what is known is plain
 * data and each step asks the outside world at most once.
 */

export type VerificationResult =
  | { readonly result: "verified" }
  | { readonly result: "mismatched"; readonly text: string; readonly retryAt: number }
  | { readonly result: "failed"; readonly text: string; readonly retryAt: number }
  /** Whoever verified it last never came back (F21). */
  | { readonly result: "timed_out"; readonly text: string; readonly retryAt: number }
  /** The primary has no digest for this version yet. */
  | { readonly result: "awaiting_primary"; readonly dueAt: number }
  /** Not settled, being copied, being verified by somebody else, or verified already. */
  | { readonly result: "not_due" }
  /** The row changed while its replica was read: what was read says nothing about it any more (R15). */
  | { readonly result: "superseded" };

interface Claimed {
  readonly ref: ObjectRef;
  readonly token: string;
  readonly row: RegistryRow;
  /** When to give up reading, milliseconds since the epoch. */
  readonly stopAt: number;
}

/** What the replica's bytes digest to, or why that is not known. */
type Reading =
  | { readonly read: "equal"; readonly found: Checksum }
  | { readonly read: "different"; readonly found: Checksum; readonly expected: Checksum; readonly size: number }
  | { readonly read: "failed"; readonly detail: string };

export type Verification =
  | {
      readonly at: "claim";
      readonly ref: ObjectRef;
      readonly token: string;
      readonly which: "any" | "unverified";
      readonly stopAt: number;
    }
  | { readonly at: "time_out"; readonly ref: ObjectRef; readonly row: RegistryRow }
  | { readonly at: "find_primary_checksum"; readonly claimed: Claimed }
  | { readonly at: "read_replica"; readonly claimed: Claimed; readonly expected: string }
  | { readonly at: "commit"; readonly claimed: Claimed; readonly reading: Reading }
  | { readonly at: "await_primary"; readonly claimed: Claimed }
  | { readonly at: "ended"; readonly result: VerificationResult };

const ended = (result: VerificationResult): Verification => ({ at: "ended", result });

const claim = async (
  site: VerifyingSite,
  { ref, token, which, stopAt }: Extract<Verification, { at: "claim" }>,
): Promise<Verification> => {
  const now = site.clock.now();
  const claimed = await site.registry.update(
    claimVerification(ref, token, now, now + leaseMs(site.functionTimeoutMs), which),
  );
  if (claimed.outcome === "refused") {
    const row = claimed.item === undefined ? undefined : parseRegistryRow(claimed.item);
    // Our own claim, sent twice (R14). Touched since the first time, the row has another reason to be due, which a verdict on
    // the touched row would take away unheard.
    if (row?.v_token === token && row.gen === row.done_gen) return afterClaim({ ref, token, row, stopAt });
    const isOver = which === "unverified" && row?.v_token !== undefined && (row.v_lease ?? 0) < now;
    return isOver ? { at: "time_out", ref, row } : ended({ result: "not_due" });
  }
  return afterClaim({ ref, token, row: parseRegistryRow(claimed.item), stopAt });
};

/** F21. A due row whose verifier never came back says so, and is read again after a wait that grows. */
const timeOut = async (
  site: VerifyingSite,
  { ref, row }: Extract<Verification, { at: "time_out" }>,
): Promise<Verification> => {
  const now = site.clock.now();
  const retryCount = row.verification_retry_count + 1;
  const seconds = Math.round(((row.v_lease ?? now) - (row.verification_started_at ?? now)) / 1_000);
  const text = `Verification timed out after ${seconds}`;
  const retryAt = now + retryDelayMs(retryCount, () => site.chance.random());
  const written = await site.registry.update(timeOutVerification(ref, row, now, { text, retryAt, retryCount }));
  return ended(written.outcome === "written" ? { result: "timed_out", text, retryAt } : { result: "superseded" });
};

const afterClaim = (claimed: Claimed): Verification =>
  claimed.row.src_checksum === undefined
    ? { at: "find_primary_checksum", claimed }
    : { at: "read_replica", claimed, expected: claimed.row.src_checksum };

/** The digest must be the one of the very version that was copied (R16). */
const findPrimaryChecksum = async (
  site: VerifyingSite,
  { claimed }: Extract<Verification, { at: "find_primary_checksum" }>,
): Promise<Verification> => {
  const item = await site.primaryState.get(rowKey(claimed.ref));
  if (item === undefined) return { at: "await_primary", claimed };
  const state = parseVerificationStateRow(item);
  const isOfThisVersion =
    state.verification_state === "succeeded" &&
    state.src_version_id === claimed.row.src_version_id &&
    state.src_etag === claimed.row.src_etag;
  const expected = isOfThisVersion ? state.verification_checksum : undefined;
  return expected === undefined ? { at: "await_primary", claimed } : { at: "read_replica", claimed, expected };
};

const readReplica = async (
  site: VerifyingSite,
  { claimed, expected }: Extract<Verification, { at: "read_replica" }>,
): Promise<Verification> => {
  const reading = (value: Reading): Verification => ({ at: "commit", claimed, reading: value });
  const scheme = schemeOf(expected);
  if (scheme === undefined)
    return reading({
      read: "failed",
      detail: `the primary's checksum has an unknown scheme: ${expected.slice(0, 32)}`,
    });
  const read = await site.replica.read(claimed.ref.key, claimed.row.rep_version_id ?? "");
  if (read.outcome === "failed") return reading({ read: "failed", detail: read.failure.detail });
  // The version is gone although nobody here may delete versions: nothing can be compared, and the copy must be made again.
  if (read.outcome === "gone")
    return reading({ read: "different", found: NOTHING, expected: expected as Checksum, size: 0 });
  try {
    const found = await digest(scheme, read.body, () => site.clock.now() >= claimed.stopAt);
    return found.checksum === expected && found.size === claimed.row.src_size
      ? reading({ read: "equal", found: found.checksum })
      : reading({ read: "different", found: found.checksum, expected: expected as Checksum, size: found.size });
  } catch (error) {
    return reading({ read: "failed", detail: error instanceof Error ? error.message : String(error) });
  }
};

/** SHA-256 of no bytes: what stands in a row whose replica version does not exist. */
const NOTHING: Checksum = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

const commit = async (
  site: VerifyingSite,
  { claimed, reading }: Extract<Verification, { at: "commit" }>,
): Promise<Verification> => {
  const now = site.clock.now();
  const { ref, token, row } = claimed;
  const held: HeldVerification = { ref, token, row, now };
  const failures = claimed.row.verification_retry_count + 1;
  const retryAt = now + retryDelayMs(failures, () => site.chance.random());
  switch (reading.read) {
    case "equal": {
      const written = await site.registry.update(commitVerified(held, reading.found));
      return ended({ result: written.outcome === "written" ? "verified" : "superseded" });
    }
    case "different": {
      const text = failureText(mismatchText(reading.expected, reading.found, claimed.row.src_size ?? 0, reading.size));
      const written = await site.registry.update(
        commitMismatched(held, {
          found: reading.found,
          expected: reading.expected,
          verificationRetryCount: failures,
          retryAt,
          text,
        }),
      );
      return ended(written.outcome === "written" ? { result: "mismatched", text, retryAt } : { result: "superseded" });
    }
    case "failed": {
      const text = failureText(`Error during verification: ${reading.detail}`);
      const written = await site.registry.update(failVerification(held, { text, retryAt, retryCount: failures }));
      return ended(written.outcome === "written" ? { result: "failed", text, retryAt } : { result: "superseded" });
    }
  }
};

/** Waits as long again as it has waited, within bounds: the primary's event wakes the row earlier. */
const waitForPrimary = (row: RegistryRow, now: number): number => {
  const waited = now - (row.last_synced_at ?? now);
  return now + Math.min(Math.max(waited, PRIMARY_CHECKSUM_WAIT_MIN_MS), PRIMARY_CHECKSUM_WAIT_MAX_MS);
};

const awaitPrimary = async (
  site: VerifyingSite,
  { claimed }: Extract<Verification, { at: "await_primary" }>,
): Promise<Verification> => {
  const now = site.clock.now();
  const dueAt = waitForPrimary(claimed.row, now);
  const written = await site.registry.update(
    awaitPrimaryChecksum({ ref: claimed.ref, token: claimed.token, row: claimed.row, now }, dueAt),
  );
  return ended(written.outcome === "written" ? { result: "awaiting_primary", dueAt } : { result: "superseded" });
};

/** One step of a verification. */
export const verificationStep = (
  site: VerifyingSite,
  verification: Exclude<Verification, { at: "ended" }>,
): Promise<Verification> => {
  switch (verification.at) {
    case "claim":
      return claim(site, verification);
    case "time_out":
      return timeOut(site, verification);
    case "find_primary_checksum":
      return findPrimaryChecksum(site, verification);
    case "read_replica":
      return readReplica(site, verification);
    case "commit":
      return commit(site, verification);
    case "await_primary":
      return awaitPrimary(site, verification);
  }
};

/**
 * Verifies one replica.
 * @param cause `checksum_succeeded`: the primary has (again) computed its digest, so even a verified replica is read
 *   again (F28); `due`: only a replica that is not verified
 * @param stopAt when to give up reading, milliseconds since the epoch: well before the function would be ended
 * @throws TableUnavailableError when a table did not answer: the message must be delivered again
 */
export const verifyReplica = async (
  site: VerifyingSite,
  ref: ObjectRef,
  cause: "checksum_succeeded" | "due",
  stopAt: number,
): Promise<VerificationResult> => {
  let verification: Verification = {
    at: "claim",
    ref,
    token: site.chance.token(),
    which: cause === "due" ? "unverified" : "any",
    stopAt,
  };
  while (verification.at !== "ended") verification = await verificationStep(site, verification);
  return verification.result;
};
