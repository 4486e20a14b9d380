import { DESTROY_LIMITS, type DestroyState, destroyIdOf, parentDigest, parentText } from "../../geo/destroy.ts";
import type { DestroyWork } from "../../geo/destroy-step.ts";
import type { DestroyRequest } from "../../geo/destroy-request.ts";
import { executionName } from "../../geo/physical-names.ts";
import type { Replicable } from "../../geo/replicable.ts";
import type { Chance, Clock } from "../../ports/clock.ts";
import type { Table } from "../../ports/table.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import type { Workflow } from "../../ports/workflows.ts";
import {
  type DestroyRecord,
  lockHolder,
  lockParent,
  type ReadDestroy,
  unlockParent,
} from "../../tables/site/destroy-record.ts";
import { endRelease, releaseDestroy } from "../../tables/site/destroy-release.ts";
import { readDestroy, saveDestroy } from "./stored-destroy.ts";

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

/** What the machine is started with. */
export const workflowInput = (id: string, work: DestroyWork | "plan") => ({ destroy_id: id, work, looks: 0 });

const start = (asking: DestroyAsking, id: string, work: DestroyWork | "plan", run: number) =>
  asking.destroys.start(executionName(id, work, run), workflowInput(id, work));

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
  await saveDestroy(asking.siteTable, record, undefined);
  await start(asking, id, "plan", 1);
  asking.telemetry.info("a batch destroy was asked for", { destroy: id, parent: parentText(parent), by });
  return record;
};

/** Whether the machine works on it now; when not, it has ended without a word, and may be started again. */
const isRunning = async ({ destroys }: DestroyAsking, id: string, work: DestroyWork, run: number): Promise<boolean> =>
  (await destroys.describe(executionName(id, work, run)))?.status === "running";

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
    if (await isRunning(asking, id, "destroy", record.destroy_runs)) return done(record);
  } else if (state !== "incomplete") {
    return conflict(`it is ${state}, expected planned, or incomplete to go on with`);
  }
  const digest = parentDigest(record.replicable_names, record.destroy_parent);
  const locked = await asking.siteTable.update(lockParent(digest, id));
  if (locked.outcome === "refused") {
    return conflict(
      `the destroy ${lockHolder(locked.item)} of the same parent is under way; wait for it, or cancel it`,
    );
  }
  await asking.siteTable.update(releaseDestroy(id, now + DESTROY_LIMITS.releasedMs));
  return begin(asking, read, "destroy", {
    ...record,
    destroy_state: "destroying",
    confirmed_at: now,
    ...(by === undefined ? {} : { confirmed_by: by }),
    destroy_runs: record.destroy_runs + 1,
  });
};

/** Writes the record and starts the machine. Should the second not happen, the same may be asked for again. */
const begin = async (
  asking: DestroyAsking,
  { rev }: ReadDestroy,
  work: DestroyWork,
  next: DestroyRecord,
): Promise<DestroyAsked> => {
  const saved = await saveDestroy(asking.siteTable, next, rev);
  if (saved === undefined) return conflict("somebody else has just changed it; look at it and ask again");
  const { record } = saved;
  await start(asking, record.id, work, work === "destroy" ? record.destroy_runs : record.undo_runs);
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
  if (saved === undefined) return conflict("somebody else has just changed it; look at it and ask again");
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
    if (await isRunning(asking, id, "undo", record.undo_runs)) return done(record);
  } else if (!UNDOABLE.has(state)) {
    return conflict(`it is ${state}, expected destroyed, incomplete, cancelled or undone`);
  }
  await asking.siteTable.delete(endRelease(id));
  return begin(asking, read, "undo", { ...record, destroy_state: "undoing", undo_runs: record.undo_runs + 1 });
};
