import pMap from "p-map";
import type { ManifestLine, ResultLine } from "../../geo/destroy-manifest.ts";
import { StoreUnavailableError } from "../../geo/errors.ts";
import { KEYS_IN_FLIGHT } from "../../geo/limits.ts";
import type { DestroyingSite } from "../../ports/destroy.ts";

/** What a key shows that S3 did not hide, or that somebody may have begun to hide. */
type Shows =
  | { readonly shows: "it" }
  | { readonly shows: "another" }
  | { readonly shows: "nothing"; readonly marker: string | undefined };

const look = async (site: DestroyingSite, { key, etag, version_id: versionId }: ManifestLine): Promise<Shows> => {
  const seen = await site.bucket.head(key);
  if (seen.outcome === "failed") throw new StoreUnavailableError(`asking for a key: ${seen.failure.detail}`);
  if (seen.outcome === "absent") return { shows: "nothing", marker: seen.deleteMarkerVersionId };
  return { shows: seen.facts.etag === etag && seen.facts.versionId === versionId ? "it" : "another" };
};

/** What a key's look comes to; undefined when it is still to be hidden. */
const settledBy = (key: string, shows: Shows, isOurs: boolean): ResultLine | undefined => {
  if (shows.shows === "it") return undefined;
  if (shows.shows === "another") return { key, outcome: "kept" };
  return isOurs && shows.marker !== undefined
    ? { key, outcome: "hidden", marker: shows.marker, told: false }
    : { key, outcome: "gone" };
};

/**
 * Looks what became of objects that somebody may have begun to hide. What still shows the version that the manifest names is
 * not among the answers.
 * @param isOurs whether a marker may be this destroy's own, from a run whose end nobody saw. Whose it is S3 does not say, so
 *   that a deletion by somebody else since the slice was begun is taken for this destroy's; those before it are known
 *   (`findChanged`)
 * @throws StoreUnavailableError: a key that does not answer is neither hidden nor shown
 */
export const settle = async (
  site: DestroyingSite,
  lines: readonly ManifestLine[],
  isOurs: boolean,
): Promise<ReadonlyMap<string, ResultLine>> => {
  const looks = await pMap(lines, async (line) => settledBy(line.key, await look(site, line), isOurs), {
    concurrency: KEYS_IN_FLIGHT,
  });
  return new Map(looks.flatMap((line) => (line === undefined ? [] : [[line.key, line]])));
};
