import pMap from "p-map";
import { completeBudgetMs } from "../../geo/copy-limits.ts";
import { messageOf } from "../../geo/errors.ts";
import { LARGE_COPY_LOOK_MS, largeCopyInput, largeCopyName, type PartsWanted } from "../../geo/large-copy.ts";
import { crc64nvmeOf, replicaStorageClass } from "../../geo/object-facts.ts";
import { isUploadOf, type OpenUpload, tagsDigest } from "../../geo/open-upload.ts";
import { missingParts, type PartPlan, planWith, rangeOf } from "../../geo/part-plan.ts";
import type { CopiedPart, PartOutcome } from "../../ports/object-store.ts";
import type { SecondarySite } from "../../ports/site.ts";
import { recordUpload } from "../../tables/registry/record-upload.ts";
import type { Attempt, AttemptAt, Held, Step } from "./attempt.ts";
import { lostLease } from "./ending.ts";
import { abortFirst, afterWriting, failedAt, lookAgain, withoutUpload } from "./observing.ts";
import { fenced, tooLateFor, unknown, wrote } from "./writing.ts";

/**
 * T4 for an object that is too large for one copy. Its parts are copied into an upload, which nobody sees; the one request
 * that changes the replica completes it, on the same conditions as a copy. How far it came is S3's to say: whoever holds
 * the row next goes on with the upload that the row names, if it is a copy of what they want, and aborts it if it is not.
 */

/** Somebody has completed or aborted the upload: what they have made of the replica is seen by looking again. */
const uploadIsOver = (held: Held): Attempt => lookAgain(withoutUpload(held));

/**
 * Tags do not belong to a version, and an upload is begun with them: they are read first, after the claim, so that a change
 * that comes later is a hint that comes later.
 */
export const prepareUploadStep: Step<SecondarySite, "prepare_upload"> = async (site, attempt) => {
  const { held, source, expectation, partBytes } = attempt;
  const read = await site.primary.tags(held.ref.key, source.versionId);
  if (read.outcome === "failed") return failedAt(held, read.failure);
  if (read.outcome === "gone") return lookAgain(held);
  const { tags } = read;
  const begin = (by: Held): AttemptAt<"begin_upload"> => ({
    at: "begin_upload",
    held: by,
    source,
    expectation,
    partBytes,
    tags,
  });
  const { upload } = held;
  if (upload === undefined) return begin(held);
  // What its parts are copies of is not what is wanted now: the source was changed, or its tags (R26).
  if (!isUploadOf(upload, source, tagsDigest(tags))) return abortFirst(held, upload, begin(withoutUpload(held)));
  return { at: "list_parts", held, source, expectation, upload };
};

/** A copy in parts carries nothing over by itself: all that is to stand beside the bytes is said here. */
export const beginUploadStep: Step<SecondarySite, "begin_upload"> = async (site, attempt) => {
  const { held, source, expectation, partBytes, tags } = attempt;
  if (tooLateFor(0, site, held) || (await fenced(site, held))) return { at: "release", held };
  const begun = await site.replica.beginUpload({
    key: held.ref.key,
    storageClass: replicaStorageClass(source),
    headers: source.headers,
    metadata: source.metadata,
    tags,
  });
  switch (begun.outcome) {
    case "begun": {
      const { versionId, etag } = source;
      const upload: OpenUpload = { id: begun.uploadId, versionId, etag, tags: tagsDigest(tags), partBytes };
      return { at: "record_upload", held, source, expectation, upload };
    }
    // Nothing that a replica shows has changed, so nothing has to be doubted; what may be there is for the sweep of uploads.
    case "unknown":
      return { at: "fail", held, kind: "unavailable", detail: begun.detail };
    case "failed":
      return failedAt(held, begun.failure);
  }
};

/** R25. Named in the row before anything is copied: an upload that nobody can name costs money for ever. */
export const recordUploadStep: Step<SecondarySite, "record_upload"> = async (site, attempt) => {
  const { held, source, expectation, upload } = attempt;
  const recorded = await site.registry.update(recordUpload(held.ref, held.token, upload));
  if (recorded.outcome === "refused") return abortFirst(held, upload, lostLease(held));
  return { at: "copy_parts", held: { ...held, upload, uploadOver: false }, source, expectation, upload, done: [] };
};

/** S3 says how far those before us came. */
export const listPartsStep: Step<SecondarySite, "list_parts"> = async (site, { held, source, expectation, upload }) => {
  const listed = await site.replica.listParts(held.ref.key, upload.id);
  switch (listed.outcome) {
    case "listed":
      return { at: "copy_parts", held, source, expectation, upload, done: listed.parts };
    case "upload_gone":
      return uploadIsOver(held);
    case "failed":
      return failedAt(held, listed.failure);
  }
};

/** Copies parts until all are there, the time is up, or one of them can not be had. */
const copyMissing = async (
  site: SecondarySite,
  { held, source, upload }: AttemptAt<"copy_parts">,
  plan: PartPlan,
  missing: readonly number[],
): Promise<{
  readonly copied: readonly CopiedPart[];
  readonly obstacle: Exclude<PartOutcome, { outcome: "copied" }> | undefined;
}> => {
  const { limits, lane } = site.copies;
  const leave = lane.enter();
  const concurrency = leave === undefined ? limits.partsInFlightBeside : limits.partsInFlight;
  const copied: CopiedPart[] = [];
  let obstacle: Exclude<PartOutcome, { outcome: "copied" }> | undefined;
  const copy = async (number: number): Promise<void> => {
    if (obstacle !== undefined || tooLateFor(plan.partBytes, site, held)) return;
    // Asked again before each: those behind the first ones begin minutes later (R27, F98). What is missing then is released.
    if (await fenced(site, held)) return;
    const outcome = await site.replica.copyPart({
      key: held.ref.key,
      uploadId: upload.id,
      sourceVersionId: source.versionId,
      sourceEtag: source.etag,
      number,
      range: rangeOf(plan, number),
    });
    if (outcome.outcome === "copied") copied.push(outcome.part);
    else obstacle ??= outcome;
  };
  try {
    await pMap(missing, copy, { concurrency });
  } finally {
    leave?.();
  }
  return { copied, obstacle };
};

/**
 * Every part names the source's version and its ETag: a part of anything else is refused, and one that lands twice, or late,
 * is the same part. So a part is not a write that has to be doubted.
 */
export const copyPartsStep: Step<SecondarySite, "copy_parts"> = async (site, attempt) => {
  const { held, source, expectation, upload, done } = attempt;
  const plan = planWith(source.size, upload.partBytes);
  const missing = missingParts(plan, done);
  if (missing.length === 0) {
    return { at: "complete_upload", held, source, expectation, upload, parts: done.slice(0, plan.parts) };
  }
  if (site.handsOutPartsOf !== undefined) {
    const wanted: PartsWanted = { ref: held.ref, upload, size: source.size, missing, epoch: held.epoch };
    const dueAt = site.clock.now() + LARGE_COPY_LOOK_MS;
    return { at: "release", held, later: { dueAt, result: { result: "parts_wanted", wanted } } };
  }
  if (tooLateFor(plan.partBytes, site, held) || (await fenced(site, held))) return { at: "release", held };
  const { copied, obstacle } = await copyMissing(
    site,
    attempt,
    plan,
    missing.slice(0, site.copies.limits.partsPerStep),
  );
  switch (obstacle?.outcome) {
    case undefined:
      return { ...attempt, done: merged(done, copied) };
    // The source was replaced or purged under us (R6): nothing that was copied is of any use.
    case "gone":
      return abortFirst(held, upload, lookAgain(withoutUpload(held)));
    case "upload_gone":
      return uploadIsOver(held);
    // What has been copied stays, and the next attempt goes on from there.
    case "failed":
      return failedAt(held, obstacle.failure);
  }
};

/** In the order of their numbers; of a part that was copied again, what it is now. */
const merged = (done: readonly CopiedPart[], copied: readonly CopiedPart[]): readonly CopiedPart[] => {
  const byNumber = new Map([...done, ...copied].map((part) => [part.number, part]));
  return [...byNumber.values()].sort((a, b) => a.number - b.number);
};

/** T4 itself: makes the parts the replica, exactly where the replica is what was seen. */
export const completeUploadStep: Step<SecondarySite, "complete_upload"> = async (site, attempt) => {
  const { held, source, expectation, upload, parts } = attempt;
  const isLate = site.clock.now() + completeBudgetMs(parts.length, site.functionTimeoutMs) > held.stopAt;
  if (isLate || (await fenced(site, held))) return { at: "release", held };
  const completed = await site.replica.completeUpload({
    key: held.ref.key,
    uploadId: upload.id,
    parts,
    size: source.size,
    crc64nvme: crc64nvmeOf(source),
    replica: expectation,
  });
  switch (completed.outcome) {
    case "completed":
      return afterWriting(site, withoutUpload(wrote(held)), {
        how: "copied",
        source,
        replica: { versionId: completed.versionId, etag: completed.etag },
      });
    // The parts are as good as they were: the next look says onto what they are to go.
    case "lost":
      return lookAgain(held);
    case "upload_gone":
      return uploadIsOver(held);
    // The bytes that arrived are not the source's, or a part is not the one that was copied.
    case "unusable":
      return abortFirst(held, upload, {
        at: "fail",
        held: withoutUpload(held),
        kind: "rejected",
        detail: completed.detail,
      });
    // Completed or not, now or later: as with a copy (R11, R14). Until it is over the row names it.
    case "unknown":
      return {
        at: "resolve_unknown",
        held: unknown(site, held),
        source: { found: "present", facts: source },
        detail: completed.detail,
      };
    case "failed":
      return failedAt(held, completed.failure);
  }
};

/**
 * The largest objects are copied by a workflow, one execution for each version. Its functions hold the row for a moment each,
 * to begin and to complete; parts need no lease. Whoever comes by meanwhile asks for the same execution and goes.
 */
export const handOverStep: Step<SecondarySite, "hand_over"> = async (site, { held, source }) => {
  const { retry_count: failures, rep_version_id: replaces } = held.row;
  const name = largeCopyName(held.ref, source, { failures, replaces });
  try {
    const started = await site.largeCopies?.workflow.start(name, largeCopyInput(held.ref, source));
    // One that has ended before its object was there: it is a failure, and the next one has another name.
    if (started?.outcome !== "started") {
      return { at: "fail", held, kind: "unavailable", detail: `the execution ${name} ended before its end` };
    }
  } catch (error) {
    return { at: "fail", held, kind: "unavailable", detail: messageOf(error) };
  }
  const dueAt = site.clock.now() + LARGE_COPY_LOOK_MS;
  return { at: "release", held, later: { dueAt, result: { result: "handed_over" } } };
};

/** Gives back what an upload holds. One that is not there any more is as good. */
export const abortUploadStep: Step<SecondarySite, "abort_upload"> = async (site, { held, upload, next }) => {
  const aborted = await site.replica.abortUpload(held.ref.key, upload.id);
  // The row goes on naming it, so that the next attempt tries again; what no row of ours names is for the sweep of uploads.
  if (aborted.outcome === "failed" && held.upload?.id === upload.id) return failedAt(held, aborted.failure);
  return next;
};
