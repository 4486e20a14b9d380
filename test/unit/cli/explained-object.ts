import { REPLICATION_STATE } from "../../../shared/geo/replication-state.ts";
import { rowKey } from "../../../shared/geo/registry-row.ts";
import { VERIFICATION_STATE } from "../../../shared/geo/verification-state.ts";
import type { AttributeValue } from "../../../shared/ports/table.ts";
import { twoSites } from "./two-sites.ts";

/** An object as two sites have it, for what explains it. */

export const KEY = "lfs_objects/42/4c/8e31f2";
const LFS = rowKey({ replicableName: "lfs_object", key: KEY });
export const WRITTEN = Date.UTC(2026, 10, 21, 22, 10);
export const SECOND = 1_000;

export const SHA = `sha256:${"a".repeat(64)}`;
export const OTHER_SHA = `sha256:${"b".repeat(64)}`;

export type Columns = Readonly<Record<string, AttributeValue>>;

const SOURCE: Columns = {
  src_version_id: "v1",
  src_etag: '"e"',
  src_size: 1_536,
  src_last_modified: WRITTEN,
};

/** The primary's record of what is whole. */
export const ORIGINAL: Columns = {
  ...SOURCE,
  verification_state: VERIFICATION_STATE.succeeded,
  verification_checksum: SHA,
  created_at: WRITTEN + SECOND,
  verified_at: WRITTEN + 2 * SECOND,
};

/** The secondary's row of what is whole. */
export const REPLICA: Columns = {
  ...SOURCE,
  state: REPLICATION_STATE.synced,
  verification_state: VERIFICATION_STATE.succeeded,
  verification_checksum: SHA,
  rep_version_id: "r1",
  gen: 1,
  claimed_gen: 1,
  done_gen: 1,
  created_at: WRITTEN + 3 * SECOND,
  last_synced_at: WRITTEN + 5 * SECOND,
  verified_at: WRITTEN + 12 * SECOND,
};

/** How a row stands that came under suspicion at a time: an hour and a half of quarantine. */
export const suspectedAt = (time: number): Columns => ({
  taint_until: time + 5_400 * SECOND,
  due_at: time + 5_400 * SECOND,
});

/** Both sites with these rows of the object; undefined for none. */
export const world = async (
  original: Columns | undefined,
  replica: Columns | undefined,
  around: Parameters<typeof twoSites>[0] = {},
) => {
  const sites = await twoSites(around);
  sites.clock.advance(WRITTEN + 60 * SECOND - sites.clock.now());
  await sites.sitesFile({
    primary: await sites.primary.token({ scope: "admin_geo" }),
    secondary: await sites.secondary.token({ scope: "admin_geo" }),
  });
  if (original !== undefined) await sites.primary.rowTable.put({ ...LFS, ...original });
  if (replica !== undefined) await sites.secondary.rowTable.put({ ...LFS, ...replica });
  return sites;
};

interface Document {
  readonly safe: boolean;
  readonly verdict: string;
  readonly remedy: string | null;
  readonly sites: readonly { readonly name: string; readonly reason: string; readonly safe: boolean | null }[];
  readonly not_asked: readonly { readonly name: string; readonly problem: string }[];
  readonly checksums: readonly unknown[];
  readonly timeline: readonly { readonly at: string; readonly site: string; readonly event: string }[];
}

export const documentOf = (out: string): Document => JSON.parse(out) as Document;

export const TOMBSTONE: Columns = { ...ORIGINAL, state: REPLICATION_STATE.absent };
export const REMOVED: Columns = {
  ...REPLICA,
  state: REPLICATION_STATE.absent,
  verification_state: VERIFICATION_STATE.disabled,
};
