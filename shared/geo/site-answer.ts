import type { SelectiveSync } from "./selective-sync.ts";
import type { SELECTIVE_SYNC_LISTS } from "./settings-request.ts";
import type { SiteSettings } from "./site-settings.ts";
import { siteId, type SiteRole, type SitesWord, siteUrl } from "./site-status.ts";

/** What of a site's settings others are told, as they hold there. */
export interface SettledFacts extends Pick<
  SiteSettings,
  "enabled" | "selectiveSync" | "capacities" | "minimumReverificationInterval"
> {
  /** Whether it keeps replicas of objects. */
  readonly syncObjectStorage: boolean;
  /** Seconds after which a row whose worker never came back is given up on. */
  readonly blobDownloadTimeout: number;
}

/** What the API tells of a site: GitLab Geo's `GET /geo_sites/:id`. */
export interface SiteAnswer {
  /** The `geo_node_id` of the site's status. */
  readonly id: number;
  readonly name: string;
  /** Where people reach the site: what was noted at the primary, else its API; null of one that is not deployed yet and has none. */
  readonly url: string | null;
  /** As `url`, for other sites. */
  readonly internal_url: string | null;
  readonly primary: boolean;
  /**
   * False for a secondary that is paused, as it says itself or last reported, and for one that was noted as disabled before it
   * was deployed. The primary leaves it out of usage data and of metrics.
   */
  readonly enabled: boolean;
  /** Whether it is the site that answers. */
  readonly current: boolean;
  readonly files_max_capacity: number;
  readonly repos_max_capacity: number;
  readonly verification_max_capacity: number;
  readonly container_repositories_max_capacity: number;
  /** Null for a site that is not restricted. */
  readonly selective_sync_type: "namespaces" | "shards" | "organizations" | null;
  readonly selective_sync_shards: readonly string[];
  /** Ids that are whole numbers are told as numbers, as GitLab has them. */
  readonly selective_sync_namespace_ids: readonly (number | string)[];
  readonly selective_sync_organization_ids: readonly (number | string)[];
  /** Days. */
  readonly minimum_reverification_interval: number;
  /** Seconds; deployed, not changed while the site runs. */
  readonly blob_download_timeout: number;
  /** Null: for types that are repositories, of which there are none. */
  readonly checksum_mismatch_report_threshold: null;
  readonly checksum_mismatch_self_heal_cooldown_minutes: null;
  /** Secondaries only. */
  readonly sync_object_storage?: boolean | undefined;
  readonly web_edit_url: string;
  /** Secondaries only. */
  readonly web_geo_replication_details_url?: string | undefined;
  /** Under the older word for sites only: replicas come over S3's own protocol. */
  readonly clone_protocol?: "http" | undefined;
  readonly _links: { readonly self: string; readonly status: string; readonly repair: string };
}

/** What an answer about a site is made from. */
export interface SiteFacts {
  readonly name: string;
  readonly role: SiteRole;
  readonly url: string | null;
  readonly internalUrl: string | null;
  readonly enabled: boolean;
  readonly current: boolean;
  readonly settled: SettledFacts;
  /** Plural of the type that the page of replication details opens with; undefined where nobody knows a type of the site. */
  readonly firstType: string | undefined;
  /** Where the API is that is asked, without a slash at the end. */
  readonly apiUrl: string;
  readonly word: SitesWord;
}

/** Up to 15 digits: what a number holds without loss. Zeros in front would be lost as well. */
const WHOLE_NUMBER = /^[1-9]\d{0,14}$/;

/** An id as GitLab has it: a number where it is one. */
export const asNumber = (id: string): number | string => (WHOLE_NUMBER.test(id) ? Number(id) : id);

/** The ids that a rule has of a type. */
export const idsOf = (rule: SelectiveSync, type: keyof typeof SELECTIVE_SYNC_LISTS): readonly string[] =>
  rule.type === type ? rule.ids : [];

const ofSecondary = ({ role, name, url, apiUrl, firstType, settled }: SiteFacts) => {
  if (role === "primary") return {};
  // The rows are at the site itself, and so is the page about them.
  const page = `${url ?? apiUrl}/admin/geo/sites/${siteId(name)}/replication`;
  return {
    sync_object_storage: settled.syncObjectStorage,
    web_geo_replication_details_url: firstType === undefined ? page : `${page}/${firstType}`,
  };
};

export const siteAnswer = (facts: SiteFacts): SiteAnswer => {
  const id = siteId(facts.name);
  const self = siteUrl(facts.apiUrl, id, facts.word);
  const { selectiveSync: rule, capacities, minimumReverificationInterval, blobDownloadTimeout } = facts.settled;
  return {
    id,
    name: facts.name,
    url: facts.url,
    internal_url: facts.internalUrl,
    primary: facts.role === "primary",
    enabled: facts.enabled,
    current: facts.current,
    files_max_capacity: capacities.files_max_capacity,
    repos_max_capacity: capacities.repos_max_capacity,
    verification_max_capacity: capacities.verification_max_capacity,
    container_repositories_max_capacity: capacities.container_repositories_max_capacity,
    selective_sync_type: rule.type === "none" ? null : rule.type,
    selective_sync_shards: idsOf(rule, "shards"),
    selective_sync_namespace_ids: idsOf(rule, "namespaces").map(asNumber),
    selective_sync_organization_ids: idsOf(rule, "organizations").map(asNumber),
    minimum_reverification_interval: minimumReverificationInterval,
    blob_download_timeout: blobDownloadTimeout,
    checksum_mismatch_report_threshold: null,
    checksum_mismatch_self_heal_cooldown_minutes: null,
    ...ofSecondary(facts),
    ...(facts.word === "geo_nodes" ? { clone_protocol: "http" } : {}),
    web_edit_url: `${facts.apiUrl}/admin/geo/sites/${id}/edit`,
    _links: { self, status: `${self}/status`, repair: `${self}/repair` },
  };
};
