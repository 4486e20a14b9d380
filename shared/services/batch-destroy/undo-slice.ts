import pMap from "p-map";
import type { ManifestLine, ResultLine } from "../../geo/destroy-manifest.ts";
import { KEYS_IN_FLIGHT } from "../../geo/limits.ts";
import type { DestroyingSite } from "../../ports/destroy.ts";
import { readManifest, readResults } from "./hide-slice.ts";
import { readSlice, saveSlice } from "./stored-destroy.ts";

/** What became of one object that was to come back. `left`: the key shows, or hides, something newer, or the version is gone. */
type Restored = "restored" | "left" | "failed";

/**
 * Copies the version that the destroy has hidden onto its own key, on the condition that the key shows nothing: what was
 * put there since stays. Only where the marker is this destroy's own: whoever has deleted the key again meant it.
 */
const restore = async (
  { bucket }: DestroyingSite,
  line: ManifestLine,
  marker: string,
  isResumed: boolean,
): Promise<Restored> => {
  const seen = await bucket.head(line.key);
  if (seen.outcome === "failed") return "failed";
  if (seen.outcome === "present") {
    // A run that died behind its copy: the copy of a multipart object has another ETag, and the same size.
    const isCopy = seen.facts.etag === line.etag || seen.facts.size === line.size;
    return isResumed && isCopy ? "restored" : "left";
  }
  if (seen.deleteMarkerVersionId !== marker) return "left";
  const copied = await bucket.bringBack({
    key: line.key,
    sourceVersionId: line.version_id,
    sourceEtag: line.etag,
    size: line.size,
    storageClass: line.storage_class,
  });
  if (copied.outcome === "copied") return "restored";
  return copied.outcome === "gone" || copied.outcome === "lost" ? "left" : "failed";
};

/**
 * Brings back what a slice has hidden. Safe to run twice and after a death at any point. S3's events of the copies take them
 * to the secondaries, as any other object.
 */
export const undoSlice = async (site: DestroyingSite, destroyId: string, number: number): Promise<void> => {
  const read = await readSlice(site.siteTable, destroyId, number);
  if (read === undefined || read.slice.results_name === undefined) return;
  const { slice } = read;
  if (slice.undo_state === "done" && slice.undo_failed_count === 0) return;
  const begun = await saveSlice(site.siteTable, destroyId, { ...slice, undo_state: "begun" }, read.rev);
  if (begun === undefined) return;
  const lines = new Map((await readManifest(site, slice)).map((line) => [line.key, line]));
  const hidden = (await readResults(site, slice)).filter(
    (line): line is Extract<ResultLine, { outcome: "hidden" }> => line.outcome === "hidden",
  );
  const outcomes = await pMap(
    hidden,
    ({ key, marker }) => {
      const line = lines.get(key);
      return line === undefined ? "failed" : restore(site, line, marker, slice.undo_state !== undefined);
    },
    { concurrency: KEYS_IN_FLIGHT },
  );
  const count = (wanted: Restored): number => outcomes.filter((outcome) => outcome === wanted).length;
  await saveSlice(
    site.siteTable,
    destroyId,
    {
      ...begun.slice,
      undo_state: "done",
      restored_count: count("restored"),
      not_restored_count: count("left"),
      undo_failed_count: count("failed"),
    },
    begun.rev,
  );
};
