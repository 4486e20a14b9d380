import type { SELECTIVE_SYNC_LISTS } from "./settings-request.ts";
import type { SiteSettings } from "./site-settings.ts";
import { siteId, type StatusSite } from "./site-status.ts";

/** What the API tells of a site: GitLab Geo's `GET /geo_sites/:id`, as far as its fields mean something here. */
export interface SiteAnswer {
  /** The `geo_node_id` of the site's status. */
  readonly id: number;
  readonly name: string;
  readonly primary: boolean;
  /** Always true: a site that is not wanted is not deployed. */
  readonly enabled: true;
  /** Whether it is the site that answers; always true, since a site knows itself only. */
  readonly current: true;
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
  /** Secondaries only. */
  readonly sync_object_storage?: boolean | undefined;
  readonly _links: { readonly self: string; readonly status: string };
}

/** Up to 15 digits: what a number holds without loss. Zeros in front would be lost as well. */
const WHOLE_NUMBER = /^[1-9]\d{0,14}$/;

const asNumber = (id: string): number | string => (WHOLE_NUMBER.test(id) ? Number(id) : id);

/**
 * @param keepsObjects whether the site keeps replicas of objects, when nobody has said anything: what it was deployed with
 * @param apiUrl where the caller reached the API, without a slash at the end
 */
export const siteAnswer = (
  site: StatusSite,
  settings: SiteSettings,
  keepsObjects: boolean,
  apiUrl: string,
): SiteAnswer => {
  const id = siteId(site.name);
  const self = `${apiUrl}/api/v4/geo_sites/${id}`;
  const { selectiveSync: rule, capacities } = settings;
  const idsOf = (type: keyof typeof SELECTIVE_SYNC_LISTS): readonly string[] => (rule.type === type ? rule.ids : []);
  return {
    id,
    name: site.name,
    primary: site.role === "primary",
    enabled: true,
    current: true,
    files_max_capacity: capacities.files_max_capacity,
    repos_max_capacity: capacities.repos_max_capacity,
    verification_max_capacity: capacities.verification_max_capacity,
    container_repositories_max_capacity: capacities.container_repositories_max_capacity,
    selective_sync_type: rule.type === "none" ? null : rule.type,
    selective_sync_shards: idsOf("shards"),
    selective_sync_namespace_ids: idsOf("namespaces").map(asNumber),
    selective_sync_organization_ids: idsOf("organizations").map(asNumber),
    minimum_reverification_interval: settings.minimumReverificationInterval,
    ...(site.role === "secondary" ? { sync_object_storage: settings.syncObjectStorage ?? keepsObjects } : {}),
    _links: { self, status: `${self}/status` },
  };
};
