import { type ChecksumScheme, type ParsedChecksum, differingText, parseChecksum, schemeOf } from "../geo/checksum.ts";
import { type Expectation, expectationOf } from "../geo/checksum-policy.ts";
import { failureText } from "../geo/failure-policy.ts";
import type { GeoMessage } from "../geo/geo-message.ts";
import { encodeKey } from "../geo/key-codec.ts";
import { STATE_WRITE_TRIES_MAX, leaseMs, quarantineMs } from "../geo/limits.ts";
import { COUNT_METRICS } from "../geo/metrics.ts";
import type { ObjectFacts } from "../geo/object-facts.ts";
import { type ObjectRef, type VerificationStateRow, parseVerificationStateRow, rowKey } from "../geo/registry-row.ts";
import { retryDelayMs } from "../geo/retry.ts";
import type { PrimarySite } from "../ports/site.ts";
import { firstRev } from "../tables/write-columns.ts";
import {
  confirmSource,
  failChecksum,
  failDiffering,
  failUnseen,
  forgetSource,
  leaveTombstone,
  pauseChecksum,
  recordAttested,
  recordChecksum,
  startChecksum,
  timeOutChecksum,
} from "../tables/verification-state/record-source.ts";
import { digestVersion } from "./verification/read-digest.ts";

/** What the primary now knows about one of its objects. */
export type ChecksumResult =
  /** S3 says all that the type's kind of checksum needs: nothing had to be read. */
  | { readonly result: "attested" }
  /** The same version was recorded under another type before a switch-over, and nothing had to be read (F92). */
  | { readonly result: "adopted" }
  /** The bytes were read and digested, and the secondaries have been told. */
  | { readonly result: "computed"; readonly size: number }
  /** The time was up in the middle of a large object: the next attempt goes on from there. */
  | { readonly result: "paused"; readonly detail: string }
  /** The row already speaks of this version. */
  | { readonly result: "unchanged" }
  /** The object is gone, and so is its row. */
  | { readonly result: "forgotten" }
  | { readonly result: "failed"; readonly text: string; readonly retryAt: number }
  /** The bytes are not what was recorded of the very same version: they have rotted, and nobody else is told (F30). */
  | { readonly result: "differs"; readonly text: string; readonly retryAt: number }
  /** Another worker is reading this very version, or the row kept changing: it is in the due index. */
  | { readonly result: "left_to_others" };

/** A hint about one object of the primary. */
export interface ChecksumRequest {
  readonly ref: ObjectRef;
  readonly modelRecordId: string;
  readonly correlationId: string;
  /** When to give up reading, milliseconds since the epoch: well before the function would be ended. */
  readonly stopAt: number;
  /** Another type under which the same object may be recorded already (`otherOwner`). */
  readonly otherOwner?: string | undefined;
}

const revStart = (site: PrimarySite): number => firstRev(() => site.chance.random());

const speaksOf = (row: VerificationStateRow, facts: ObjectFacts): boolean =>
  row.src_version_id === facts.versionId && row.src_etag === facts.etag;

const retryOf = (site: PrimarySite, row: VerificationStateRow | undefined, now: number) => {
  const retryCount = (row?.verification_retry_count ?? 0) + 1;
  return { retryCount, retryAt: now + retryDelayMs(retryCount, () => site.chance.random()) };
};

const failureOf = (site: PrimarySite, row: VerificationStateRow | undefined, detail: string, now: number) => ({
  text: failureText(`Error during verification: ${detail}`),
  ...retryOf(site, row, now),
});

/** Tells the secondaries that a digest is there. Should the message get lost, they look again by themselves. */
const announce = async (site: PrimarySite, request: ChecksumRequest, now: number): Promise<void> => {
  const message: GeoMessage = {
    version: 1,
    kind: "geo_events",
    events: [
      {
        id: site.chance.token(),
        replicable_name: request.ref.replicableName,
        event_name: "checksum_succeeded",
        created_at: now,
        payload: {
          model_record_id: request.modelRecordId,
          correlation_id: request.correlationId,
          blob_path: encodeKey(request.ref.key),
        },
      },
    ],
  };
  await site.geoEvents.send([{ body: JSON.stringify(message) }]);
};

/**
 * Reads the version that the row speaks of, and records its digest. Where one was recorded of this version before, the bytes
 * have to come to that again: if they do not, what was recorded stays, or replicas that are right would be made wrong. Was it
 * made by another scheme than its type wants by now, the bytes are read by that one first, and then once more.
 */
const compute = async (
  site: PrimarySite,
  request: ChecksumRequest,
  row: VerificationStateRow,
  facts: ObjectFacts,
  scheme: ChecksumScheme,
): Promise<ChecksumResult> => {
  const { ref } = request;
  const failed = async (detail: string, progress?: string): Promise<ChecksumResult> => {
    const now = site.clock.now();
    const failure = failureOf(site, row, detail, now);
    const written = await site.verificationState.update(failChecksum(ref, row, failure, now, progress));
    return written.outcome === "written" ? { result: "failed", ...failure } : { result: "left_to_others" };
  };
  const digestBy = (by: ChecksumScheme) =>
    digestVersion({
      bucket: site.bucket,
      key: ref.key,
      pin: facts,
      size: facts.size,
      scheme: by,
      rules: site.checksums,
      isOver: () => site.clock.now() >= request.stopAt,
      progress: row.verification_progress,
    });
  const recorded = row.verification_checksum;
  const former = recorded === undefined ? undefined : schemeOf(recorded);
  const isOfAnother = former !== undefined && former !== scheme;
  let read = await digestBy(former ?? scheme);
  const isSame = read.outcome === "digested" && read.checksum === recorded && read.size === facts.size;
  // Equal to what was recorded: now what the type wants by now.
  if (isOfAnother && isSame) read = await digestBy(scheme);
  if (read.outcome === "gone") return failed("the version was removed while it was to be read");
  const now = site.clock.now();
  if (read.outcome === "unread") {
    if (!read.paused) return failed(read.detail, read.progress);
    const paused = await site.verificationState.update(pauseChecksum(ref, row, read.progress, now));
    return paused.outcome === "written" ? { result: "paused", detail: read.detail } : { result: "left_to_others" };
  }
  if (recorded !== undefined && !isSame) {
    const text = failureText(differingText(recorded, read.checksum, facts.size, read.size));
    const failure = { text, ...retryOf(site, row, now) };
    const noted = await site.verificationState.update(failDiffering(ref, row, read.checksum, failure, now));
    return noted.outcome === "written" ? { result: "differs", ...failure } : { result: "left_to_others" };
  }
  // Nothing of what the secondaries go by changes, so they may hear of it first: whoever dies between the two is followed by
  // somebody who reads and tells them again, and nobody has to be told twice of what they have not heard once (F28).
  const isKnown = recorded !== undefined && !isOfAnother;
  if (isKnown) await announce(site, request, now);
  const written = await site.verificationState.update(recordChecksum(ref, row, read.checksum, now));
  // Refused: the object was replaced while it was read (F29), or read by another one since, this one being out of time. Whoever
  // has the row by now tells the secondaries.
  if (written.outcome === "refused") return { result: "left_to_others" };
  if (!isKnown) await announce(site, request, now);
  return { result: "computed", size: read.size };
};

/**
 * Brings the primary's record of one object up to date: the row is read, then the object is looked at, then the row is
 * written on the condition that it has not changed. An object of which S3 says what its type's kind of checksum needs costs
 * one write and no read.
 *
 * @throws TableUnavailableError when the table did not answer: the message must be delivered again
 */
export const recordPrimaryChecksum = async (site: PrimarySite, request: ChecksumRequest): Promise<ChecksumResult> => {
  const { ref } = request;
  const begun = new Map<number, ChecksumScheme>();
  for (let tries = 0; tries < STATE_WRITE_TRIES_MAX; tries += 1) {
    const item = await site.verificationState.get(rowKey(ref));
    const row = item === undefined ? undefined : parseVerificationStateRow(item);
    const seen = await site.bucket.head(ref.key);
    const now = site.clock.now();
    if (seen.outcome === "failed") {
      const failure = failureOf(site, row, seen.failure.detail, now);
      const written = await site.verificationState.update(failUnseen(ref, row, failure, now, revStart(site)));
      if (written.outcome === "written") return { result: "failed", ...failure };
    } else if (seen.outcome === "absent") {
      if (await recordAbsent(site, ref, row, now)) return { result: "forgotten" };
    } else {
      const result = await recordPresent(site, request, row, seen.facts, now, begun);
      if (result !== "refused") return result;
    }
  }
  // Others keep writing this row, each having seen the object later than we did.
  return { result: "left_to_others" };
};

/** True when it is recorded; false when the row has changed meanwhile and the source has to be looked at again. */
const recordAbsent = async (
  site: PrimarySite,
  ref: ObjectRef,
  row: VerificationStateRow | undefined,
  now: number,
): Promise<boolean> => {
  if (row?.tombstone === true && (row.due_at ?? 0) <= now) {
    return (await site.verificationState.delete(forgetSource(ref, row))).outcome === "deleted";
  }
  const purgeAt = now + quarantineMs(site.functionTimeoutMs);
  const written = await site.verificationState.update(leaveTombstone(ref, row, now, purgeAt, revStart(site)));
  return written.outcome === "written";
};

/** F21. The reader's time is over: the row says so, and is read again after a wait that grows. */
const timeOut = async (
  site: PrimarySite,
  ref: ObjectRef,
  row: VerificationStateRow,
  now: number,
): Promise<ChecksumResult | "refused"> => {
  const retryCount = row.verification_retry_count + 1;
  const seconds = Math.round(((row.due_at ?? now) - (row.verification_started_at ?? now)) / 1_000);
  const text = `Verification timed out after ${seconds}`;
  const retryAt = now + retryDelayMs(retryCount, () => site.chance.random());
  const written = await site.verificationState.update(timeOutChecksum(ref, row, { text, retryAt, retryCount }, now));
  if (written.outcome === "refused") return "refused";
  site.telemetry.count(COUNT_METRICS.verificationTimedOut, 1, ref.replicableName);
  return { result: "failed", text, retryAt };
};

/** What the row says of the version that is there now. */
const recordedOf = (row: VerificationStateRow | undefined, facts: ObjectFacts): ParsedChecksum | undefined =>
  row?.verification_checksum === undefined || !speaksOf(row, facts)
    ? undefined
    : parseChecksum(row.verification_checksum);

/**
 * What was recorded of a version by reading it, where it has to be read again: its time has come (F30), or the last try did
 * not end well. It is compared within the scheme that it was made by. It gives way unread only to what S3 vouches for, which
 * is of the bytes as they were uploaded.
 */
const recordedBefore = (
  row: VerificationStateRow | undefined,
  facts: ObjectFacts,
  wanted: Expectation,
): Extract<ParsedChecksum, { by: "bytes" }> | undefined => {
  const recorded = recordedOf(row, facts);
  if (recorded?.by !== "bytes" || facts.archived) return undefined;
  return "toCompute" in wanted || recorded.scheme === schemeOf(wanted.vouched) ? recorded : undefined;
};

/** F92. What is recorded of this very version under the type that the object belonged to before, by the same scheme. */
const adoptable = async (
  site: PrimarySite,
  { ref: { key }, otherOwner }: ChecksumRequest,
  facts: ObjectFacts,
  scheme: ChecksumScheme,
): Promise<string | undefined> => {
  if (otherOwner === undefined) return undefined;
  const item = await site.verificationState.get(rowKey({ replicableName: otherOwner, key }));
  const row = item === undefined ? undefined : parseVerificationStateRow(item);
  const recorded = row?.verification_state === "succeeded" ? recordedOf(row, facts) : undefined;
  return recorded?.by === "bytes" && recorded.scheme === scheme ? recorded.checksum : undefined;
};

/**
 * @param begun when this very call has said that it is going to read the version, and by which scheme. That it was refused does not prove that it
 *   was not written (R14), and nobody else would read it then
 */
const recordPresent = async (
  site: PrimarySite,
  request: ChecksumRequest,
  row: VerificationStateRow | undefined,
  facts: ObjectFacts,
  now: number,
  begun: Map<number, ChecksumScheme>,
): Promise<ChecksumResult | "refused"> => {
  const { ref } = request;
  const pin = { versionId: facts.versionId, etag: facts.etag, size: facts.size, lastModified: facts.lastModified };
  if (row !== undefined && speaksOf(row, facts)) {
    const settled = row.verification_state === "succeeded";
    const isReading = row.verification_state === "started";
    if (isReading && (row.due_at ?? 0) <= now) return timeOut(site, ref, row, now);
    if (settled || isReading) {
      const confirmed = await site.verificationState.update(confirmSource(ref, row));
      if (confirmed.outcome === "refused") return "refused";
      if (settled) return { result: "unchanged" };
      // Should another worker have begun in the same millisecond, both read it: that costs a read and does no harm.
      const ours = begun.get(row.verification_started_at ?? 0);
      return ours === undefined ? { result: "left_to_others" } : compute(site, request, row, facts, ours);
    }
  }
  // Nobody reads what lies in an archive: what was recorded of it before stands until it is restored or replaced.
  const kept = facts.archived ? recordedOf(row, facts) : undefined;
  const wanted =
    kept === undefined ? expectationOf(site.checksums.policyOf(ref.replicableName), facts) : { vouched: kept.checksum };
  const recorded = recordedBefore(row, facts, wanted);
  const expectation = recorded === undefined || "toCompute" in wanted ? wanted : { toCompute: recorded.scheme };
  if ("vouched" in expectation) {
    const { vouched } = expectation;
    // Looked at again because it is time (F30): the secondaries look again as well (F28).
    if (row?.verification_state === "pending" && speaksOf(row, facts)) await announce(site, request, now);
    const written = await site.verificationState.update(recordAttested(ref, row, pin, vouched, now, revStart(site)));
    return written.outcome === "written" ? { result: "attested" } : "refused";
  }
  const adopted = row === undefined ? await adoptable(site, request, facts, expectation.toCompute) : undefined;
  if (adopted !== undefined) {
    const written = await site.verificationState.update(recordAttested(ref, row, pin, adopted, now, revStart(site)));
    if (written.outcome === "refused") return "refused";
    await announce(site, request, now);
    return { result: "adopted" };
  }
  begun.set(now, expectation.toCompute);
  const started = await site.verificationState.update(
    startChecksum(ref, row, pin, now, now + leaseMs(site.functionTimeoutMs), revStart(site), recorded?.checksum),
  );
  return started.outcome === "written"
    ? compute(site, request, parseVerificationStateRow(started.item), facts, expectation.toCompute)
    : "refused";
};
