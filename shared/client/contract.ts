import * as z from "zod/mini";
import type { BulkUpdateAnswer } from "../geo/bulk-progress.ts";
import type { FeatureAnswer } from "../geo/feature-answer.ts";
import type { ReplicableNames, StatusFieldKey } from "../geo/naming.ts";
import type { ReleaseAnswer, RemovalGuardAnswer } from "../geo/removal-guard-answer.ts";
import type { SiteAnswer } from "../geo/site-answer.ts";
import type { SiteStatusBase } from "../geo/site-status.ts";
import type { WalkAskedAnswer } from "../geo/walk-asked.ts";
import type { WalkProgress } from "../geo/walk-progress.ts";

/** The shapes of the API, as a caller may rely on them. Fields that are not named here may come and go. */

/** How far a walk through both sides of a type has come. */
const WalkProgressContract = z.looseObject({
  state: z.enum(["never", "under_way", "finished"]),
  reason: z.nullable(z.string()),
  started_at: z.nullable(z.iso.datetime()),
  finished_at: z.nullable(z.iso.datetime()),
  ranges_count: z.number(),
  ranges_done_count: z.number(),
  listed_count: z.number(),
  found_missing_count: z.number(),
  found_stale_count: z.number(),
  found_orphan_count: z.number(),
  found_out_of_scope_count: z.number(),
  enqueued_count: z.number(),
  position: z.nullable(z.string()),
  share_done: z.nullable(z.number()),
  estimated_seconds_left: z.nullable(z.number()),
}) satisfies z.ZodMiniType<WalkProgress>;

/** One site's status. The fields of the types are beside these; `countsOf` reads them. */
export const SiteStatusContract = z.looseObject({
  geo_node_id: z.number(),
  name: z.string(),
  primary: z.boolean(),
  region: z.string(),
  healthy: z.boolean(),
  health: z.string(),
  health_status: z.enum(["Healthy", "Unhealthy", "Disabled"]),
  enabled: z.boolean(),
  replication_slots_used_in_percentage: z.string(),
  repositories_checked_in_percentage: z.string(),
  last_event_timestamp: z.nullable(z.number()),
  cursor_last_event_timestamp: z.nullable(z.number()),
  last_successful_status_check_timestamp: z.nullable(z.number()),
  missing_oauth_application: z.literal(false),
  version: z.string(),
  revision: z.null(),
  selective_sync_type: z.nullable(z.enum(["namespaces", "shards", "organizations"])),
  namespaces: z.array(z.object({ id: z.union([z.number(), z.string()]) })),
  storage_shards_match: z.nullable(z.boolean()),
  updated_at: z.string(),
  as_of: z.nullable(z.iso.datetime()),
  status_reports_failed_count: z.number(),
  registry_consistency: z.nullable(z.record(z.string(), WalkProgressContract)),
  /** Under `geo_nodes`, `node` stands for `site`. */
  _links: z.union([z.object({ self: z.string(), site: z.string() }), z.object({ self: z.string(), node: z.string() })]),
}) satisfies z.ZodMiniType<SiteStatusBase>;

export type SiteStatusAnswer = z.infer<typeof SiteStatusContract>;

/** The answer of `GET /api/v4/geo_sites/status`. */
export const SiteStatusesContract = z.array(SiteStatusContract);

const Ids = z.array(z.union([z.number(), z.string()]));

/** The answer of `GET /api/v4/geo_sites/:id`, and of `POST` and `PUT` as the site is then. */
export const SiteContract = z.looseObject({
  id: z.number(),
  name: z.string(),
  url: z.nullable(z.string()),
  internal_url: z.nullable(z.string()),
  primary: z.boolean(),
  enabled: z.boolean(),
  current: z.boolean(),
  files_max_capacity: z.number(),
  repos_max_capacity: z.number(),
  verification_max_capacity: z.number(),
  container_repositories_max_capacity: z.number(),
  selective_sync_type: z.nullable(z.enum(["namespaces", "shards", "organizations"])),
  selective_sync_shards: z.array(z.string()),
  selective_sync_namespace_ids: Ids,
  selective_sync_organization_ids: Ids,
  minimum_reverification_interval: z.number(),
  blob_download_timeout: z.number(),
  checksum_mismatch_report_threshold: z.null(),
  checksum_mismatch_self_heal_cooldown_minutes: z.null(),
  sync_object_storage: z.optional(z.boolean()),
  web_edit_url: z.string(),
  web_geo_replication_details_url: z.optional(z.string()),
  clone_protocol: z.optional(z.literal("http")),
  _links: z.object({ self: z.string(), status: z.string(), repair: z.string() }),
}) satisfies z.ZodMiniType<SiteAnswer>;
export type SiteSettingsAnswer = z.infer<typeof SiteContract>;

/** The answer of `GET /api/v4/geo_sites`. */
export const SitesContract = z.array(SiteContract);

/** What `POST /api/v4/geo_sites` takes: a site that is to be deployed. */
export interface NewSiteWish {
  readonly name: string;
  /** http or https. */
  readonly url: string;
  readonly internal_url?: string | null | undefined;
  /** Default true. */
  readonly enabled?: boolean | undefined;
}

/** What `PUT /api/v4/geo_sites/:id` takes; what is not named stays. Lists may be texts with commas between the ids. */
export interface SiteChange {
  /** At the primary, of any site that it knows: what is noted of it. Only of a site that is not deployed yet, its name. */
  readonly name?: string;
  readonly url?: string;
  readonly internal_url?: string | null;
  /** At a secondary: false pauses it, true has it go on. At the primary only of a site that is not deployed yet. */
  readonly enabled?: boolean;
  readonly files_max_capacity?: number;
  readonly repos_max_capacity?: number;
  readonly verification_max_capacity?: number;
  readonly container_repositories_max_capacity?: number;
  /** Null for a site that is not restricted. */
  readonly selective_sync_type?: "namespaces" | "shards" | "organizations" | null;
  readonly selective_sync_shards?: readonly string[] | string;
  readonly selective_sync_namespace_ids?: readonly (number | string)[] | string;
  readonly selective_sync_organization_ids?: readonly (number | string)[] | string;
  /** Days, 1 to 999. */
  readonly minimum_reverification_interval?: number;
  readonly sync_object_storage?: boolean;
}

/** A feature flag: the answer of `POST` and `DELETE /api/v4/features/:name`. */
export const FeatureContract = z.looseObject({
  name: z.string(),
  state: z.enum(["on", "off"]),
  default: z.enum(["on", "off"]),
  overridden: z.boolean(),
  changed_at: z.nullable(z.iso.datetime()),
}) satisfies z.ZodMiniType<FeatureAnswer>;
export type FeatureState = z.infer<typeof FeatureContract>;

/** The answer of `GET /api/v4/features`. */
export const FeaturesContract = z.array(FeatureContract);

/** The answer of `POST /api/v4/geo_sites/:id/registry_consistency/:replicable_name/walk`. */
export const WalkAskedContract = z.looseObject({
  replicable_name: z.string(),
  asked_at: z.iso.datetime(),
}) satisfies z.ZodMiniType<WalkAskedAnswer>;
export type WalkAsked = z.infer<typeof WalkAskedContract>;

/** What an operator asked for many rows, and how far it has come: the answers about `…/bulk_updates`. */
export const BulkUpdateContract = z.looseObject({
  id: z.string(),
  action: z.string(),
  replicable_name: z.nullable(z.string()),
  keys_count: z.nullable(z.number()),
  replication_state: z.nullable(z.string()),
  verification_state: z.nullable(z.string()),
  failure: z.nullable(z.string()),
  state: z.enum(["running", "succeeded", "failed", "cancelled"]),
  asked_by: z.string(),
  asked_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
  ended_at: z.nullable(z.iso.datetime()),
  looked_at_count: z.number(),
  changed_count: z.number(),
  skipped_count: z.number(),
  switched_off: z.array(z.string()),
  /** Of the answer to a request: whether this began it, had it go on, or found the same, under way or done within the hour. */
  asked: z.optional(z.enum(["new", "going_on", "same"])),
  position: z.nullable(z.string()),
  share_done: z.number(),
  estimated_seconds_left: z.nullable(z.number()),
  error: z.nullable(z.string()),
}) satisfies z.ZodMiniType<BulkUpdateAnswer>;
export type BulkUpdateState = z.infer<typeof BulkUpdateContract>;

/** The answer of `GET …/bulk_updates`. */
export const BulkUpdatesContract = z.array(BulkUpdateContract);

/** What `POST …/bulk_updates` takes. Rows have to fit all that is named. */
export interface BulkUpdateWish {
  /** At a secondary `resync`, `reconcile`, `reverify`, `retry_now`; at a primary `checksum`, `retry_now`. */
  readonly action: string;
  /** Absent: every type. */
  readonly replicable_name?: string;
  /** S3 keys, at most 100, of the type that is named. Absent: all rows. */
  readonly keys?: readonly string[];
  readonly replication_state?: string;
  readonly verification_state?: string;
  /** Why rows failed; with `retry_now`. */
  readonly failure?: string;
  /** To do again what was done within the last hour. */
  readonly force?: boolean;
}

/** The removal guard of one type. */
export const RemovalGuardContract = z.looseObject({
  replicable_name: z.string(),
  removals: z.number(),
  limit: z.nullable(z.number()),
  window_started_at: z.nullable(z.iso.datetime()),
  paused_at: z.nullable(z.iso.datetime()),
  release: z.nullable(z.object({ removals: z.number(), until: z.iso.datetime() })),
}) satisfies z.ZodMiniType<RemovalGuardAnswer>;

export type RemovalGuardState = z.infer<typeof RemovalGuardContract>;

/** The answer of `GET /api/v4/geo_sites/:id/removal_guards`. */
export const RemovalGuardsContract = z.array(RemovalGuardContract);

/** The answer of `POST /api/v4/geo_sites/:id/removal_guards/:replicable_name/release`. */
export const ReleaseContract = z.extend(RemovalGuardContract, {
  retried_within_seconds: z.number(),
}) satisfies z.ZodMiniType<ReleaseAnswer>;
export type ReleaseState = z.infer<typeof ReleaseContract>;

/** The status fields that are numbers. */
export type CountKey = Exclude<StatusFieldKey, "syncedInPercentage" | "verifiedInPercentage">;

/** What a site says about one type: numbers, or null for what this kind of site does not gather. */
export type TypeCounts = Readonly<Record<CountKey, number | null>> & {
  /** Rows that wait for their copy or are being copied. Null at a primary. */
  readonly queued: number | null;
  /** Rows that wait for their verification (at a primary: for their checksum). */
  readonly verificationQueued: number | null;
  /** Size of the objects that are counted. */
  readonly bytes: number | null;
};

/** Reads a type's numbers out of a status. A field that is missing or no number is null. */
export const countsOf = (
  status: SiteStatusAnswer,
  names: Pick<ReplicableNames, "plural" | "statusFields">,
): TypeCounts => {
  const read = (field: string): number | null => {
    const value = status[field];
    return typeof value === "number" ? value : null;
  };
  const { syncedInPercentage: _synced, verifiedInPercentage: _verified, ...fields } = names.statusFields;
  const counts = Object.entries(fields).map(([key, field]) => [key, read(field)]);
  return {
    // The entries have exactly the keys of a type's numeric status fields.
    ...(Object.fromEntries(counts) as Record<CountKey, number | null>),
    queued: read(`${names.plural}_queued_count`),
    verificationQueued: read(`${names.plural}_verification_queued_count`),
    bytes: read(`${names.plural}_bytes`),
  };
};
