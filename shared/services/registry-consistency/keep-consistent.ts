import type { Replicable } from "../../geo/replicable.ts";
import { nextPace } from "../../geo/walk-pace.ts";
import {
  askedForQuery,
  parseAskedFor,
  parseWalkPace,
  saveWalkPace,
  walkPaceKey,
} from "../../tables/site/walk-pace-item.ts";
import { registryWalker } from "./registry-walker.ts";
import { type WalkedOnce, walkOnce, type WalkSettings } from "./run-walks.ts";
import type { Walker, WalkingSite } from "./walk-range.ts";

/**
 * What the scheduler starts each minute: one run of the walks, at the pace that throttling has left.
 *
 * @param stopAt when to let go, milliseconds since the epoch
 */
export const keepWalking = async (
  site: Walker,
  replicables: readonly Replicable[],
  settings: WalkSettings,
  stopAt: number,
): Promise<WalkedOnce> => {
  const { pace, throttled } = parseWalkPace(await site.siteTable.get(walkPaceKey));
  const next = nextPace(pace, throttled);
  if (next.keysPerRun !== pace.keysPerRun) await site.siteTable.update(saveWalkPace(next));
  const askedFor = parseAskedFor((await site.siteTable.query(askedForQuery())).items);
  return walkOnce(site, replicables, settings, { stopAt, keysPerRun: next.keysPerRun, askedFor });
};

/** The same for the registry's consistency, at a secondary. */
export const keepConsistent = (
  site: WalkingSite,
  replicables: readonly Replicable[],
  settings: WalkSettings,
  stopAt: number,
): Promise<WalkedOnce> => keepWalking(registryWalker(site), replicables, settings, stopAt);
