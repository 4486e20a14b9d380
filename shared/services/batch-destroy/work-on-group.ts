import type { DestroyingSite } from "../../ports/destroy.ts";
import type { DestroyWork } from "../../geo/destroy-step.ts";
import type { DestroyRecord } from "../../tables/site/destroy-record.ts";
import { keyMatcher } from "../key-matcher.ts";
import { hideSlice } from "./hide-slice.ts";
import { theDestroy } from "./stored-destroy.ts";
import { undoSlice } from "./undo-slice.ts";

/** Slices that one branch of the workflow works through, one after the other: numbers, both included. */
export interface SliceGroup {
  readonly from: number;
  readonly to: number;
}

/**
 * Most groups of one execution. Each enters a state or two and writes some seven events of the 25,000 that an execution may
 * have (quotas of Step Functions); with 500 there is room for every retry.
 */
const GROUPS_MAX = 500;

const WORKING: Readonly<Record<DestroyWork, DestroyRecord["destroy_state"]>> = {
  destroy: "destroying",
  undo: "undoing",
};

/** What is left of a group, and how long to wait before it is gone on with. */
export interface GroupLeft extends SliceGroup {
  readonly more: boolean;
  readonly wait_seconds: number;
}

/** Shares the slices of a destroy out. None when it is not (any more) to be worked on: cancelled, or done. */
export const handOutSlices = async (
  site: DestroyingSite,
  destroyId: string,
  work: DestroyWork,
): Promise<{ readonly groups: readonly SliceGroup[] }> => {
  const { record } = await theDestroy(site.siteTable, destroyId);
  if (record.destroy_state !== WORKING[work]) return { groups: [] };
  const size = Math.max(1, Math.ceil(record.slice_count / GROUPS_MAX));
  const count = Math.ceil(record.slice_count / size);
  return {
    groups: Array.from({ length: count }, (_, index) => ({
      from: index * size + 1,
      to: Math.min(record.slice_count, (index + 1) * size),
    })),
  };
};

/**
 * Works through a group, a slice at a time, and ends when somebody has cancelled the destroy or the time is up.
 * @returns what is left of the group
 * @throws GeoError GEO_BUCKET_NOT_VERSIONED before anything is hidden in a bucket that does not keep versions
 */
export const workOnGroup = async (
  site: DestroyingSite,
  destroyId: string,
  work: DestroyWork,
  { from, to }: SliceGroup,
  stopAt: number,
): Promise<GroupLeft> => {
  if (work === "destroy") await site.bucket.assertVersioned();
  const matching = await keyMatcher(site.replicables, site.switches);
  for (let number = from; number <= to; number += 1) {
    if (site.clock.now() >= stopAt) return { from: number, to, more: true, wait_seconds: 0 };
    const { record } = await theDestroy(site.siteTable, destroyId);
    if (record.destroy_state !== WORKING[work]) break;
    if (work === "destroy") await hideSlice(site, record, number, matching);
    else {
      const wait = await undoSlice(site, destroyId, number, stopAt);
      if (wait > 0) return { from: number, to, more: true, wait_seconds: wait };
    }
  }
  return { from: to + 1, to, more: false, wait_seconds: 0 };
};
