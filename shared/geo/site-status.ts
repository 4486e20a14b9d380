import { createHash } from "node:crypto";
import type { CountedCell } from "./counters.ts";
import { assessHealth, type Health, type HealthSource } from "./health.ts";
import type { StatusFieldKey } from "./naming.ts";
import { fieldsOfType, type RolledUpType } from "./status-fields.ts";
import type { WalkProgress } from "./walk-progress.ts";

/** A site's status document: GitLab Geo's `GET /geo_sites/status`, made from counters. Pure. docs/api/status-fields.md lists it. */

export type SiteRole = "primary" | "secondary";

/** A site, as far as its status speaks of it. */
export interface StatusSite {
  readonly name: string;
  readonly role: SiteRole;
  /** AWS region. */
  readonly region: string;
}

/**
 * A site's number in the API. Made from its name, so that every site knows every other's without anybody handing numbers
 * out, and neither a new site nor another order in the configuration changes one. 1 to 2^31 - 1; two of ten sites share
 * one with a chance of 1 in 48 million.
 */
export const siteId = (siteName: string): number =>
  Math.max(1, createHash("sha256").update(siteName, "utf8").digest().readUInt32BE(0) & 0x7fffffff);

/** GitLab has both words for a site; `geo_nodes` is the older one. */
export type SitesWord = "geo_sites" | "geo_nodes";

/** Where a site is in an API. @param apiUrl where that API is, without a slash at the end */
export const siteUrl = (apiUrl: string, id: number, word: SitesWord): string => `${apiUrl}/api/v4/${word}/${id}`;

/** A type, as far as a status speaks of it. */
export interface StatusReplicable {
  readonly name: string;
  readonly names: { readonly plural: string; readonly statusFields: Readonly<Record<StatusFieldKey, string>> };
}

const MS_PER_SECOND = 1_000;

const secondsOf = (ms: number | undefined): number | null => (ms === undefined ? null : Math.floor(ms / MS_PER_SECOND));

/** By what a secondary is restricted. */
export type RestrictedBy = "namespaces" | "shards" | "organizations";

/** Under the older word for sites, a status links to the node. */
export type StatusLinks =
  { readonly self: string; readonly site: string } | { readonly self: string; readonly node: string };

/**
 * What of Geo's site status has no meaning where there are no repositories, no database that replicates, no event table and
 * no Git: always null, so that whoever reads Geo's fields finds them. docs/api/status-fields.md says of each why.
 */
export const WITHOUT_MEANING = [
  "projects_count",
  "repositories_count",
  "container_repositories_replication_enabled",
  "replication_slots_count",
  "replication_slots_used_count",
  "replication_slots_max_retained_wal_bytes",
  "repositories_checked_count",
  "repositories_checked_failed_count",
  "db_replication_lag_seconds",
  "last_event_id",
  "cursor_last_event_id",
  "storage_shards",
  "git_fetch_event_count_weekly",
  "git_push_event_count_weekly",
  "proxy_remote_requests_event_count_weekly",
  "proxy_local_requests_event_count_weekly",
] as const;

/** The fields of a status that do not depend on the types. */
export interface SiteStatusBase extends Health {
  readonly geo_node_id: number;
  readonly name: string;
  readonly primary: boolean;
  readonly region: string;
  /** False while a secondary is paused (F98): as it is now, or as it last reported. Always true at a primary. */
  readonly enabled: boolean;
  /** Percentages of what there is not, as Geo prints them. */
  readonly replication_slots_used_in_percentage: string;
  readonly repositories_checked_in_percentage: string;
  /** Seconds since the epoch: the newest change of the primary's records. At a secondary as of its last look at the primary. */
  readonly last_event_timestamp: number | null;
  /** Seconds since the epoch: the newest change of a secondary's registry. Null at a primary. */
  readonly cursor_last_event_timestamp: number | null;
  /** Seconds since the epoch: when this site last looked at itself. */
  readonly last_successful_status_check_timestamp: number | null;
  /** Always false: there is no OAuth application that could be missing, sites trust each other by their roles. */
  readonly missing_oauth_application: false;
  readonly version: string;
  readonly revision: null;
  /** Null at a primary, and at a secondary that is not restricted. */
  readonly selective_sync_type: RestrictedBy | null;
  /** The namespaces that a secondary is restricted to. */
  readonly namespaces: readonly { readonly id: number | string }[];
  /** Whether a secondary keeps the same types at the same places as the primary; null while it does not know. */
  readonly storage_shards_match: boolean | null;
  /** ISO 8601, UTC. */
  readonly updated_at: string;
  /** As of when the fields are that only a roll-up knows: lag, ages of what waits, recounts. ISO 8601, UTC. */
  readonly as_of: string | null;
  /** How often the primary could not be told of this status, ever; 0 at a primary. */
  readonly status_reports_failed_count: number;
  /** How far the walks of each type have come, by its name. Null at a primary, of another site, and when it could not be read. */
  readonly registry_consistency: Readonly<Record<string, WalkProgress>> | null;
  readonly _links: StatusLinks;
}

/** A site's status: the base, and for every type its fields. */
export type SiteStatus = SiteStatusBase & Readonly<Record<string, unknown>>;

/** A roll-up, as far as a status takes it. */
export interface StatusRollUp {
  /** When it was made, milliseconds since the epoch. */
  readonly asOf: number;
  /** By type; one that is not there had no rows. */
  readonly types: ReadonlyMap<string, RolledUpType>;
}

/** What a status is made from. Times are milliseconds since the epoch. */
export interface StatusFacts {
  readonly site: StatusSite;
  readonly version: string;
  /** False: the site is paused. */
  readonly enabled: boolean;
  readonly replicables: readonly StatusReplicable[];
  /** What was counted, by type; nothing when the counters could not be read. */
  readonly cells: ReadonlyMap<string, readonly CountedCell[]> | undefined;
  readonly rollUp: StatusRollUp | undefined;
  /** Types that are not verified at this site. */
  readonly unverified: ReadonlySet<string>;
  /** What is wrong; empty when all is well. */
  readonly problems: readonly string[];
  readonly source: HealthSource;
  /** When the site last gathered its status; undefined: never. */
  readonly gatheredAt: number | undefined;
  /** When the newest change happened that was counted here. */
  readonly lastChangeAt: number | undefined;
  /** The same at the primary, as far as a secondary knows. */
  readonly primaryChangeAt: number | undefined;
  readonly keepsTheSame: boolean | undefined;
  readonly failedReports: number;
  /** How far the walks of each type have come; nothing at a primary, or when it could not be read. */
  readonly consistency: Readonly<Record<string, WalkProgress>> | undefined;
  /** What the site is restricted by; nothing when it is not, or when that could not be read. */
  readonly selectiveSync: RestrictedBy | undefined;
  readonly namespaceIds: readonly (number | string)[];
  /** When the counters were read. */
  readonly readAt: number;
  readonly now: number;
  /** Where the API is that is asked, without a slash at the end; for links. */
  readonly apiUrl: string;
  readonly word: SitesWord;
}

/** What a roll-up says of a type that it has not met. */
const NOTHING_ROLLED_UP: RolledUpType = {
  oldestUnsyncedTime: undefined,
  backlogAges: [],
  lagSteps: [],
  lag: { total: undefined, notify: undefined, queue: undefined, copy: undefined, verify: undefined },
  audit: undefined,
};

const typeFields = (facts: StatusFacts): Readonly<Record<string, unknown>> => {
  const { site, cells, rollUp, unverified } = facts;
  const fields = facts.replicables.map(({ name, names }) =>
    fieldsOfType(
      site.role,
      { ...names, isVerified: !unverified.has(name) },
      {
        cells: cells && (cells.get(name) ?? []),
        rolledUp: rollUp && (rollUp.types.get(name) ?? NOTHING_ROLLED_UP),
      },
    ),
  );
  return Object.assign({}, ...fields) as Readonly<Record<string, unknown>>; // each of them is such a record
};

const linksOf = ({ site, apiUrl, word }: StatusFacts): StatusLinks => {
  const one = siteUrl(apiUrl, siteId(site.name), word);
  return word === "geo_sites" ? { self: `${one}/status`, site: one } : { self: `${one}/status`, node: one };
};

const eventTimes = (role: SiteRole, facts: StatusFacts) =>
  role === "primary"
    ? { last_event_timestamp: secondsOf(facts.lastChangeAt), cursor_last_event_timestamp: null }
    : {
        last_event_timestamp: secondsOf(facts.primaryChangeAt),
        cursor_last_event_timestamp: secondsOf(facts.lastChangeAt),
      };

/** Makes the status document. A type that was never counted has zeros; a status without counts has nulls. */
export const siteStatus = (facts: StatusFacts): SiteStatus => {
  const { site, cells, readAt, rollUp } = facts;
  return {
    geo_node_id: siteId(site.name),
    name: site.name,
    primary: site.role === "primary",
    region: site.region,
    enabled: facts.enabled,
    ...assessHealth(facts.problems, facts.source, facts.gatheredAt, facts.now, facts.enabled),
    ...Object.fromEntries(WITHOUT_MEANING.map((field) => [field, null])),
    replication_slots_used_in_percentage: "0.00%",
    repositories_checked_in_percentage: "0.00%",
    ...eventTimes(site.role, facts),
    last_successful_status_check_timestamp: cells === undefined ? null : secondsOf(readAt),
    missing_oauth_application: false,
    version: facts.version,
    revision: null,
    selective_sync_type: facts.selectiveSync ?? null,
    namespaces: facts.namespaceIds.map((id) => ({ id })),
    storage_shards_match: site.role === "primary" ? true : (facts.keepsTheSame ?? null),
    updated_at: new Date(readAt).toISOString(),
    as_of: rollUp === undefined ? null : new Date(rollUp.asOf).toISOString(),
    status_reports_failed_count: facts.failedReports,
    ...typeFields(facts),
    registry_consistency: facts.consistency ?? null,
    _links: linksOf(facts),
  };
};
