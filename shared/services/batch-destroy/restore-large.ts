import pMap from "p-map";
import { completeBudgetMs } from "../../geo/copy-limits.ts";
import type { ManifestLine } from "../../geo/destroy-manifest.ts";
import { writeBudgetMs } from "../../geo/limits.ts";
import { crc64nvmeOf } from "../../geo/object-facts.ts";
import { missingParts, planParts, planWith, type PartPlan, rangeOf } from "../../geo/part-plan.ts";
import type { DestroyingSite } from "../../ports/destroy.ts";
import type { CopiedPart, PartOutcome } from "../../ports/object-store.ts";
import type { ReadSlice, UndoUpload } from "../../tables/site/destroy-record.ts";
import { orRunAgain, type Restored } from "./look-at-hidden.ts";
import { saveSlice } from "./stored-destroy.ts";

/** One large object that a slice has hidden, and the slice as it was read last. */
export interface LargeObject {
  readonly destroyId: string;
  readonly read: ReadSlice;
  readonly line: ManifestLine;
}

/** What came of it. `again`: the slice has to be read anew, and its objects looked at. */
type Outcome = Restored | "again";

/** Gives back what the slice's upload holds, if that is of this key. What is over already is as good. */
export const abortUpload = async ({ bucket }: DestroyingSite, { read, line }: LargeObject): Promise<void> => {
  const { undo_upload: upload } = read.slice;
  if (upload?.key !== line.key) return;
  const aborted = await bucket.abortUpload(upload.key, upload.upload_id);
  if (aborted.outcome === "failed") orRunAgain(line, aborted.failure);
};

/**
 * Begins an upload with everything that stands beside the bytes, and names it in the slice before anything is copied: parts
 * of an upload that nobody can name cost money for ever, and one without parts costs nothing.
 */
const begin = async (site: DestroyingSite, large: LargeObject): Promise<LargeObject | Outcome> => {
  const { bucket, copies } = site;
  const { destroyId, read, line } = large;
  const version = await bucket.headVersion(line.key, line.version_id);
  if (version.outcome === "failed") return orRunAgain(line, version.failure);
  if (version.outcome === "gone" || version.facts.etag !== line.etag) return "left";
  const tags = await bucket.tags(line.key, line.version_id);
  if (tags.outcome === "failed") return orRunAgain(line, tags.failure);
  if (tags.outcome === "gone") return "left";
  const plan = planParts(line.size, copies.parts);
  if (plan === undefined) return "failed";
  const { headers, metadata } = version.facts;
  const begun = await bucket.beginUpload({
    key: line.key,
    storageClass: line.storage_class,
    headers,
    metadata,
    tags: tags.tags,
  });
  if (begun.outcome === "failed") return orRunAgain(line, begun.failure);
  if (begun.outcome === "unknown") return orRunAgain(line, { kind: "unavailable", detail: begun.detail });
  const upload: UndoUpload = { key: line.key, upload_id: begun.uploadId, part_bytes: plan.partBytes };
  const saved = await saveSlice(site.siteTable, destroyId, { ...read.slice, undo_upload: upload }, read.rev);
  if (saved !== undefined) return { ...large, read: saved };
  await bucket.abortUpload(line.key, begun.uploadId);
  return "again";
};

/** Copies what is missing until all is there, the time is up, or a part can not be had. */
const copyMissing = async (
  site: DestroyingSite,
  { line }: LargeObject,
  upload: UndoUpload,
  { plan, done, stopAt }: { readonly plan: PartPlan; readonly done: readonly CopiedPart[]; readonly stopAt: number },
): Promise<readonly CopiedPart[] | Exclude<PartOutcome, { outcome: "copied" }>> => {
  const parts = new Map(done.map((part) => [part.number, part]));
  let obstacle: Exclude<PartOutcome, { outcome: "copied" }> | undefined;
  const copy = async (number: number): Promise<void> => {
    if (obstacle !== undefined || site.clock.now() + writeBudgetMs(plan.partBytes, site.functionTimeoutMs) > stopAt) {
      return;
    }
    const outcome = await site.bucket.copyPart({
      key: line.key,
      uploadId: upload.upload_id,
      sourceVersionId: line.version_id,
      sourceEtag: line.etag,
      number,
      range: rangeOf(plan, number),
    });
    if (outcome.outcome === "copied") parts.set(number, outcome.part);
    else obstacle ??= outcome;
  };
  await pMap(missingParts(plan, done), copy, { concurrency: site.copies.partsInFlight });
  return obstacle ?? [...parts.values()].sort((a, b) => a.number - b.number).slice(0, plan.parts);
};

/** The slice names the upload no more: somebody has completed or aborted it, and the next look says which. */
const forget = async (site: DestroyingSite, { destroyId, read }: LargeObject): Promise<"again"> => {
  await saveSlice(site.siteTable, destroyId, { ...read.slice, undo_upload: undefined }, read.rev);
  return "again";
};

/** Makes the parts the key's current version, if the key still shows nothing. */
const complete = async (
  site: DestroyingSite,
  large: LargeObject,
  upload: UndoUpload,
  parts: readonly CopiedPart[],
): Promise<Outcome> => {
  const { line } = large;
  const version = await site.bucket.headVersion(line.key, line.version_id);
  if (version.outcome === "failed") return orRunAgain(line, version.failure);
  const completed = await site.bucket.completeUpload({
    key: line.key,
    uploadId: upload.upload_id,
    parts,
    size: line.size,
    crc64nvme: version.outcome === "present" ? crc64nvmeOf(version.facts) : undefined,
    replica: { expect: "nothing" },
  });
  switch (completed.outcome) {
    case "completed":
      return "restored";
    // The key shows something, or S3 has not said: looking at it tells.
    case "lost":
    case "unknown":
      return "again";
    case "upload_gone":
      return forget(site, large);
    case "unusable":
      return "failed";
    case "failed":
      return orRunAgain(line, completed.failure);
  }
};

/**
 * Brings back one object that is too large for one copy: its hidden version is copied in parts onto its own key, over as many
 * steps as it takes. How far it came is S3's to say. Two workers at one object copy the same parts of the same version, and
 * one of them completes them.
 *
 * @param stopAt nothing is begun that may not be over by then, milliseconds since the epoch
 * @returns the slice as it stands, and what became of the object; undefined when the step has to be run again
 * @throws StoreUnavailableError to be run again as well, later
 */
export const restoreLarge = async (
  site: DestroyingSite,
  hidden: LargeObject,
  stopAt: number,
): Promise<{ readonly read: ReadSlice; readonly restored: Restored } | undefined> => {
  const known = hidden.read.slice.undo_upload?.key === hidden.line.key;
  const large = known ? hidden : await begin(site, hidden);
  if (typeof large === "string") return large === "again" ? undefined : { read: hidden.read, restored: large };
  const upload = large.read.slice.undo_upload;
  if (upload === undefined) return undefined;
  const ended = async (restored: Outcome) => {
    if (restored === "again") return undefined;
    if (restored !== "restored") await abortUpload(site, large);
    return { read: large.read, restored };
  };

  const listed = known
    ? await site.bucket.listParts(large.line.key, upload.upload_id)
    : ({ outcome: "listed", parts: [] } as const);
  if (listed.outcome === "upload_gone") return ended(await forget(site, large));
  if (listed.outcome === "failed") return ended(orRunAgain(large.line, listed.failure));
  const plan = planWith(large.line.size, upload.part_bytes);
  const parts = await copyMissing(site, large, upload, { plan, done: listed.parts, stopAt });
  if ("outcome" in parts) {
    if (parts.outcome === "upload_gone") return ended(await forget(site, large));
    return ended(parts.outcome === "gone" ? "left" : orRunAgain(large.line, parts.failure));
  }
  const isLate = site.clock.now() + completeBudgetMs(parts.length, site.functionTimeoutMs) > stopAt;
  if (parts.length < plan.parts || isLate) return undefined;
  return ended(await complete(site, large, upload, parts));
};
