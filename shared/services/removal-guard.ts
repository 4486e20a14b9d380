import { REMOVAL_WINDOW_MS } from "../geo/limits.ts";
import { COUNT_METRICS } from "../geo/metrics.ts";
import { heldBackText, removalLimit, type RemovalGuard } from "../geo/removal-guard.ts";
import type { SecondarySite } from "../ports/site.ts";
import { countRecords } from "./count-records.ts";
import {
  countRemoval,
  openRemovalWindow,
  parseRemovalGuard,
  pauseRemovals,
  useRelease,
} from "../tables/site/removal-guard-item.ts";

/** Whether a replica may be hidden now. */
export type RemovalPermit =
  { readonly removal: "allowed" } | { readonly removal: "held_back"; readonly detail: string };

/** What the guard asks and tells. */
export type GuardedSite = Pick<SecondarySite, "clock" | "siteTable" | "removalGuard" | "telemetry" | "destroyed">;

/** Which replica is to be hidden. */
export interface RemovedReplica {
  readonly key: string;
  /** The source version that it was made from; undefined when nobody knows. */
  readonly sourceVersionId: string | undefined;
}

/** How often the guard is asked again because others moved it meanwhile; then the removal waits for its retry. */
const TRIES_MAX = 4;

/** Counted without its type: one alarm watches the site. Which type it is, the API and the log say. */
const heldBack = (site: GuardedSite, guard: RemovalGuard | undefined): RemovalPermit => {
  site.telemetry.count(COUNT_METRICS.removalHeldBack, 1);
  return {
    removal: "held_back",
    detail: guard === undefined ? "the guard could not be asked" : heldBackText(guard),
  };
};

const mayBeginAnHour = ({ windowStartedAt, releaseOnlyUntil }: RemovalGuard, now: number): boolean =>
  windowStartedAt <= now - REMOVAL_WINDOW_MS && (releaseOnlyUntil ?? now) <= now;

/** Whether an operator has confirmed at the primary that exactly this version is to go: then it is no flood. */
const isDestroyed = async (
  { destroyed }: GuardedSite,
  replicableName: string,
  { key, sourceVersionId }: RemovedReplica,
): Promise<boolean> =>
  destroyed !== undefined &&
  sourceVersionId !== undefined &&
  (await destroyed.names({ replicableName, key }, sourceVersionId));

/**
 * Asks for the right to hide one replica, and counts it. A worker that dies with the right in hand has counted a removal
 * too many, never one too few. What a batch destroy of the primary names is let through, and counts for nothing here: it
 * was counted when it was confirmed.
 *
 * @param removed the replica; undefined to ask for any one of the type
 * @throws TableUnavailableError when the site table, or the primary's, did not answer
 */
export const askToRemove = async (
  site: GuardedSite,
  replicableName: string,
  removed?: RemovedReplica,
): Promise<RemovalPermit> => {
  if (removed !== undefined && (await isDestroyed(site, replicableName, removed))) return { removal: "allowed" };
  let last: RemovalGuard | undefined;
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const now = site.clock.now();
    const counted = await site.siteTable.update(countRemoval(replicableName, now));
    if (counted.outcome === "written") return { removal: "allowed" };
    const guard = counted.item === undefined ? undefined : parseRemovalGuard(counted.item);
    last = guard;
    if (guard?.release !== undefined && guard.release.removals > 0 && guard.release.until > now) {
      if ((await site.siteTable.update(useRelease(replicableName, now))).outcome === "written") {
        return { removal: "allowed" };
      }
    } else if (guard?.pausedAt !== undefined) {
      return heldBack(site, guard);
    } else if (guard === undefined || mayBeginAnHour(guard, now)) {
      const limit = removalLimit(await countRecords(site.siteTable, "registry")(replicableName), site.removalGuard);
      const opened = await site.siteTable.update(openRemovalWindow(replicableName, guard, now, limit));
      if (opened.outcome === "written") return { removal: "allowed" };
    } else if ((await site.siteTable.update(pauseRemovals(replicableName, guard, now))).outcome === "written") {
      site.telemetry.error("removals are held back until an operator releases them", {
        replicable: replicableName,
        removals: guard.removals,
        limit: guard.limit,
      });
      return heldBack(site, guard);
    }
  }
  return heldBack(site, last);
};
