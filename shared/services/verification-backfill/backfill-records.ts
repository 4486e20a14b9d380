import type { Replicable } from "../../geo/replicable.ts";
import { keepWalking } from "../registry-consistency/keep-consistent.ts";
import type { WalkedOnce, WalkSettings } from "../registry-consistency/run-walks.ts";
import { type ListingSite, listOldRecords } from "./list-for-reverification.ts";
import { recordWalker, type RecordWalkingSite } from "./record-walker.ts";
import { removeSwitchedOff, type RemovingSite } from "./remove-switched-off.ts";

/** What keeping the primary's records complete needs of it. */
export type BackfillingSite = RecordWalkingSite & RemovingSite & ListingSite;

/** What one run did. */
export interface BackfilledOnce extends WalkedOnce {
  /** Records that went because the checksums of their types are switched off. */
  readonly removed: number;
  /** Records that were listed because their objects will soon have to be read again. */
  readonly listed: number;
}

/**
 * What the scheduler starts at the primary each minute (F30, F47, F87): records of types whose checksums are off go, those
 * whose time to be read again is near are listed, and objects without a record are named to the function that makes them. Any number of runs may overlap, and any may die anywhere.
 *
 * @param stopAt when to let go, milliseconds since the epoch
 */
export const backfillRecords = async (
  site: BackfillingSite,
  replicables: readonly Replicable[],
  settings: WalkSettings,
  stopAt: number,
): Promise<BackfilledOnce> => {
  const removed = await removeSwitchedOff(site, replicables, stopAt);
  const listed = await listOldRecords(site, replicables, stopAt);
  return { ...(await keepWalking(recordWalker(site), replicables, settings, stopAt)), removed, listed };
};
