import { DESTROY_LIMITS, type DestroyState, destroyIdOf, parentDigest, parentText } from "../../geo/destroy.ts";
import type { DestroyWork } from "../../geo/destroy-step.ts";
import type { DestroyRequest } from "../../geo/destroy-request.ts";
import { messageOf } from "../../geo/errors.ts";
import { failureText } from "../../geo/failure-policy.ts";
import { executionName } from "../../geo/physical-names.ts";
import type { Replicable } from "../../geo/replicable.ts";
import type { Chance, Clock } from "../../ports/clock.ts";
import type { Table } from "../../ports/table.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import type { Workflow } from "../../ports/workflows.ts";
import { everyItem } from "../../tables/every-item.ts";
import {
  type DestroyRecord,
  lockHolder,
  lockParent,
  type ReadDestroy,
  unlockParent,
} from "../../tables/site/destroy-record.ts";
import {
  endRelease,
  expiredIds,
  forgetRelease,
  listReleases,
  releaseDestroy,
} from "../../tables/site/destroy-release.ts";
import { endedWithoutAWord } from "../ended-without-a-word.ts";
import { readDestroy, saveDestroy, theDestroy } from "./stored-destroy.ts";

/** Where an operator asks for destroys: the primary. */
export interface DestroyAsking {
  readonly replicables: readonly Replicable[];
  readonly siteTable: Pick<Table, "get" | "put" | "update" | "delete" | "query">;
  /** The machine of batch destroys. */
  readonly destroys: Workflow;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly telemetry: Telemetry;
}

/** `conflict`: it can not be done as things stand, and why. */
export type DestroyAsked =
  | { readonly outcome: "done"; readonly record: DestroyRecord }
  | { readonly outcome: "unknown" }
  | { readonly outcome: "conflict"; readonly problem: string };

const conflict = (problem: string): DestroyAsked => ({ outcome: "conflict", problem });
const done = (record: DestroyRecord): DestroyAsked => ({ outcome: "done", record });

/** What the machine is started with. @param run how often it was started for this work, this time included */
export const workflowInput = (id: string, work: DestroyWork | "plan", run: number) => ({
  destroy_id: id,
  work,
  run,
  looks: 0,
});

const start = (asking: DestroyAsking, id: string, work: DestroyWork | "plan", run: number) =>
  asking.destroys.start(executionName(id, work, run), workflowInput(id, work, run));

/** A dry run: lists what would be destroyed and freezes the list, and destroys nothing. */
export const requestDestroy = async (
  asking: DestroyAsking,
  { replicableName, parent }: DestroyRequest,
  by: string | undefined,
): Promise<DestroyRecord> => {
  const id = destroyIdOf(asking.chance.token());
  const record: DestroyRecord = {
    id,
    destroy_state: "planning",
    replicable_names: replicableName === undefined ? asking.replicables.map(({ name }) => name) : [replicableName],
    destroy_parent: parent,
    requested_at: asking.clock.now(),
    ...(by === undefined ? {} : { requested_by: by }),
    destroy_runs: 0,
    undo_runs: 0,
    range_index: 0,
    keys_done: 0,
    slice_count: 0,
    object_count: 0,
    byte_count: 0,
    left_out_count: 0,
    type_counts: {},
    sample_keys: [],
  };
  const made = await saveDestroy(asking.siteTable, record, undefined);
  try {
    await start(asking, id, "plan", 1);
  } catch (error) {
    // Nobody would ever list it. Should the machine have begun all the same, it finds nothing to plan, or has changed it.
    const problem = failureText(`its workflow could not be started, ask again: ${messageOf(error)}`);
    const refused = { ...record, destroy_state: "refused", ended_at: asking.clock.now(), problem } as const;
    await saveDestroy(asking.siteTable, refused, made?.rev);
    throw error;
  }
  asking.telemetry.info("a batch destroy was asked for", { destroy: id, parent: parentText(parent), by });
  return record;
};

/**
 * Has a run that was written down go on. Whoever wrote it may not have started it (yet): the same run is started then, since
 * a start of the same name is one. False when it has ended without a word, and another one is needed.
 */
const goesOn = async (asking: DestroyAsking, id: string, work: DestroyWork, run: number): Promise<boolean> => {
  const execution = await asking.destroys.describe(executionName(id, work, run));
  if (execution === undefined) await start(asking, id, work, run);
  return execution === undefined || execution.status === "running";
};

/** An execution that should be at work, since when it was written down, and what to do when it is not. */
interface AtWork {
  readonly execution: (record: DestroyRecord) => string;
  readonly since: (record: DestroyRecord) => number | undefined;
  readonly remedy: string;
}

/** What is at work on a destroy in each state of being under way. */
const AT_WORK: Readonly<Partial<Record<DestroyState, AtWork>>> = {
  planning: {
    execution: ({ id }) => executionName(id, "plan", 1),
    since: ({ requested_at: since }) => since,
    remedy: "cancel it and plan again",
  },
  destroying: {
    execution: ({ id, destroy_runs: run }) => executionName(id, "destroy", run),
    since: ({ confirmed_at: since }) => since,
    remedy: "confirm it again to go on, or cancel it",
  },
  undoing: {
    execution: ({ id, undo_runs: run }) => executionName(id, "undo", run),
    since: ({ undo_requested_at: since }) => since,
    remedy: "undo it again to go on",
  },
};

/** Why a destroy that is said to be under way does not move, and what to do; undefined when it does. */
export const whyItStands = async (
  { destroys, clock }: Pick<DestroyAsking, "destroys" | "clock">,
  record: DestroyRecord,
): Promise<string | undefined> => {
  const work = AT_WORK[record.destroy_state];
  if (work === undefined) return undefined;
  const why = await endedWithoutAWord(destroys, work.execution(record), work.since(record), clock.now());
  return why === undefined ? undefined : `${why}; ${work.remedy}`;
};

/** Where a destroy hides nothing any more, and may not be confirmed: a lock that it still has is one that it forgot. */
const OVER: ReadonlySet<DestroyState> = new Set(["refused", "destroyed", "cancelled", "undoing", "undone"]);

/** Locks the parent of a destroy. Undefined, or which other destroy holds it. */
const lock = async (
  { siteTable }: DestroyAsking,
  digest: string,
  id: string,
  run: number,
): Promise<string | undefined> => {
  for (let isFirst = true; ; isFirst = false) {
    const locked = await siteTable.update(lockParent(digest, id, run));
    if (locked.outcome === "written") return undefined;
    const holder = lockHolder(locked.item);
    const held = await readDestroy(siteTable, holder);
    if (!isFirst || (held !== undefined && !OVER.has(held.record.destroy_state))) return holder;
    await siteTable.delete(unlockParent(digest, holder));
  }
};

/** Has removal guards let it through, and forgets of which destroys they do not any more. */
const release = async ({ siteTable }: DestroyAsking, id: string, now: number): Promise<void> => {
  for (const expired of expiredIds(await everyItem(siteTable, listReleases), now)) {
    await siteTable.delete(forgetRelease(expired, now));
  }
  await siteTable.update(releaseDestroy(id, now + DESTROY_LIMITS.releasedMs));
};

/** Somebody else changed the destroy while it was being confirmed: what was prepared is taken back, unless it is his too. */
const takeBack = async (
  { siteTable }: DestroyAsking,
  digest: string,
  { id, destroy_runs: run }: DestroyRecord,
): Promise<void> => {
  const { record: now } = await theDestroy(siteTable, id);
  const { destroy_state: state } = now;
  if (state === "destroying") return;
  await siteTable.delete(unlockParent(digest, id, run));
  // What a run has hidden goes on being let through, until it is brought back.
  const hidesNothing = now.destroy_runs === 0 || state === "undoing" || state === "undone";
  if (hidesNothing) await siteTable.delete(endRelease(id));
};

const CHANGED = "somebody else has just changed it; look at it and ask again";

/**
 * Begins to destroy what a dry run has shown, or goes on with it. The number has to be the one that was shown: nobody
 * confirms what they have not seen.
 */
export const confirmDestroy = async (
  asking: DestroyAsking,
  id: string,
  count: number,
  by: string | undefined,
): Promise<DestroyAsked> => {
  const read = await readDestroy(asking.siteTable, id);
  if (read === undefined) return { outcome: "unknown" };
  const { record } = read;
  const now = asking.clock.now();
  if (record.object_count !== count) {
    return conflict(`the dry run showed ${record.object_count} objects, and ${count} were confirmed`);
  }
  const { destroy_state: state } = record;
  if (state === "planned") {
    if ((record.expires_at ?? 0) <= now) return conflict("the dry run is more than a day old; ask for another one");
  } else if (state === "destroying") {
    if (await goesOn(asking, id, "destroy", record.destroy_runs)) return done(record);
  } else if (state !== "incomplete" && !(state === "destroyed" && record.problem !== undefined)) {
    return conflict(`it is ${state}, expected planned, or incomplete to go on with`);
  }
  const digest = parentDigest(record.replicable_names, record.destroy_parent);
  const run = record.destroy_runs + 1;
  const holder = await lock(asking, digest, id, run);
  if (holder !== undefined) {
    return conflict(`the destroy ${holder} of the same parent is under way; wait for it, or cancel it`);
  }
  await release(asking, id, now);
  const next: DestroyRecord = {
    ...record,
    destroy_state: "destroying",
    confirmed_at: now,
    ...(by === undefined ? {} : { confirmed_by: by }),
    destroy_runs: run,
    problem: undefined,
  };
  const saved = await saveDestroy(asking.siteTable, next, read.rev);
  if (saved === undefined) {
    await takeBack(asking, digest, next);
    return conflict(CHANGED);
  }
  return begin(asking, saved, "destroy", run);
};

/** Starts the machine for what was written down. Should that not happen, the same may be asked for again. */
const begin = async (
  asking: DestroyAsking,
  { record }: ReadDestroy,
  work: DestroyWork,
  run: number,
): Promise<DestroyAsked> => {
  await start(asking, record.id, work, run);
  asking.telemetry.info("a batch destroy begins", { destroy: record.id, work, objects: record.object_count });
  return done(record);
};

/** Ends a destroy behind the slices that are being hidden now. What is hidden stays hidden until it is undone. */
export const cancelDestroy = async (asking: DestroyAsking, id: string): Promise<DestroyAsked> => {
  const read = await readDestroy(asking.siteTable, id);
  if (read === undefined) return { outcome: "unknown" };
  const { record, rev } = read;
  if (!["planning", "planned", "destroying", "incomplete"].includes(record.destroy_state)) {
    return conflict(`it is ${record.destroy_state}, expected one that is planned or under way`);
  }
  const next = { ...record, destroy_state: "cancelled", ended_at: asking.clock.now() } as const;
  const saved = await saveDestroy(asking.siteTable, next, rev);
  if (saved === undefined) return conflict(CHANGED);
  await asking.siteTable.delete(unlockParent(parentDigest(record.replicable_names, record.destroy_parent), id));
  asking.telemetry.info("a batch destroy was cancelled", { destroy: id });
  return done(saved.record);
};

const UNDOABLE: ReadonlySet<DestroyState> = new Set(["destroyed", "incomplete", "cancelled", "undone"]);

/** Brings back what a destroy has hidden. Not while it is still hiding: cancel it first. */
export const undoDestroy = async (asking: DestroyAsking, id: string): Promise<DestroyAsked> => {
  const read = await readDestroy(asking.siteTable, id);
  if (read === undefined) return { outcome: "unknown" };
  const { record } = read;
  const { destroy_state: state } = record;
  if (state === "undoing") {
    if (await goesOn(asking, id, "undo", record.undo_runs)) return done(record);
  } else if (!UNDOABLE.has(state)) {
    return conflict(`it is ${state}, expected destroyed, incomplete, cancelled or undone`);
  }
  const run = record.undo_runs + 1;
  const next: DestroyRecord = {
    ...record,
    destroy_state: "undoing",
    undo_runs: run,
    undo_requested_at: asking.clock.now(),
    problem: undefined,
  };
  const saved = await saveDestroy(asking.siteTable, next, read.rev);
  if (saved === undefined) return conflict(CHANGED);
  // Not before it is certain that nobody goes on with hiding: from now on it can not be confirmed any more.
  await asking.siteTable.delete(endRelease(id));
  return begin(asking, saved, "undo", run);
};
