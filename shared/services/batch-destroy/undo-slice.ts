import pMap from "p-map";
import { encodeResults, type ManifestLine, type ResultLine } from "../../geo/destroy-manifest.ts";
import { KEYS_IN_FLIGHT } from "../../geo/limits.ts";
import type { DestroyingSite } from "../../ports/destroy.ts";
import type { ReadSlice } from "../../tables/site/destroy-record.ts";
import { countsOf, hidingEndsIn, readManifest, readResults, settle } from "./hide-slice.ts";
import { readSlice, saveSlice } from "./stored-destroy.ts";

/** Seconds until a slice is looked at again that somebody else has just written. */
const MOVED_SECONDS = 1;

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

/** A slice, and what of it is hidden. */
interface Found {
  readonly read: ReadSlice;
  readonly results: readonly ResultLine[];
}

/**
 * What of a slice is hidden, written down before anything is brought back. Somebody may have hidden objects and died before
 * he could say so, and S3 may have hidden one and answered that it failed: every key whose hiding nobody saw is looked at, as
 * whoever goes on with a slice does. Undefined when somebody else has written the slice meanwhile.
 */
const findHidden = async (
  site: DestroyingSite,
  destroyId: string,
  read: ReadSlice,
  lines: readonly ManifestLine[],
  isFirst: boolean,
): Promise<Found | undefined> => {
  const { slice, rev } = read;
  const known = await readResults(site, slice);
  const seen = new Map(known.map((line) => [line.key, line]));
  const open = lines.filter(({ key }) => (seen.get(key)?.outcome ?? "failed") === "failed");
  // Once an undo has been through, who hides one of these keys is somebody else.
  if (!isFirst || open.length === 0) return { read, results: known };
  for (const [key, line] of await settle(site, open, true)) seen.set(key, line);
  const results = lines.flatMap(({ key }) => seen.get(key) ?? []);
  const name = `${destroyId}/results/${slice.number}-${site.chance.token()}.jsonl`;
  await site.manifests.write(name, encodeResults(results));
  const next = {
    ...slice,
    ...countsOf(lines, results),
    slice_state: slice.slice_state === "told" ? "told" : "hidden",
    results_name: name,
  } as const;
  const written = await saveSlice(site.siteTable, destroyId, next, rev);
  return written === undefined ? undefined : { read: written, results };
};

/**
 * Brings back what a slice has hidden. Safe to run twice and after a death at any point. S3's events of the copies take them
 * to the secondaries, as any other object. From its first write on nobody hides anything of the slice any more; whoever was
 * already at it is waited for.
 *
 * @returns seconds after which to ask again; 0 when the slice is done
 * @throws TableUnavailableError, StoreUnavailableError: to be run again
 */
export const undoSlice = async (site: DestroyingSite, destroyId: string, number: number): Promise<number> => {
  const read = await readSlice(site.siteTable, destroyId, number);
  if (read === undefined) return 0;
  const { slice } = read;
  if (slice.undo_state === "done" && slice.undo_failed_count === 0) return 0;
  const wait = hidingEndsIn(site, slice);
  if (wait > 0) return Math.ceil(wait / 1_000);
  const isUntouched = slice.slice_state === "frozen";
  const begun = await saveSlice(
    site.siteTable,
    destroyId,
    {
      ...slice,
      undo_state: isUntouched ? "done" : "begun",
      // Counted anew, of all of it.
      restored_count: 0,
      not_restored_count: 0,
      undo_failed_count: 0,
    },
    read.rev,
  );
  if (begun === undefined) return MOVED_SECONDS;
  if (isUntouched) return 0;
  const manifest = await readManifest(site, slice);
  const found = await findHidden(site, destroyId, begun, manifest, slice.undo_state !== "done");
  if (found === undefined) return MOVED_SECONDS;
  const lines = new Map(manifest.map((line) => [line.key, line]));
  const hidden = found.results.filter(
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
  const done = await saveSlice(
    site.siteTable,
    destroyId,
    {
      ...found.read.slice,
      undo_state: "done",
      restored_count: count("restored"),
      not_restored_count: count("left"),
      undo_failed_count: count("failed"),
    },
    found.read.rev,
  );
  return done === undefined ? MOVED_SECONDS : 0;
};
