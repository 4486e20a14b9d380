import * as z from "zod/mini";
import { CAPACITIES_DEFAULT } from "../../geo/capacities.ts";
import { GeoError } from "../../geo/errors.ts";
import { SITE_TABLE_PARTITIONS } from "../../geo/physical-names.ts";
import { EVERYTHING, SELECTIVE_SYNC_TYPES, type SelectiveSync } from "../../geo/selective-sync.ts";
import { SETTINGS_DEFAULT, type SiteSettings } from "../../geo/site-settings.ts";
import { FIRST_STANDING, SITE_ROLES, type SiteStanding } from "../../geo/site-standing.ts";
import type { AttributeValue, Item, ItemKey, UpdateRequest } from "../../ports/table.ts";

/** Where a site's record of itself stands. */
export const siteRecordKey: ItemKey = { pk: SITE_TABLE_PARTITIONS.site, sk: "self" };

/** What a site knows of itself: what it is for, and what its operator wants of it. */
export interface SiteRecord {
  readonly standing: SiteStanding;
  readonly settings: SiteSettings;
}

const StoredSite = z.object({
  role: z._default(z.enum(SITE_ROLES), FIRST_STANDING.role),
  epoch: z._default(z.number(), FIRST_STANDING.epoch),
  enabled: z._default(z.boolean(), SETTINGS_DEFAULT.enabled),
  selective_sync_type: z._default(z.enum(SELECTIVE_SYNC_TYPES), "none"),
  selective_sync_ids: z._default(z.array(z.string()), []),
  sync_object_storage: z.optional(z.boolean()),
  files_max_capacity: z._default(z.number(), CAPACITIES_DEFAULT.files_max_capacity),
  verification_max_capacity: z._default(z.number(), CAPACITIES_DEFAULT.verification_max_capacity),
  repos_max_capacity: z._default(z.number(), CAPACITIES_DEFAULT.repos_max_capacity),
  container_repositories_max_capacity: z._default(z.number(), CAPACITIES_DEFAULT.container_repositories_max_capacity),
  minimum_reverification_interval: z._default(z.number(), SETTINGS_DEFAULT.minimumReverificationInterval),
  scope_changed_at: z._default(z.number(), 0),
});

const selectiveSyncOf = (type: SelectiveSync["type"], ids: readonly string[]): SelectiveSync =>
  type === "none" ? EVERYTHING : { type, ids };

/**
 * A site's record of itself; without one the site is what it was deployed as. Throws `GEO_UNREADABLE_ROW` on one that can
 * not be read: to go on with defaults could be to copy what nobody wants here.
 */
export const parseSiteRecord = (item: Item | undefined): SiteRecord => {
  const parsed = z.safeParse(StoredSite, item ?? {});
  if (parsed.success) {
    const { role, epoch, ...stored } = parsed.data;
    return {
      standing: { role, epoch, ...(stored.enabled ? {} : { paused: true }) },
      settings: {
        enabled: stored.enabled,
        selectiveSync: selectiveSyncOf(stored.selective_sync_type, stored.selective_sync_ids),
        syncObjectStorage: stored.sync_object_storage,
        capacities: {
          files_max_capacity: stored.files_max_capacity,
          verification_max_capacity: stored.verification_max_capacity,
          repos_max_capacity: stored.repos_max_capacity,
          container_repositories_max_capacity: stored.container_repositories_max_capacity,
        },
        minimumReverificationInterval: stored.minimum_reverification_interval,
        scopeChangedAt: stored.scope_changed_at,
      },
    };
  }
  const problems = parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; ");
  throw new GeoError("GEO_UNREADABLE_ROW", `the site's record of itself can not be read: ${problems}`, {
    cause: parsed.error,
  });
};

/**
 * Changes what the site is for, or only its epoch: whatever began before lets go before it writes. Refused when somebody
 * else has changed it since it was seen.
 */
export const changeStanding = (seen: SiteStanding, role: SiteStanding["role"]): UpdateRequest => ({
  key: siteRecordKey,
  update: "SET #role = :role, epoch = :epoch",
  condition: seen.epoch === FIRST_STANDING.epoch ? "attribute_not_exists(epoch) OR epoch = :seen" : "epoch = :seen",
  names: { "#role": "role" },
  values: { ":role": role, ":epoch": seen.epoch + 1, ":seen": seen.epoch },
});

/** What of a site's settings is to be changed; what is not named stays. */
export interface SettingsChange {
  readonly enabled?: boolean;
  readonly selectiveSync?: SelectiveSync;
  readonly syncObjectStorage?: boolean;
  readonly capacities?: Partial<SiteSettings["capacities"]>;
  readonly minimumReverificationInterval?: number;
}

/**
 * Changes settings. The last word counts, setting by setting. With a change of scope goes its time: a walk through history
 * follows it, once every function has heard of it.
 */
export const changeSettings = (change: SettingsChange, now: number): UpdateRequest => {
  const columns: Readonly<Record<string, AttributeValue | undefined>> = {
    enabled: change.enabled,
    scope_changed_at: change.selectiveSync === undefined && change.syncObjectStorage === undefined ? undefined : now,
    selective_sync_type: change.selectiveSync?.type,
    selective_sync_ids:
      change.selectiveSync === undefined || change.selectiveSync.type === "none"
        ? change.selectiveSync && []
        : change.selectiveSync.ids,
    sync_object_storage: change.syncObjectStorage,
    ...change.capacities,
    minimum_reverification_interval: change.minimumReverificationInterval,
  };
  const set = Object.entries(columns).flatMap(([column, value]) => (value === undefined ? [] : [{ column, value }]));
  return {
    key: siteRecordKey,
    update: `SET ${set.map(({ column }) => `#${column} = :${column}`).join(", ")}`,
    names: Object.fromEntries(set.map(({ column }) => [`#${column}`, column])),
    values: Object.fromEntries(set.map(({ column, value }) => [`:${column}`, value])),
  };
};
