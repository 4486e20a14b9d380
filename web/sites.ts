import type { SiteSettingsAnswer, SiteStatusAnswer } from "../shared/client/contract.ts";
import { call } from "./api.ts";

/** The sites that this site's API knows, each with its status. */

export type Health = "Healthy" | "Unhealthy" | "Disabled" | "Offline" | "Unknown";

export interface Site {
  readonly settings: SiteSettingsAnswer;
  /** Undefined of a site that has never told how it is. */
  readonly status: SiteStatusAnswer | undefined;
  readonly health: Health;
  /** Why it is not healthy, in a sentence. */
  readonly because: string | undefined;
}

/** A status that is older than this is nothing to rely on: Geo's bound for a warning. */
export const OLD_STATUS_MS = 10 * 60_000;

/** And from here on a site counts as gone: the bound of the API's own health. */
const OFFLINE_MS = 60 * 60_000;

const healthOf = (
  settings: SiteSettingsAnswer,
  status: SiteStatusAnswer | undefined,
  now: number,
): Pick<Site, "health" | "because"> => {
  if (!settings.enabled) {
    return {
      health: "Disabled",
      because: "Paused: what changes is noted, and nothing is copied or verified until it is resumed.",
    };
  }
  if (status === undefined) return { health: "Unknown", because: "The site has not told how it is yet." };
  if (now - Date.parse(status.updated_at) > OFFLINE_MS) return { health: "Offline", because: status.health };
  return status.healthy ? { health: "Healthy", because: undefined } : { health: "Unhealthy", because: status.health };
};

const byRoleAndName = (left: Site, right: Site): number =>
  Number(right.settings.primary) - Number(left.settings.primary) ||
  left.settings.name.localeCompare(right.settings.name, "en");

/** Most sites of one page, by the API's own bound. */
const PAGE = "per_page=100";

/** All sites, the primary first. */
export const loadSites = async (signal: AbortSignal): Promise<readonly Site[]> => {
  const [settings, statuses] = await Promise.all([
    call("GET", `api/v4/geo_sites?${PAGE}`, { signal }),
    call("GET", `api/v4/geo_sites/status?${PAGE}`, { signal }),
  ]);
  // Both are answers of the API that this page was deployed with; its tests hold them against these very contracts.
  const known = settings.json as readonly SiteSettingsAnswer[];
  const told = new Map((statuses.json as readonly SiteStatusAnswer[]).map((status) => [status.geo_node_id, status]));
  const now = Date.now();
  return known
    .map((one): Site => ({ settings: one, status: told.get(one.id), ...healthOf(one, told.get(one.id), now) }))
    .toSorted(byRoleAndName);
};

/** Names of the types whose replication is switched off, by their flags. Nothing when a token may not read flags. */
export const loadSwitchedOff = async (signal: AbortSignal): Promise<ReadonlySet<string>> => {
  const { json } = await call("GET", "api/v4/features", { signal });
  const flags = json as readonly { readonly name: string; readonly state: "on" | "off" }[]; // FeaturesContract
  return new Set(flags.flatMap(({ name, state }) => (state === "off" ? [name] : [])));
};

/** Where a person may be led to: nothing but the web's own schemes, whatever somebody noted as a site's address. */
export const webAddress = (url: string | null | undefined): string | undefined =>
  url !== null && url !== undefined && /^https?:\/\//.test(url) ? url : undefined;
