import {
  type AnyChecksum,
  attestation,
  type Checksum,
  mismatchText,
  type ParsedChecksum,
  parseChecksum,
  sizeChecksum,
} from "../../geo/checksum.ts";
import { isOfPolicy } from "../../geo/checksum-policy.ts";
import { failureText } from "../../geo/failure-policy.ts";
import { PRIMARY_CHECKSUM_WAIT_MAX_MS, PRIMARY_CHECKSUM_WAIT_MIN_MS, leaseMs } from "../../geo/limits.ts";
import {
  type ObjectRef,
  parseRegistryRow,
  parseVerificationStateRow,
  type RegistryRow,
  rowKey,
  type VerificationStateRow,
} from "../../geo/registry-row.ts";
import { retryDelayMs } from "../../geo/retry.ts";
import type { VerifyingSite } from "../../ports/site.ts";
import {
  awaitPrimaryChecksum,
  claimVerification,
  commitMismatched,
  commitVerified,
  excuseMismatch,
  failVerification,
  type HeldVerification,
  pauseVerification,
  timeOutVerification,
} from "../../tables/registry/verification.ts";
import { digestVersion } from "./read-digest.ts";

/**
 * T7: reads a replica in its own region and compares it with the primary's digest, or asks S3 about it, where its type
 * declares no more. As in a sync, what is known is plain data and each step asks the outside world at most once, beside
 * reading on where a connection broke.
 */

export type VerificationResult =
  | { readonly result: "verified" }
  | { readonly result: "mismatched"; readonly text: string; readonly retryAt: number }
  | { readonly result: "failed"; readonly text: string; readonly retryAt: number }
  /** Whoever verified it last never came back (F21). */
  | { readonly result: "timed_out"; readonly text: string; readonly retryAt: number }
  /** The time was up in the middle of a large replica: the next attempt goes on from there. */
  | { readonly result: "paused"; readonly detail: string }
  /** It differs, and the primary has looked at its object again since the copy: so do we, before we say so (F32). */
  | { readonly result: "looking_again"; readonly text: string }
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

interface Difference {
  readonly found: AnyChecksum;
  readonly expected: AnyChecksum;
  readonly size: number;
}

/** What was found of the replica, or why that is not known. */
type Reading =
  | { readonly read: "equal"; readonly found: AnyChecksum }
  | ({ readonly read: "different" } & Difference)
  | { readonly read: "failed"; readonly detail: string; readonly progress: string | undefined }
  | { readonly read: "paused"; readonly detail: string; readonly progress: string | undefined };

type Expected<By extends ParsedChecksum["by"]> = Extract<ParsedChecksum, { by: By }>;

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
  | { readonly at: "read_replica"; readonly claimed: Claimed; readonly expected: Expected<"bytes"> }
  | {
      readonly at: "look_at_replica";
      readonly claimed: Claimed;
      readonly expected: Expected<"size" | "attestation">;
    }
  | { readonly at: "weigh_mismatch"; readonly claimed: Claimed; readonly difference: Difference }
  | { readonly at: "look_again"; readonly claimed: Claimed; readonly difference: Difference }
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
    if (row?.v_token === token && row.gen === row.done_gen) return afterClaim(site, { ref, token, row, stopAt });
    const isOver = which === "unverified" && row?.v_token !== undefined && (row.v_lease ?? 0) < now;
    return isOver ? { at: "time_out", ref, row } : ended({ result: "not_due" });
  }
  return afterClaim(site, { ref, token, row: parseRegistryRow(claimed.item), stopAt });
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

/** A value from before a change of its type's policy is not asked for again: the primary's record says what counts now. */
const afterClaim = (site: VerifyingSite, claimed: Claimed): Verification => {
  const { src_checksum: recorded } = claimed.row;
  return recorded !== undefined && isOfPolicy(site.checksums.policyOf(claimed.ref.replicableName), recorded)
    ? compareWith(claimed, recorded)
    : { at: "find_primary_checksum", claimed };
};

/** Each value is compared within its own scheme, whatever its type declares by now. */
const compareWith = (claimed: Claimed, recorded: string): Verification => {
  const expected = parseChecksum(recorded);
  if (expected === undefined) {
    const detail = `the primary's checksum has an unknown scheme: ${recorded.slice(0, 32)}`;
    return { at: "commit", claimed, reading: { read: "failed", detail, progress: undefined } };
  }
  return expected.by === "bytes"
    ? { at: "read_replica", claimed, expected }
    : { at: "look_at_replica", claimed, expected };
};

const readPrimaryRecord = async (site: VerifyingSite, claimed: Claimed): Promise<VerificationStateRow | undefined> => {
  const item = await site.primaryState.get(rowKey(claimed.ref));
  return item === undefined ? undefined : parseVerificationStateRow(item);
};

const speaksOf = (state: VerificationStateRow, row: RegistryRow): boolean =>
  state.src_version_id === row.src_version_id && state.src_etag === row.src_etag;

/** The digest must be the one of the very version that was copied (R16). */
const findPrimaryChecksum = async (
  site: VerifyingSite,
  { claimed }: Extract<Verification, { at: "find_primary_checksum" }>,
): Promise<Verification> => {
  const state = await readPrimaryRecord(site, claimed);
  // While the primary reads this version again, what it recorded of it holds; once that is in doubt, it does not (F30).
  const isOfThisVersion = state !== undefined && state.verification_state !== "failed" && speaksOf(state, claimed.row);
  const expected = isOfThisVersion ? state.verification_checksum : undefined;
  return expected === undefined ? { at: "await_primary", claimed } : compareWith(claimed, expected);
};

const sizeOf = ({ row }: Claimed): number => row.src_size ?? 0;

/** What a look at the replica, or a read of it, says of it. */
const compared = (
  claimed: Claimed,
  expected: ParsedChecksum,
  found: { readonly checksum: AnyChecksum; readonly size: number },
): Verification =>
  found.checksum === expected.checksum && found.size === claimed.row.src_size
    ? { at: "commit", claimed, reading: { read: "equal", found: found.checksum } }
    : differs(claimed, { found: found.checksum, expected: expected.checksum, size: found.size });

/** F32, once for each version. */
const differs = (claimed: Claimed, difference: Difference): Verification =>
  claimed.row.mismatch_excused === claimed.row.src_version_id
    ? { at: "commit", claimed, reading: { read: "different", ...difference } }
    : { at: "weigh_mismatch", claimed, difference };

/** The version is gone although nobody here may delete versions: nothing can be compared, and the copy must be made again. */
const isGone = (claimed: Claimed, { checksum: expected }: ParsedChecksum): Verification => ({
  at: "commit",
  claimed,
  reading: { read: "different", found: NOTHING, expected, size: 0 },
});

const readReplica = async (
  site: VerifyingSite,
  { claimed, expected }: Extract<Verification, { at: "read_replica" }>,
): Promise<Verification> => {
  const { ref, row, stopAt } = claimed;
  const found = await digestVersion({
    bucket: site.replica,
    key: ref.key,
    pin: { versionId: row.rep_version_id ?? "", etag: row.rep_etag ?? "" },
    size: sizeOf(claimed),
    scheme: expected.scheme,
    rules: site.checksums,
    isOver: () => site.clock.now() >= stopAt,
    progress: row.verification_progress,
  });
  switch (found.outcome) {
    case "digested":
      return compared(claimed, expected, found);
    case "gone":
      return isGone(claimed, expected);
    case "unread": {
      const { detail, progress } = found;
      return { at: "commit", claimed, reading: { read: found.paused ? "paused" : "failed", detail, progress } };
    }
  }
};

/** Asks S3 about the replica and reads none of it. What S3 does not attest in the same scheme is read after all. */
const lookAtReplica = async (
  site: VerifyingSite,
  { claimed, expected }: Extract<Verification, { at: "look_at_replica" }>,
): Promise<Verification> => {
  const seen = await site.replica.headVersion(claimed.ref.key, claimed.row.rep_version_id ?? "");
  switch (seen.outcome) {
    case "gone":
      return isGone(claimed, expected);
    case "failed":
      return {
        at: "commit",
        claimed,
        reading: { read: "failed", detail: seen.failure.detail, progress: claimed.row.verification_progress },
      };
    case "present": {
      const { facts } = seen;
      if (expected.by === "size") return compared(claimed, expected, { ...facts, checksum: sizeChecksum(facts.size) });
      const checksum = attestation(facts);
      const { scheme, digest } = expected;
      return checksum?.startsWith(`attested-${scheme}:`) === true
        ? compared(claimed, expected, { ...facts, checksum })
        : { at: "read_replica", claimed, expected: { by: "bytes", scheme, checksum: digest } };
    }
  }
};

/** SHA-256 of no bytes: what stands in a row whose replica version does not exist. */
const NOTHING: Checksum = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/**
 * F32. Has the primary looked at its object again since the replica was made, or does it hold another version by now? Then
 * what the replica was compared with may not be what it should be compared with any more (R15, R16).
 */
const weighMismatch = async (
  site: VerifyingSite,
  { claimed, difference }: Extract<Verification, { at: "weigh_mismatch" }>,
): Promise<Verification> => {
  const state = await readPrimaryRecord(site, claimed);
  const { row } = claimed;
  const mayPass =
    state !== undefined && (!speaksOf(state, row) || (state.verified_at ?? 0) > (row.last_synced_at ?? 0));
  return mayPass
    ? { at: "look_again", claimed, difference }
    : { at: "commit", claimed, reading: { read: "different", ...difference } };
};

const textOf = (claimed: Claimed, { expected, found, size }: Difference): string =>
  failureText(mismatchText(expected, found, sizeOf(claimed), size));

/** F32. The row is pending, which is quiet, and due: whoever takes it looks at both sides. */
const lookAgain = async (
  site: VerifyingSite,
  { claimed, difference }: Extract<Verification, { at: "look_again" }>,
): Promise<Verification> => {
  const { ref, token, row } = claimed;
  const written = await site.registry.update(excuseMismatch({ ref, token, row, now: site.clock.now() }));
  return ended(
    written.outcome === "written"
      ? { result: "looking_again", text: textOf(claimed, difference) }
      : { result: "superseded" },
  );
};

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
      const text = textOf(claimed, reading);
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
    case "paused": {
      const written = await site.registry.update(pauseVerification(held, reading.progress));
      return ended(
        written.outcome === "written" ? { result: "paused", detail: reading.detail } : { result: "superseded" },
      );
    }
    case "failed": {
      const text = failureText(`Error during verification: ${reading.detail}`);
      const failure = { text, retryAt, retryCount: failures };
      const written = await site.registry.update(failVerification(held, failure, reading.progress));
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
    case "look_at_replica":
      return lookAtReplica(site, verification);
    case "weigh_mismatch":
      return weighMismatch(site, verification);
    case "look_again":
      return lookAgain(site, verification);
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
 * @param noteClaim is told the row once it is this verification's
 * @throws TableUnavailableError when a table did not answer: the message must be delivered again
 */
export const verifyReplica = async (
  site: VerifyingSite,
  ref: ObjectRef,
  cause: "checksum_succeeded" | "due",
  stopAt: number,
  noteClaim?: (row: RegistryRow) => void,
): Promise<VerificationResult> => {
  let verification: Verification = {
    at: "claim",
    ref,
    token: site.chance.token(),
    which: cause === "due" ? "unverified" : "any",
    stopAt,
  };
  while (verification.at !== "ended") {
    const next = await verificationStep(site, verification);
    if (verification.at === "claim" && "claimed" in next) noteClaim?.(next.claimed.row);
    verification = next;
  }
  return verification.result;
};
