import pMap from "p-map";
import { encodeResults, type ManifestLine, type ResultLine } from "../../geo/destroy-manifest.ts";
import { KEYS_IN_FLIGHT } from "../../geo/limits.ts";
import type { DestroyingSite } from "../../ports/destroy.ts";
import type { ReadSlice } from "../../tables/site/destroy-record.ts";
import { countsOf, hidingEndsIn, readManifest, readResults, settle } from "./hide-slice.ts";
import { lookAtHidden, type Restored } from "./look-at-hidden.ts";
import { abortUpload, restoreLarge } from "./restore-large.ts";
import { readSlice, saveSlice } from "./stored-destroy.ts";

/** Seconds until a slice is looked at again that somebody else has just written. */
const MOVED_SECONDS = 1;

/**
 * Copies the version that the destroy has hidden onto its own key, in one request, on the condition that the key shows
 * nothing: what was put there since stays.
 */
const restoreWhole = async ({ bucket }: DestroyingSite, line: ManifestLine): Promise<Restored> => {
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

/** An object that a slice has hidden, and the marker that hides it. */
interface Hidden {
  readonly line: ManifestLine;
  readonly marker: string;
}

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

/** The slice as it stands, and what became of its objects; undefined when the step has to be run again. */
type Brought = { readonly read: ReadSlice; readonly outcomes: readonly Restored[] } | undefined;

/** One after the other: the slice names one upload at most, and each has many parts under way. */
const restoreLargeOnes = async (
  site: DestroyingSite,
  destroyId: string,
  slice: ReadSlice,
  {
    hidden,
    isResumed,
    stopAt,
  }: { readonly hidden: readonly Hidden[]; readonly isResumed: boolean; readonly stopAt: number },
): Promise<Brought> => {
  let read = slice;
  const outcomes: Restored[] = [];
  for (const { line, marker } of hidden) {
    const looked = await lookAtHidden(site, line, marker, isResumed);
    if (looked !== "hidden") {
      await abortUpload(site, { destroyId, read, line });
      outcomes.push(looked);
      continue;
    }
    const done = await restoreLarge(site, { destroyId, read, line }, stopAt);
    if (done === undefined) return undefined;
    read = done.read;
    outcomes.push(done.restored);
  }
  return { read, outcomes };
};

/**
 * Brings back what a slice has hidden. Safe to run twice and after a death at any point. S3's events of the copies take them
 * to the secondaries, as any other object. From its first write on nobody hides anything of the slice any more; whoever was
 * already at it is waited for.
 *
 * @param stopAt no part of a large object is begun from then on, milliseconds since the epoch
 * @returns seconds after which to ask again; 0 when the slice is done
 * @throws TableUnavailableError, StoreUnavailableError: to be run again
 */
export const undoSlice = async (
  site: DestroyingSite,
  destroyId: string,
  number: number,
  stopAt: number,
): Promise<number> => {
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
  const hidden = found.results.flatMap((result): readonly Hidden[] => {
    const line = lines.get(result.key);
    return result.outcome === "hidden" && line !== undefined ? [{ line, marker: result.marker }] : [];
  });
  const isLarge = ({ line }: Hidden): boolean => line.size > site.copies.singleCopyBytesMax;
  const isResumed = slice.undo_state !== undefined;
  // First: a step that has just begun has the time that the end of an upload may take.
  const large = await restoreLargeOnes(site, destroyId, found.read, {
    hidden: hidden.filter(isLarge),
    isResumed,
    stopAt,
  });
  if (large === undefined) return MOVED_SECONDS;
  const whole = await pMap(
    hidden.filter((one) => !isLarge(one)),
    async ({ line, marker }) => {
      const looked = await lookAtHidden(site, line, marker, isResumed);
      return looked === "hidden" ? restoreWhole(site, line) : looked;
    },
    { concurrency: KEYS_IN_FLIGHT },
  );
  const outcomes = [...large.outcomes, ...whole];
  const count = (wanted: Restored): number => outcomes.filter((outcome) => outcome === wanted).length;
  const done = await saveSlice(
    site.siteTable,
    destroyId,
    {
      ...large.read.slice,
      undo_state: "done",
      undo_upload: undefined,
      restored_count: count("restored"),
      not_restored_count: count("left"),
      undo_failed_count: count("failed"),
    },
    large.read.rev,
  );
  return done === undefined ? MOVED_SECONDS : 0;
};
