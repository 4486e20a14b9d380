import type { AnyChecksum } from "../../geo/checksum.ts";
import { isRead, vouchedFor } from "../../geo/checksum-policy.ts";
import { type Expectation, type Seen, decideAbsent, decidePresent, sameEntries } from "../../geo/decide.ts";
import { quoted } from "../../geo/key-codec.ts";
import { LOOKS_PER_ATTEMPT_MAX, PRIMARY_CHECKSUM_WAIT_MIN_MS, VERIFICATION_GRACE_MS } from "../../geo/limits.ts";
import type { ObjectFacts } from "../../geo/object-facts.ts";
import type { OpenUpload } from "../../geo/open-upload.ts";
import { planParts } from "../../geo/part-plan.ts";
import { parseVerificationStateRow, rowKey } from "../../geo/registry-row.ts";
import type { SecondarySite } from "../../ports/site.ts";
import type { StoreFailure } from "../../ports/object-store.ts";
import type { AfterAbort, Attempt, AttemptAt, Held, SettledDecision, Step, Written } from "./attempt.ts";

export const failedAt = (held: Held, failure: StoreFailure): AttemptAt<"fail"> => ({
  at: "fail",
  held,
  kind: failure.kind,
  detail: failure.detail,
});

/** Looks at both sides again, because something moved under us; gives up after a few times and leaves it to the retry. */
export const lookAgain = (held: Held): AttemptAt<"fail" | "observe_source"> =>
  held.looks >= LOOKS_PER_ATTEMPT_MAX
    ? { at: "fail", held, kind: "unsettled", detail: "" }
    : { at: "observe_source", held: { ...held, looks: held.looks + 1 } };

/** The upload that the row names is over. */
export const withoutUpload = (held: Held): Held => ({ ...held, upload: undefined, uploadOver: true });

/** Ends an upload before anything else is done. @param next knows already that there is none */
export const abortFirst = (held: Held, upload: OpenUpload, next: AfterAbort): AttemptAt<"abort_upload"> => ({
  at: "abort_upload",
  held,
  upload,
  next,
});

/**
 * A row that this very claim made, of a key that this site has never written and nobody has seen anything under: its replica
 * is not asked about first. Where a listing showed one, a question costs a twelfth of the copy that S3 would refuse.
 */
const neverWritten = ({ row, replicaListed, looks, passes }: Held): boolean =>
  row.gen === 1 &&
  row.rep_version_id === undefined &&
  row.taint_until === undefined &&
  !replicaListed &&
  looks === 0 &&
  passes === 1;

/**
 * T2. The primary is asked *after* the claim: whatever hint led here, the change that it tells of happened before, and S3
 * answers with a state at least as new. Only a 404 is absence; a 403 is a failure (R28).
 */
export const observeSourceStep: Step<SecondarySite, "observe_source"> = async (site, { held }) => {
  // A site that keeps no replicas forgets the key, whatever the primary holds, and leaves alone what is here (F50, F54).
  if (!(await site.scope.keepsObjects())) return { at: "commit_absent", held, how: "left_in_place" };
  const seen = await site.primary.head(held.ref.key);
  if (seen.outcome === "failed") return failedAt(held, seen.failure);
  if (seen.outcome === "absent") {
    // A delete marker is S3's own word that the key was deleted; a key that shows nothing at all needs another witness.
    return seen.deleteMarkerVersionId === undefined
      ? { at: "ask_primary_record", held }
      : { at: "observe_replica", held, source: NOTHING_THERE };
  }
  const { facts } = seen;
  // Not for this site, by the rule that holds now: to it the object is one that the primary does not have (F46). The walk
  // that follows a change of the rule brings every key here that was decided by the old one.
  if (!(await site.scope.wants(held.ref, facts.metadata))) {
    return { at: "observe_replica", held, source: NOTHING_THERE };
  }
  const ownerKey = site.scope.ownerOf(held.ref, facts.metadata);
  return ownerKey === undefined ? withSource(site, held, facts) : { at: "ask_owner", held, source: facts, ownerKey };
};

/** What follows once the source is known and may be replicated. */
const withSource = (site: SecondarySite, held: Held, facts: ObjectFacts): Attempt =>
  // One request less for every new object: the copy goes out on the condition that nothing is there, and if something
  // is, S3 refuses it and both sides are looked at.
  neverWritten(held)
    ? copyOnto(site, held, facts, { expect: "nothing" })
    : { at: "observe_replica", held, source: { found: "present", facts } };

/**
 * F91. An upload names the object of the record that owns it, and that is asked for: an upload whose owner is gone is not
 * copied, and what was copied before stays until the upload itself goes.
 */
export const askOwnerStep: Step<SecondarySite, "ask_owner"> = async (site, { held, source, ownerKey }) => {
  const seen = await site.primary.head(ownerKey);
  if (seen.outcome === "failed") return failedAt(held, seen.failure);
  return seen.outcome === "absent"
    ? { at: "fail", held, kind: "owner_missing", detail: quoted(ownerKey) }
    : withSource(site, held, source);
};

const NOTHING_THERE: Seen = { found: "absent" };

/**
 * R29, the second witness. The primary's bucket shows neither the object nor a marker of its deletion: its versions were
 * purged, or it is not the bucket that it should be. The primary's own record is kept by another function, from the same
 * bucket's history. While it still names the object the two disagree, nothing is removed, and an operator sees Geo's text
 * for a file that is missing (F14). A purge that is wanted is recorded within seconds. Where the primary keeps no records of
 * the type (F87), that there is none bears witness to nothing.
 */
export const askPrimaryRecordStep: Step<SecondarySite, "ask_primary_record"> = async (site, { held }) => {
  const { primaryChecksumming } = await site.switches.of(held.ref.replicableName);
  const item = await site.primaryState.get(rowKey(held.ref));
  const record = item === undefined ? undefined : parseVerificationStateRow(item);
  const agrees = record === undefined || record.tombstone || record.src_version_id === undefined;
  return agrees && primaryChecksumming
    ? { at: "observe_replica", held, source: NOTHING_THERE }
    : { at: "fail", held, kind: "missing_on_primary", detail: "" };
};

/** T2 and T3 for the other side. */
export const observeReplicaStep: Step<SecondarySite, "observe_replica"> = async (site, { held, source }) => {
  const seen = await site.replica.head(held.ref.key);
  if (seen.outcome === "failed") return failedAt(held, seen.failure);
  const replica: Seen = seen.outcome === "absent" ? { found: "absent" } : { found: "present", facts: seen.facts };
  if (source.found === "absent") {
    const decision = decideAbsent(replica);
    return decision.do === "remove"
      ? { at: "ask_removal_guard", held, etag: decision.etag }
      : { at: "commit_absent", held, how: "unchanged" };
  }
  const decision = decidePresent(held.row, source.facts, replica);
  return decision.do === "copy"
    ? copyOnto(site, held, source.facts, decision.replica)
    : { at: "compare_tags", held, source: source.facts, settled: decision };
};

/**
 * What S3 can not copy now, and perhaps never. Parts of it that were copied before, or of what stood there before it, are given
 * back: they are paid for as long as the row names them.
 */
const impossible = (held: Held, kind: "archived" | "customer_key" | "too_large", detail: string): Attempt =>
  held.upload === undefined
    ? { at: "fail", held, kind, detail }
    : abortFirst(held, held.upload, { at: "fail", held: withoutUpload(held), kind, detail });

/**
 * Sends a copy out, unless S3 could not make it. Asked only when a copy is needed: an object that has been replicated and
 * is archived later is still the same object.
 */
const copyOnto = (site: SecondarySite, held: Held, source: ObjectFacts, expectation: Expectation): Attempt => {
  if (source.archived) return impossible(held, "archived", source.storageClass);
  if (source.customerKey) return impossible(held, "customer_key", "");
  const { limits } = site.copies;
  if (source.size <= limits.singleCopyBytesMax) return { at: "copy", held, source, expectation };
  const plan = planParts(source.size, limits.parts);
  if (plan === undefined) {
    const detail = `${source.size} bytes, ${limits.parts.objectBytesMax} are the most; store it as several objects`;
    return impossible(held, "too_large", detail);
  }
  if (site.largeCopies !== undefined && source.size > site.largeCopies.fromBytes) {
    return { at: "hand_over", held, source };
  }
  // The execution that works here is of another version: whoever hears of the present one starts another.
  if (site.handsOutPartsOf !== undefined && site.handsOutPartsOf !== source.versionId) {
    return { at: "release", held, later: { dueAt: site.clock.now(), result: { result: "handed_over" } } };
  }
  return { at: "prepare_upload", held, source, expectation, partBytes: plan.partBytes };
};

const copyOver = (site: SecondarySite, held: Held, source: ObjectFacts, settled: SettledDecision): Attempt =>
  copyOnto(site, held, source, { expect: "version_with_etag", etag: settled.etag });

const settle = async (
  site: SecondarySite,
  held: Held,
  source: ObjectFacts,
  settled: SettledDecision,
): Promise<Attempt> => {
  const written: Written = {
    how: settled.because === "named" ? "unchanged" : "adopted",
    source,
    replica: { versionId: settled.versionId, etag: settled.etag },
  };
  const { row } = held;
  // Nothing was written and these very versions have been read before: there is nothing to read again.
  if (settled.because === "named" && row.verification_state === "succeeded") {
    return { at: "commit_synced", held, written, verdict: { verdict: "still_verified" } };
  }
  return afterWriting(site, held, written);
};

/** What S3 says of the source, in the kind that the key's type declares; undefined when the primary has to read it. */
export const vouched = (site: SecondarySite, held: Held, source: ObjectFacts): AnyChecksum | undefined =>
  vouchedFor(site.checksums.policyOf(held.ref.replicableName), source);

/** What follows a replica version that should hold the source: reading it back, now or later. */
export const afterWriting = async (site: SecondarySite, held: Held, written: Written): Promise<Attempt> => {
  const { source } = written;
  if (!(await site.switches.of(held.ref.replicableName)).verification) {
    return { at: "commit_synced", held, written, verdict: { verdict: "switched_off" } };
  }
  const expected = vouched(site, held, source);
  if (expected !== undefined && (!isRead(expected) || source.size <= site.fusedVerificationBytesMax)) {
    return { at: "read_back", held, written };
  }
  return verifyLater(site, held, written);
};

/** Settles now and verifies later: by the verification function, or once the primary has a digest. */
export const verifyLater = (site: SecondarySite, held: Held, written: Written): AttemptAt<"commit_synced"> => {
  const now = site.clock.now();
  return {
    at: "commit_synced",
    held,
    written,
    verdict:
      vouched(site, held, written.source) === undefined
        ? { verdict: "awaiting_primary", dueAt: now + PRIMARY_CHECKSUM_WAIT_MIN_MS }
        : { verdict: "to_verify", dueAt: now + VERIFICATION_GRACE_MS },
  };
};

/**
 * Tags are the one thing that changes on S3 without a new version, so an equal version is not yet an equal object (R24).
 * They are read and not inferred: a HEAD tells their number only to who may read them, and says nothing otherwise. The
 * one step that asks twice: neither question changes anything. Only keys that turn out unchanged come here; a new object
 * takes its tags along.
 */
export const compareTagsStep: Step<SecondarySite, "compare_tags"> = async (site, { held, source, settled }) => {
  const [theirs, ours] = await Promise.all([
    site.primary.tags(held.ref.key, source.versionId),
    site.replica.tags(held.ref.key, settled.versionId),
  ]);
  if (theirs.outcome === "failed") return failedAt(held, theirs.failure);
  if (ours.outcome === "failed") return failedAt(held, ours.failure);
  if (theirs.outcome === "gone" || ours.outcome === "gone") return lookAgain(held);
  return sameEntries(theirs.tags, ours.tags)
    ? settle(site, held, source, settled)
    : copyOver(site, held, source, settled);
};
