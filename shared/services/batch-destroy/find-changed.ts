import type { ManifestLine, ResultLine } from "../../geo/destroy-manifest.ts";
import { compareUtf8 } from "../../geo/utf8-order.ts";
import type { DestroyingSite } from "../../ports/destroy.ts";
import type { DestroyRecord } from "../../tables/site/destroy-record.ts";
import { settle } from "./settle.ts";

/** What two texts begin with, both. */
const commonStart = (one: string, other: string): string => {
  let length = 0;
  while (length < one.length && one[length] === other[length]) length += 1;
  return one.slice(0, length);
};

/** The version that each key between the first and the last of a slice shows, by one listing; keys that are hidden have none. */
const shownVersions = async (
  { bucket }: DestroyingSite,
  first: string,
  last: string,
): Promise<ReadonlyMap<string, string>> => {
  const shown = new Map<string, string>();
  // Behind the key without its last character come few others before the key itself.
  let after: string | undefined = Array.from(first).slice(0, -1).join("");
  while (after !== undefined) {
    const page = await bucket.listCurrent({ prefix: commonStart(first, last), after });
    for (const { key, versionId } of page.objects) shown.set(key, versionId);
    after = page.next !== undefined && compareUtf8(page.next, last) < 0 ? page.next : undefined;
  }
  return shown;
};

/**
 * What of a slice is not what the manifest names any more, found before anything of it is hidden. S3's condition goes by the
 * ETag, which stays the same when an object is copied onto itself, as whoever gives it to another owner does, or is put again:
 * such a version is somebody's, and stays. And a key that hides already was deleted by somebody else: nobody is to take his
 * marker for the destroy's own later.
 *
 * @throws StoreUnavailableError
 */
export const findChanged = async (
  site: DestroyingSite,
  { destroy_parent: parent }: DestroyRecord,
  lines: readonly ManifestLine[],
): Promise<readonly ResultLine[]> => {
  const first = lines[0]?.key;
  const last = lines.at(-1)?.key;
  if (first === undefined || last === undefined) return [];
  // Keys of a list lie anywhere in the bucket.
  if (parent.kind === "keys") return [...(await settle(site, lines, false)).values()];
  const shown = await shownVersions(site, first, last);
  return lines.flatMap(({ key, version_id: named }): readonly ResultLine[] => {
    const version = shown.get(key);
    if (version === named) return [];
    return [{ key, outcome: version === undefined ? "gone" : "kept" }];
  });
};
