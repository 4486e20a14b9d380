import { parentDigest } from "../../geo/destroy.ts";
import type { DestroyWork } from "../../geo/destroy-step.ts";
import { failureText } from "../../geo/failure-policy.ts";
import type { DestroyingSite } from "../../ports/destroy.ts";
import { endRelease } from "../../tables/site/destroy-release.ts";
import { type DestroyRecord, unlockParent } from "../../tables/site/destroy-record.ts";
import { sumSlices } from "./sum-slices.ts";
import { eachSlice, saveDestroy, theDestroy } from "./stored-destroy.ts";

/** What one execution of the machine is for. A dry run has one execution. */
export interface DestroyRun {
  readonly work: DestroyWork | "plan";
  /** Of this work: the first is 1. */
  readonly run: number;
}

interface Concluded {
  readonly state: DestroyRecord["destroy_state"];
}

const runsOf = (record: DestroyRecord, work: DestroyRun["work"]): number =>
  ({ plan: 1, destroy: record.destroy_runs, undo: record.undo_runs })[work];

/**
 * Writes how a run has ended, and lets go of what it held. One that another run has followed changes nothing: it would
 * speak of what that one is at.
 * @param next the record at the end; undefined when it has been ended already
 */
const end = async (
  site: DestroyingSite,
  destroyId: string,
  { work, run }: DestroyRun,
  next: (record: DestroyRecord) => DestroyRecord | undefined,
): Promise<Concluded> => {
  for (;;) {
    const { record, rev } = await theDestroy(site.siteTable, destroyId);
    if (runsOf(record, work) !== run) return { state: record.destroy_state };
    const ended = next(record);
    const saved = ended === undefined ? { record } : await saveDestroy(site.siteTable, ended, rev);
    if (saved === undefined) continue;
    const { destroy_state: state } = saved.record;
    if (work === "destroy" && state !== "destroying") {
      const digest = parentDigest(record.replicable_names, record.destroy_parent);
      await site.siteTable.delete(unlockParent(digest, destroyId, run));
    }
    if (state === "undone") await site.siteTable.delete(endRelease(destroyId));
    return { state };
  }
};

/** Says how the work has ended, in the destroy's record, from what its slices say. */
export const conclude = async (
  site: DestroyingSite,
  destroyId: string,
  { work, run }: DestroyRun & { readonly work: DestroyWork },
): Promise<Concluded> => {
  const sums = await sumSlices(eachSlice(site.siteTable, destroyId));
  const concluded = await end(site, destroyId, { work, run }, (record) => {
    const ended_at = site.clock.now();
    if (work === "destroy" && record.destroy_state === "destroying") {
      const isWhole = sums.slicesTold === record.slice_count && sums.failed === 0;
      return { ...record, destroy_state: isWhole ? "destroyed" : "incomplete", ended_at };
    }
    if (work === "undo" && record.destroy_state === "undoing") return { ...record, destroy_state: "undone", ended_at };
    return undefined;
  });
  const { hidden, kept, failed, restored, undoFailed, notUndone } = sums;
  site.telemetry.info("a batch destroy has ended", {
    destroy: destroyId,
    state: concluded.state,
    hidden,
    kept,
    failed,
    restored,
    ...(work === "undo" ? { notRestored: undoFailed + notUndone } : {}),
  });
  return concluded;
};

/** What each state becomes when its machine gives up. What is under way then is no more; all else stays as it is. */
const GIVEN_UP = { planning: "refused", destroying: "incomplete", undoing: "undone" } as const;

const isUnderWay = (state: string): state is keyof typeof GIVEN_UP => Object.hasOwn(GIVEN_UP, state);

/** Writes down that the machine gave up, and why, so that nobody waits for it: it may be asked for again. */
export const noteFailure = async (
  site: DestroyingSite,
  destroyId: string,
  { work, run }: DestroyRun,
  reason: string,
): Promise<Concluded> => {
  const problem = failureText(`its workflow failed: ${reason}`);
  const noted = await end(site, destroyId, { work, run }, (record) => {
    const { destroy_state: state } = record;
    if (!isUnderWay(state)) return undefined;
    return { ...record, destroy_state: GIVEN_UP[state], ended_at: site.clock.now(), problem };
  });
  site.telemetry.error("a batch destroy failed", {
    destroy: destroyId,
    work,
    run,
    state: noted.state,
    reason: problem,
  });
  return noted;
};
