import type { GeoApiError } from "../../shared/client/client.ts";
import type { SiteSettingsAnswer, SiteStatusAnswer } from "../../shared/client/contract.ts";
import { type Connection, connectAll, type ConnectionOptions, reached } from "../connection.ts";
import { CommandError, EXIT } from "../exit-codes.ts";
import type { Surroundings } from "../surroundings.ts";

/** A site as a command sees it: by its own API, or by what it last reported to the primary. */
export interface SeenSite {
  readonly name: string;
  readonly primary: boolean;
  readonly status: SiteStatusAnswer;
  /** Absent where a primary does not tell them of this site. */
  readonly settings: SiteSettingsAnswer | undefined;
  /** Its own API; absent of a site that only its primary told of. */
  readonly connection: Connection | undefined;
}

/** A site that is known and of which nobody could tell anything. */
export interface UnseenSite {
  readonly name: string;
  readonly problem: string;
}

/** All sites that a command can tell of, primaries first. */
export interface SeenSites {
  readonly seen: readonly SeenSite[];
  /** Sites that somebody has noted at the primary and that are not deployed yet. */
  readonly noted: readonly SiteSettingsAnswer[];
  /** Why a site's own API was not asked, by its name; also of sites that are seen by their reports. */
  readonly unreached: readonly UnseenSite[];
}

/** What one site tells of itself and of others. */
const seenThrough = async (connection: Connection): Promise<Pick<SeenSites, "seen" | "noted">> => {
  const settings = await connection.client.sites();
  const told = new Set(connection.statuses.map((status) => status.geo_node_id));
  const noted = settings.filter(({ id }) => !told.has(id));
  const seen = connection.statuses.map((status, at) => ({
    name: status.name,
    primary: status.primary,
    status,
    settings: settings.find(({ id }) => id === status.geo_node_id),
    connection: at === 0 ? connection : undefined,
  }));
  return { seen, noted };
};

/** What a site says of itself goes before what others heard of it. */
const firstOfEach = (sites: readonly SeenSite[]): readonly SeenSite[] => {
  const byName = new Map<string, SeenSite>();
  for (const site of sites) {
    const known = byName.get(site.name);
    if (known === undefined || (known.connection === undefined && site.connection !== undefined)) {
      byName.set(site.name, site);
    }
  }
  return [...byName.values()].toSorted((a, b) => Number(b.primary) - Number(a.primary));
};

const problemText = (problem: CommandError | GeoApiError): string => problem.message;

/**
 * Asks every known site of its status and settings; of those that do not answer, the primary tells what they last reported.
 * @throws what is in the way when no site can be reached, or `--site` names one that nobody tells of
 */
export const seeSites = async (options: ConnectionOptions, surroundings: Surroundings): Promise<SeenSites> => {
  // A site that has no profile of its own may be known to its primary, so that all are asked and one is chosen.
  const all = await connectAll(options.token === undefined ? { ...options, site: undefined } : options, surroundings);
  const told = await Promise.all(reached(all).map(seenThrough));
  const seen = firstOfEach(told.flatMap((one) => one.seen));
  const noted = told.flatMap((one) => one.noted);
  const unreached = all.flatMap((reach) =>
    "problem" in reach ? [{ name: reach.name, problem: problemText(reach.problem) }] : [],
  );
  const { site } = options;
  if (site === undefined) return { seen, noted, unreached };
  const meant = {
    noted: noted.filter(({ name }) => name === site),
    seen: seen.filter(({ name }) => name === site),
    unreached: unreached.filter(({ name }) => name === site),
  };
  if (meant.seen.length + meant.noted.length + meant.unreached.length > 0) return meant;
  throw new CommandError(
    EXIT.usage,
    `--site is ${JSON.stringify(site)}, expected one of ${seen.map(({ name }) => name).join(", ")}`,
  );
};
