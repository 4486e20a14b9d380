import type { Replicable } from "../../shared/geo/replicable.ts";
import { percentText } from "../output/texts.ts";
import type { Complaint } from "./complaints.ts";
import { isPaused, statusTime } from "./complaints.ts";
import type { SeenSite, SeenSites } from "./seen-sites.ts";
import { type Part, type TypeProgress, typesOf } from "./type-progress.ts";

/** The status as scripts read it: fields are added and never change what they mean. */

const iso = (milliseconds: number | null): string | null =>
  milliseconds === null ? null : new Date(milliseconds).toISOString();

const isoOfSeconds = (seconds: number | null): string | null => iso(seconds === null ? null : seconds * 1_000);

const partDocument = (part: Part | null) =>
  part === null ? null : { ...part, percentage: percentText(part.done, part.total) };

const typeDocument = (type: TypeProgress) => ({
  replicable_name: type.replicableName,
  checksummed: partDocument(type.checksummed),
  replicated: partDocument(type.replicated),
  verified: partDocument(type.verified),
  bytes: type.bytes,
  lag: type.lag,
  oldest_unsynced_at: iso(type.oldestUnsyncedAt),
});

const siteDocument = (site: SeenSite, problem: string | undefined, replicables: readonly Replicable[]) => ({
  name: site.name,
  primary: site.primary,
  region: site.status.region,
  url: site.connection?.url ?? site.settings?.url ?? null,
  /** Who told: the site itself, or its primary by what it last reported. */
  source: site.connection === undefined ? "reported" : "own",
  problem: problem ?? null,
  version: site.status.version,
  healthy: site.status.healthy,
  health: site.status.health,
  paused: isPaused(site),
  selective_sync_type: site.status.selective_sync_type,
  types: typesOf(site.status, replicables).map(typeDocument),
  last_event_at: isoOfSeconds(site.status.last_event_timestamp),
  last_event_processed_at: isoOfSeconds(site.status.cursor_last_event_timestamp),
  status_at: iso(statusTime(site)),
});

/** One document of all sites, and of what is not as it should be. */
export const statusDocument = (
  { seen, unreached }: SeenSites,
  complaints: readonly Complaint[],
  replicables: readonly Replicable[],
) => {
  const problems = new Map(unreached.map(({ name, problem }) => [name, problem]));
  return {
    healthy: complaints.length === 0,
    problems: complaints,
    sites: seen.map((site) => siteDocument(site, problems.get(site.name), replicables)),
    unreached: unreached.map(({ name, problem }) => ({ name, problem })),
  };
};
