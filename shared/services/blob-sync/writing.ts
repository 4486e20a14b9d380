import {
  type AnyChecksum,
  attestation,
  type ChecksumScheme,
  mismatchText,
  parseChecksum,
  sizeChecksum,
} from "../../geo/checksum.ts";
import { decideAbsent, decidePresent, type Seen } from "../../geo/decide.ts";
import { failureText } from "../../geo/failure-policy.ts";
import { quarantineMs, writeBudgetMs } from "../../geo/limits.ts";
import { COUNT_METRICS } from "../../geo/metrics.ts";
import { NO_VERSION, replicaStorageClass } from "../../geo/object-facts.ts";
import { retryDelayMs } from "../../geo/retry.ts";
import { mayWrite } from "../../geo/site-standing.ts";
import type { SecondarySite } from "../../ports/site.ts";
import { askToRemove } from "../removal-guard.ts";
import { digestVersion } from "../verification/read-digest.ts";
import type { Attempt, Held, Step, Written } from "./attempt.ts";
import { afterWriting, failedAt, lookAgain, verifyLater, vouched } from "./observing.ts";

const outOfTime = (site: SecondarySite, held: Held): boolean => site.clock.now() >= held.stopAt;

/** Before a write: is there still time to see its end? One that is given up on in the middle leaves an unknown behind. */
export const tooLateFor = (size: number, site: SecondarySite, held: Held): boolean =>
  site.clock.now() + writeBudgetMs(size, site.functionTimeoutMs) > held.stopAt;

export const wrote = (held: Held): Held => ({ ...held, wrote: true });

/** A write whose end nobody saw: it may have happened, or still happen (R11, R14). The row is tainted by the next write. */
export const unknown = (site: SecondarySite, held: Held): Held => {
  site.telemetry.count(COUNT_METRICS.unknownOutcome, 1, held.ref.replicableName);
  site.telemetry.count(COUNT_METRICS.taintedRow, 1, held.ref.replicableName);
  return { ...wrote(held), ownTaintUntil: site.clock.now() + quarantineMs(site.functionTimeoutMs) };
};

/**
 * R27, R38: the site has become something else, or its registry was restored, since the attempt was asked for. Read right
 * before each write, from a record that may be ten seconds old: the fence is soft.
 */
export const fenced = async (site: SecondarySite, held: Held): Promise<boolean> =>
  !mayWrite(await site.standing.read(), held.epoch);

/** T4. Copies exactly the version that was seen, onto exactly the replica that was seen. */
export const copyStep: Step<SecondarySite, "copy"> = async (site, { held, source, expectation }) => {
  if (tooLateFor(source.size, site, held) || (await fenced(site, held))) return { at: "release", held };
  const copied = await site.replica.copyFromPrimary({
    key: held.ref.key,
    sourceVersionId: source.versionId,
    sourceEtag: source.etag,
    size: source.size,
    storageClass: replicaStorageClass(source),
    headers: source.headers,
    metadata: source.metadata,
    replica: expectation,
  });
  switch (copied.outcome) {
    case "copied":
      return afterWriting(site, wrote(held), {
        how: "copied",
        source,
        replica: { versionId: copied.versionId, etag: copied.etag },
      });
    // The source was replaced or purged under us (R6), or the replica was not what we saw (R35): both were decided by S3
    // without writing anything.
    case "gone":
    case "lost":
      return lookAgain(held);
    case "unknown":
      return {
        at: "resolve_unknown",
        held: unknown(site, held),
        source: { found: "present", facts: source },
        detail: copied.detail,
      };
    case "failed":
      return failedAt(held, copied.failure);
  }
};

/** R29, the number: removals come one by one, and only their number tells a lost bucket from people who tidy up. */
export const askRemovalGuardStep: Step<SecondarySite, "ask_removal_guard"> = async (site, { held, etag }) => {
  // Before it is counted: a removal that a pause lets go of is asked for again, and a release counts them one by one.
  if (await fenced(site, held)) return { at: "release", held };
  const { key, replicableName } = held.ref;
  const permit = await askToRemove(site, replicableName, { key, sourceVersionId: held.row.src_version_id });
  return permit.removal === "allowed"
    ? { at: "remove", held, etag }
    : { at: "fail", held, kind: "removal_guard", detail: permit.detail };
};

/** T4 for a key that the primary does not hold: a delete marker, on exactly the replica that was seen (S3, S4). */
export const removeStep: Step<SecondarySite, "remove"> = async (site, { held, etag }) => {
  if (tooLateFor(0, site, held) || (await fenced(site, held))) return { at: "release", held };
  const removed = await site.replica.remove(held.ref.key, etag);
  switch (removed.outcome) {
    case "removed":
      return { at: "commit_absent", held: wrote(held), how: "removed" };
    case "lost":
      return lookAgain(held);
    case "unknown":
      return { at: "resolve_unknown", held: unknown(site, held), source: { found: "absent" }, detail: removed.detail };
    case "failed":
      return failedAt(held, removed.failure);
  }
};

/**
 * T4, after a write without an answer: what does the replica hold now? If it is what was wanted, the attempt goes on and
 * the taint makes sure that it is looked at again; if not, it is tried again later.
 */
export const resolveUnknownStep: Step<SecondarySite, "resolve_unknown"> = async (site, { held, source, detail }) => {
  const seen = await site.replica.head(held.ref.key);
  if (seen.outcome === "failed") return { at: "fail", held, kind: "unknown_outcome", detail };
  const replica: Seen = seen.outcome === "absent" ? { found: "absent" } : { found: "present", facts: seen.facts };
  if (source.found === "absent") {
    return decideAbsent(replica).do === "settle_absent"
      ? { at: "commit_absent", held, how: "removed" }
      : { at: "fail", held, kind: "unknown_outcome", detail };
  }
  const decision = decidePresent(held.row, source.facts, replica);
  // Only a version that this row has never named can be the one that was just written, and only one with a name of its own:
  // else it was there before versioning was turned on, or the bucket has stopped to keep versions, where nothing settles.
  // Whether it has the tags, too, is seen in the next step.
  if (
    decision.do === "settle_synced" &&
    decision.because === "adopt" &&
    decision.versionId !== held.row.rep_version_id &&
    decision.versionId !== NO_VERSION
  ) {
    return { at: "compare_tags", held, source: source.facts, settled: decision };
  }
  return { at: "fail", held, kind: "unknown_outcome", detail };
};

/** What was found of the replica that was just written. */
type ReadBack =
  | { readonly found: AnyChecksum; readonly size: number }
  | "gone"
  /** The copy stands; only the proof is missing. The verification function will see to it. */
  | "unread";

/** Reads the bytes: the replica's own stored checksum proves nothing, since S3 carries it over from the source when it copies. */
const readBytes = async (
  site: SecondarySite,
  held: Held,
  { source, replica }: Written,
  scheme: ChecksumScheme,
): Promise<ReadBack> => {
  const read = await digestVersion({
    bucket: site.replica,
    key: held.ref.key,
    pin: replica,
    size: source.size,
    scheme,
    rules: site.checksums,
    isOver: () => outOfTime(site, held),
    progress: undefined,
  });
  switch (read.outcome) {
    case "digested":
      return { found: read.checksum, size: read.size };
    case "gone":
      return "gone";
    case "unread":
      return "unread";
  }
};

/** Asks S3 what it says of the replica: for types that declare to be content with that. */
const lookAt = async (
  site: SecondarySite,
  held: Held,
  { replica }: Written,
  by: "size" | "attestation",
): Promise<ReadBack> => {
  const seen = await site.replica.headVersion(held.ref.key, replica.versionId);
  if (seen.outcome !== "present") return seen.outcome === "gone" ? "gone" : "unread";
  const { size } = seen.facts;
  const found = by === "size" ? sizeChecksum(size) : attestation(seen.facts);
  return found === undefined ? "unread" : { found, size };
};

/**
 * Compares the replica with what S3 says of the source, in its own region: by its bytes, or by less where the key's type
 * declares less.
 */
export const readBackStep: Step<SecondarySite, "read_back"> = async (site, { held, written }): Promise<Attempt> => {
  const expected = parseChecksum(vouched(site, held, written.source) ?? "");
  if (expected === undefined || outOfTime(site, held)) return verifyLater(site, held, written);
  const found =
    expected.by === "bytes"
      ? await readBytes(site, held, written, expected.scheme)
      : await lookAt(site, held, written, expected.by);
  if (found === "gone") return lookAgain(held);
  // What is attested in another scheme says nothing about this one.
  if (found === "unread" || schemeText(found.found) !== schemeText(expected.checksum)) {
    return verifyLater(site, held, written);
  }
  if (found.found === expected.checksum && found.size === written.source.size) {
    return { at: "commit_synced", held, written, verdict: { verdict: "verified", checksum: found.found } };
  }
  const failures = held.row.verification_retry_count + 1;
  return {
    at: "commit_mismatched",
    held,
    written,
    mismatch: {
      found: found.found,
      expected: expected.checksum,
      verificationRetryCount: failures,
      retryAt: site.clock.now() + retryDelayMs(failures, () => site.chance.random()),
      text: failureText(mismatchText(expected.checksum, found.found, written.source.size, found.size)),
    },
  };
};

const schemeText = (checksum: AnyChecksum): string => checksum.slice(0, checksum.indexOf(":"));
