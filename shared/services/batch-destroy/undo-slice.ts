import pMap from "p-map";
import type { ManifestLine, ResultLine } from "../../geo/destroy-manifest.ts";
import { KEYS_IN_FLIGHT, writeBudgetMs } from "../../geo/limits.ts";
import type { DestroyingSite } from "../../ports/destroy.ts";
import type { ReadSlice } from "../../tables/site/destroy-record.ts";
import { countsOf, hidingEndsIn, readManifest, readResults, writeResults } from "./hide-slice.ts";
import { lookAtHidden, type Restored } from "./look-at-hidden.ts";
import { abortUpload, restoreLarge } from "./restore-large.ts";
import { settle } from "./settle.ts";
import { readSlice, saveSlice } from "./stored-destroy.ts";

/** Seconds until a slice is looked at again that somebody else has just written. */
const MOVED_SECONDS = 1;

/** How often the objects of a slice that S3 did not bring back are asked for again within one step. */
const TRIES_MAX = 3;

/** What came of one try. `again`: it may succeed if it is asked for again. `late`: for another step. */
type Tried = Restored | "again" | "late";

/**
 * Copies the version that the destroy has hidden onto its own key, in one request, on the condition that the key shows
 * nothing: what was put there since stays. Not one whose end may not be seen any more before `stopAt`.
 */
const restoreWhole = async (
  { bucket, clock, functionTimeoutMs }: DestroyingSite,
  line: ManifestLine,
  stopAt: number,
): Promise<Tried> => {
  if (clock.now() + writeBudgetMs(line.size, functionTimeoutMs) > stopAt) return "late";
  const copied = await bucket.bringBack({
    key: line.key,
    sourceVersionId: line.version_id,
    sourceEtag: line.etag,
    size: line.size,
    storageClass: line.storage_class,
  });
  switch (copied.outcome) {
    case "copied":
      return "restored";
    case "gone":
    case "lost":
      return "left";
    // Looking tells whether it was carried out.
    case "unknown":
      return "again";
    case "failed":
      return copied.failure.kind === "throttled" || copied.failure.kind === "unavailable" ? "again" : "failed";
  }
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
  const name = await writeResults(site, destroyId, slice.number, results);
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

/** What an undo goes by while it brings objects back. */
interface Undoing {
  readonly destroyId: string;
  readonly hidden: readonly Hidden[];
  /** Whether somebody may have brought some of them back already. */
  readonly isResumed: boolean;
  /** Nothing is begun that may not be over by then, milliseconds since the epoch. */
  readonly stopAt: number;
}

/**
 * One after the other: the slice names one upload at most, and each has many parts under way. That one first, since to begin
 * another would be to forget it.
 */
const restoreLargeOnes = async (
  site: DestroyingSite,
  slice: ReadSlice,
  { destroyId, hidden, isResumed, stopAt }: Undoing,
): Promise<Brought> => {
  let read = slice;
  const outcomes: Restored[] = [];
  const named = slice.slice.undo_upload?.key;
  const isNamed = ({ line }: Hidden): boolean => line.key === named;
  for (const { line, marker } of [...hidden.filter(isNamed), ...hidden.filter((one) => !isNamed(one))]) {
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
 * Many at a time. The slice remembers that they were begun, where large ones came before them: until then nobody can have
 * brought one of these back.
 */
const restoreWholeOnes = async (
  site: DestroyingSite,
  slice: ReadSlice,
  { destroyId, hidden, isResumed, stopAt }: Undoing,
): Promise<Brought> => {
  const wasBegun = slice.slice.undo_whole_begun === true;
  const read = wasBegun
    ? slice
    : await saveSlice(site.siteTable, destroyId, { ...slice.slice, undo_whole_begun: true }, slice.rev);
  if (read === undefined) return undefined;
  const outcomes: Restored[] = [];
  let left = hidden;
  const late: Hidden[] = [];
  for (let tries = 0; tries < TRIES_MAX && left.length > 0 && late.length === 0; tries += 1) {
    const again: Hidden[] = [];
    const tryOne = async (one: Hidden): Promise<void> => {
      const looked = await lookAtHidden(site, one.line, one.marker, (isResumed && wasBegun) || tries > 0);
      const tried = looked === "hidden" ? await restoreWhole(site, one.line, stopAt) : looked;
      if (tried === "late") late.push(one);
      else if (tried === "again") again.push(one);
      else outcomes.push(tried);
    };
    await pMap(left, tryOne, { concurrency: KEYS_IN_FLIGHT });
    left = again;
  }
  return late.length > 0 ? undefined : { read, outcomes: [...outcomes, ...left.map((): Restored => "failed")] };
};

/**
 * Brings back what a slice has hidden. Safe to run twice and after a death at any point. S3's events of the copies take them
 * to the secondaries, as any other object. From its first write on nobody hides anything of the slice any more; whoever was
 * already at it is waited for.
 *
 * @param stopAt no copy is begun that may not be over by then, milliseconds since the epoch
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
  const undoing = { destroyId, isResumed: slice.undo_state !== undefined, stopAt };
  // First: a step that has just begun has the time that the end of an upload may take.
  const large = await restoreLargeOnes(site, found.read, { ...undoing, hidden: hidden.filter(isLarge) });
  if (large === undefined) return MOVED_SECONDS;
  const wholeOnes = hidden.filter((one) => !isLarge(one));
  const whole = await restoreWholeOnes(site, large.read, { ...undoing, hidden: wholeOnes });
  if (whole === undefined) return MOVED_SECONDS;
  const outcomes = [...large.outcomes, ...whole.outcomes];
  const count = (wanted: Restored): number => outcomes.filter((outcome) => outcome === wanted).length;
  const done = await saveSlice(
    site.siteTable,
    destroyId,
    {
      ...whole.read.slice,
      undo_state: "done",
      undo_upload: undefined,
      restored_count: count("restored"),
      not_restored_count: count("left"),
      undo_failed_count: count("failed"),
    },
    whole.read.rev,
  );
  return done === undefined ? MOVED_SECONDS : 0;
};
