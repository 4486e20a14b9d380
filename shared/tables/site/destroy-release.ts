import * as z from "zod/mini";
import { VERSION_DIGEST_LENGTH } from "../../geo/destroy-manifest.ts";
import { SITE_TABLE_PARTITIONS } from "../../geo/physical-names.ts";
import type { DeleteRequest, Item, ItemKey, QueryRequest, UpdateRequest } from "../../ports/table.ts";

/**
 * What the removal guards of secondaries go by (R29): which destroys are confirmed, and exactly which versions they name.
 * Written by the primary before it hides anything; secondaries only read it.
 */

const releaseKey = (destroyId: string): ItemKey => ({ pk: SITE_TABLE_PARTITIONS.destroyRelease, sk: destroyId });

/** From now on secondaries let the destroy's versions through, until then. Milliseconds since the epoch. */
export const releaseDestroy = (destroyId: string, until: number): UpdateRequest => ({
  key: releaseKey(destroyId),
  update: "SET released_until = :until",
  values: { ":until": until },
});

/** And now they do not any more. */
export const endRelease = (destroyId: string): DeleteRequest => ({ key: releaseKey(destroyId) });

/** Forgets a release whose time was over then. */
export const forgetRelease = (destroyId: string, now: number): DeleteRequest => ({
  key: releaseKey(destroyId),
  condition: "released_until <= :now",
  values: { ":now": now },
});

/** Every destroy that is released, a page at a time; there are few at a time. */
export const listReleases: QueryRequest = {
  condition: "pk = :pk",
  values: { ":pk": SITE_TABLE_PARTITIONS.destroyRelease },
  limit: 100,
};

const Release = z.object({ sk: z.string(), released_until: z.number() });

/** The ids of those that hold at a time. An item that can not be read releases nothing. */
export const releasedIds = (items: readonly Item[], now: number): readonly string[] =>
  items.flatMap((item) => {
    const parsed = z.safeParse(Release, item);
    return parsed.success && parsed.data.released_until > now ? [parsed.data.sk] : [];
  });

/** The ids of those whose time is over. */
export const expiredIds = (items: readonly Item[], now: number): readonly string[] =>
  items.flatMap((item) => {
    const parsed = z.safeParse(Release, item);
    return parsed.success && parsed.data.released_until <= now ? [parsed.data.sk] : [];
  });

const versionsPartition = (destroyId: string): string => `${SITE_TABLE_PARTITIONS.destroyVersions}#${destroyId}`;

/** The versions that one slice names, under its first key: 16 characters for each, so that a slice is one item of 16 KB. */
export const versionsItem = (
  destroyId: string,
  keys: { readonly first: string; readonly last: string },
  digests: readonly string[],
): Item & ItemKey => ({
  pk: versionsPartition(destroyId),
  sk: keys.first,
  last_key: keys.last,
  digests: digests.join(""),
});

/** The one slice that could name a version of a key. */
export const sliceOfKey = (destroyId: string, key: string): QueryRequest => ({
  condition: "pk = :pk AND sk <= :key",
  values: { ":pk": versionsPartition(destroyId), ":key": key },
  limit: 1,
  descending: true,
});

const Versions = z.object({ sk: z.string(), last_key: z.string(), digests: z.string() });

/** The versions that a slice names, and the first and last of its keys. */
export interface NamedVersions {
  readonly firstKey: string;
  readonly lastKey: string;
  readonly digests: ReadonlySet<string>;
}

/** An item that can not be read names nothing. */
export const parseVersions = (item: Item | undefined): NamedVersions | undefined => {
  const parsed = z.safeParse(Versions, item);
  if (!parsed.success) return undefined;
  const { sk: firstKey, last_key: lastKey, digests } = parsed.data;
  const count = Math.floor(digests.length / VERSION_DIGEST_LENGTH);
  return {
    firstKey,
    lastKey,
    digests: new Set(
      Array.from({ length: count }, (_, index) =>
        digests.slice(index * VERSION_DIGEST_LENGTH, (index + 1) * VERSION_DIGEST_LENGTH),
      ),
    ),
  };
};
