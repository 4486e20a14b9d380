import type { ManifestLine, ResultLine } from "../../geo/destroy-manifest.ts";
import { parseRegistryRow, type RegistryRow, rowKey } from "../../geo/registry-row.ts";
import type { DestroyingSite, WatchedSecondary } from "../../ports/destroy.ts";
import { messageOf } from "../../geo/errors.ts";
import { endRelease } from "../../tables/site/destroy-release.ts";
import type { DestroyRecord, ReadSlice } from "../../tables/site/destroy-record.ts";
import { readManifest, readResults } from "./hide-slice.ts";
import { eachSliceFrom, saveDestroy, saveSlice, theDestroy } from "./stored-destroy.ts";

/** How often secondaries are looked at before the destroy is left to itself, and the waits between: about half a day. */
const LOOKS_MAX = 150;
const WAIT_SECONDS = { first: 2, most: 300, growth: 1.3 } as const;

/** What the destroy says when nobody looks any more: a secondary may be away for days, and follows all the same. */
const NOT_FOLLOWED =
  "not every secondary had followed within half a day, and nobody looks any more; confirm it again to look, which hides nothing anew";

/** Slices that a secondary has not followed, and that are looked at in one look: one that is behind costs no more. */
const UNFOLLOWED_MAX = 3;

/** What was found, and whether and when to look again. */
export interface SecondariesSeen {
  readonly done: boolean;
  readonly looks: number;
  readonly wait_seconds: number;
}

/**
 * Whether a secondary holds nothing any more of what was hidden: its row is gone, or says that the replica is, or speaks of
 * something that is newer than what the manifest names.
 */
const hasFollowed = (row: RegistryRow | undefined, line: ManifestLine): boolean => {
  if (row === undefined || row.state === "absent") return true;
  return row.src_version_id !== line.version_id && (row.src_last_modified ?? 0) > line.last_modified;
};

/** The lines of a slice that are hidden, which its manifest and its results say together. */
const hiddenLines = async (site: DestroyingSite, { slice }: ReadSlice): Promise<readonly ManifestLine[]> => {
  const results: readonly ResultLine[] = await readResults(site, slice);
  const hidden = new Set(results.filter(({ outcome }) => outcome === "hidden").map(({ key }) => key));
  return (await readManifest(site, slice)).filter(({ key }) => hidden.has(key));
};

const place = (line: ManifestLine) => rowKey({ replicableName: line.replicable_name, key: line.key });

const follows = async (secondary: WatchedSecondary, lines: readonly ManifestLine[]): Promise<boolean> => {
  const items = await secondary.registry.getMany(lines.map(place));
  const rows = new Map(
    items.map((item) => {
      const row = parseRegistryRow(item);
      return [`${row.pk}\n${row.sk}`, row];
    }),
  );
  return lines.every((line) => {
    const { pk, sk } = place(line);
    return hasFollowed(rows.get(`${pk}\n${sk}`), line);
  });
};

/** The golden ratio: its multiples fall into every part of a row, soon and evenly, and never meet. */
const SPREAD = (Math.sqrt(5) - 1) / 2;

/**
 * Behind which slice a look begins. Every other one at the first slice, since secondaries follow in order; those between
 * somewhere else each time: a few rows that do not follow are not to hide all that has been followed behind them.
 */
const startOf = (looks: number, sliceCount: number): number =>
  looks % 2 === 0 ? 0 : Math.floor(((looks * SPREAD) % 1) * sliceCount);

/** Whether a secondary has followed a slice; one that does not answer has not. */
const answers = async (
  { telemetry }: DestroyingSite,
  destroyId: string,
  secondary: WatchedSecondary,
  lines: readonly ManifestLine[],
): Promise<"followed" | "behind" | "silent"> => {
  try {
    return (await follows(secondary, lines)) ? "followed" : "behind";
  } catch (error) {
    telemetry.warn("a secondary does not say how far it has followed a batch destroy", {
      destroy: destroyId,
      secondary: secondary.name,
      reason: messageOf(error),
    });
    return "silent";
  }
};

/** Of how many slices is told, and how many of them every secondary has followed. */
interface Followed {
  readonly told: number;
  readonly followed: number;
}

/** Looks at the slices that secondaries have not followed. Undefined when it was ended before it had come through. */
const lookAtSlices = async (
  site: DestroyingSite,
  { id, slice_count: count }: DestroyRecord,
  looks: number,
  stopAt: number,
): Promise<Followed | undefined> => {
  const secondaries = await site.secondaries();
  const unfollowed = new Map<string, number>();
  const mayAsk = ({ name }: WatchedSecondary): boolean => (unfollowed.get(name) ?? 0) < UNFOLLOWED_MAX;
  const slices = { told: 0, followed: 0 };
  for await (const read of eachSliceFrom(site.siteTable, id, startOf(looks, count))) {
    const isEverybodyBehind = unfollowed.size > 0 && !secondaries.some(mayAsk);
    if (isEverybodyBehind || site.clock.now() >= stopAt) return undefined;
    if (read.slice.slice_state !== "told") continue;
    slices.told += 1;
    const missing = secondaries.filter(({ name }) => !read.slice.followed_by.includes(name));
    const asked = missing.filter(mayAsk);
    const lines = asked.length === 0 ? [] : await hiddenLines(site, read);
    const followed: string[] = [];
    for (const secondary of asked) {
      const { name } = secondary;
      const answer = await answers(site, id, secondary, lines);
      if (answer === "followed") followed.push(name);
      else unfollowed.set(name, answer === "silent" ? UNFOLLOWED_MAX : (unfollowed.get(name) ?? 0) + 1);
    }
    if (followed.length === missing.length) slices.followed += 1;
    if (followed.length > 0) {
      await saveSlice(
        site.siteTable,
        id,
        { ...read.slice, followed_by: [...read.slice.followed_by, ...followed] },
        read.rev,
      );
    }
  }
  return slices;
};

/**
 * Looks how far each secondary has come: the rows of a slice are read together, and a slice that a secondary has followed is
 * not looked at again. No listing, no request per object, and nothing that is behind is read more than three times a look.
 * The destroy's release is taken away when all of it is hidden, told and followed, and not before: whoever comes late, or was
 * held back by a guard, finds it as long as it lasts.
 *
 * @param asked by which run, and how often it has looked before. A run that another one has followed ends: that one looks
 */
export const lookAtSecondaries = async (
  site: DestroyingSite,
  destroyId: string,
  { run, looks }: { readonly run: number; readonly looks: number },
  stopAt: number,
): Promise<SecondariesSeen> => {
  const wait = Math.min(WAIT_SECONDS.most, Math.ceil(WAIT_SECONDS.first * WAIT_SECONDS.growth ** looks));
  const seen = { looks: looks + 1, wait_seconds: wait };
  const { record, rev } = await theDestroy(site.siteTable, destroyId);
  const { destroy_state: state } = record;
  if (record.destroy_runs !== run || state === "undoing" || state === "undone") return { ...seen, done: true };
  const slices = await lookAtSlices(site, record, looks, stopAt);
  const isFollowed = slices !== undefined && slices.followed === slices.told;
  const isWhole = state === "destroyed" && slices?.told === record.slice_count;
  if (isFollowed && isWhole) await site.siteTable.delete(endRelease(destroyId));
  const isLast = seen.looks >= LOOKS_MAX;
  // Refused, it was changed by somebody who has seen to it meanwhile.
  if (isLast && !isFollowed) await saveDestroy(site.siteTable, { ...record, problem: NOT_FOLLOWED }, rev);
  return { ...seen, done: isFollowed || isLast };
};
