import type { ManifestLine, ResultLine } from "../../geo/destroy-manifest.ts";
import { parseRegistryRow, type RegistryRow, rowKey } from "../../geo/registry-row.ts";
import type { DestroyingSite, WatchedSecondary } from "../../ports/destroy.ts";
import { endRelease } from "../../tables/site/destroy-release.ts";
import type { ReadSlice } from "../../tables/site/destroy-record.ts";
import { readManifest, readResults } from "./hide-slice.ts";
import { eachSlice, saveSlice, theDestroy } from "./stored-destroy.ts";

/** How often secondaries are looked at before the destroy is left to itself, and the waits between: about half a day. */
const LOOKS_MAX = 150;
const WAIT_SECONDS = { first: 2, most: 300, growth: 1.3 } as const;

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

/**
 * Looks how far each secondary has come: the rows of a slice are read together, and a slice that a secondary has followed is
 * not looked at again. No listing, no request per object, and nothing that is behind is read more than three times a look.
 *
 * @param looks how often it was looked before
 */
export const lookAtSecondaries = async (
  site: DestroyingSite,
  destroyId: string,
  looks: number,
  stopAt: number,
): Promise<SecondariesSeen> => {
  const wait = Math.min(WAIT_SECONDS.most, Math.ceil(WAIT_SECONDS.first * WAIT_SECONDS.growth ** looks));
  const seen = { looks: looks + 1, wait_seconds: wait };
  const { record } = await theDestroy(site.siteTable, destroyId);
  if (record.destroy_state === "undoing" || record.destroy_state === "undone") return { ...seen, done: true };
  const secondaries = await site.secondaries();
  const unfollowed = new Map<string, number>();
  let isBehind = false;
  for await (const read of eachSlice(site.siteTable, destroyId)) {
    if (read.slice.slice_state !== "told") continue;
    const missing = secondaries.filter(({ name }) => !read.slice.followed_by.includes(name));
    if (missing.length === 0) continue;
    const asked = missing.filter(({ name }) => (unfollowed.get(name) ?? 0) < UNFOLLOWED_MAX);
    if (asked.length === 0 || site.clock.now() >= stopAt) {
      isBehind = true;
      break;
    }
    const lines = await hiddenLines(site, read);
    const followed: string[] = [];
    for (const secondary of asked) {
      if (await follows(secondary, lines)) followed.push(secondary.name);
      else unfollowed.set(secondary.name, (unfollowed.get(secondary.name) ?? 0) + 1);
    }
    if (followed.length < missing.length) isBehind = true;
    if (followed.length > 0) {
      const names = [...read.slice.followed_by, ...followed];
      await saveSlice(site.siteTable, destroyId, { ...read.slice, followed_by: names }, read.rev);
    }
  }
  // Whoever comes late, or was held back by a guard, finds the release as long as it lasts.
  if (!isBehind) await site.siteTable.delete(endRelease(destroyId));
  return { ...seen, done: !isBehind || seen.looks >= LOOKS_MAX };
};
