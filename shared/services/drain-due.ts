import { messageOf } from "../geo/errors.ts";
import { executionName } from "../geo/physical-names.ts";
import { duePartitions } from "../geo/registry-row.ts";
import {
  type CountAnswer,
  type CountedDue,
  type DrainInput,
  type DrainStep,
  parseDrainInput,
  STORM_ROWS,
  type SweepCursor,
} from "../geo/sweep-steps.ts";
import type { Table } from "../ports/table.ts";
import type { Workflow } from "../ports/workflows.ts";
import { findDue } from "../tables/find-due.ts";
import { drainedBy, readSweepNotes } from "../tables/site/retry-sweep-item.ts";
import { type Sweeping, sweepDue } from "./sweep-due.ts";

/** What the steps of the retry-sweep workflow need. Each of them may be made twice, or not at all. */
export interface Draining extends Sweeping {
  /** The site's own table: what is held back is not drained. */
  readonly siteTable: Pick<Table, "query" | "update">;
  readonly workflow: Workflow;
}

/** Whether a type is to be drained now: switched on, and nothing of it held back. */
const isWanted = async ({ isOn, siteTable }: Draining, name: string): Promise<boolean> => {
  if (!(await isOn(name))) return false;
  const breaker = (await readSweepNotes(siteTable)).get(name)?.breaker;
  return breaker === undefined || breaker.state === "closed";
};

/**
 * The first state: how much is due of the type that the execution is about. Each partition is asked once. What can not be
 * read, or names no type, is refused with a reason: to try it again would change nothing.
 */
export const countDue = async (draining: Draining, input: unknown): Promise<CountAnswer> => {
  const wanted = parseDrainInput(input);
  const refuse = (reason: string): CountAnswer => {
    draining.telemetry.error("an execution of the retry sweep was started with an input that can not be used", {
      reason,
    });
    return { amount: "refused", reason };
  };
  if ("problems" in wanted) return refuse(wanted.problems);
  const { replicable_name: name } = wanted;
  const { replicableNames, clock, table } = draining;
  if (!replicableNames.includes(name)) {
    return refuse(`replicable_name: expected one of ${replicableNames.join(", ")}, got ${name}`);
  }
  const partitions = duePartitions(name).filter((one) => wanted.cursor === undefined || one in wanted.cursor);
  const foreign = Object.keys(wanted.cursor ?? {}).filter((one) => !partitions.includes(one));
  if (foreign.length > 0) return refuse(`cursor: expected partitions of ${name}, got ${foreign.join(", ")}`);

  const until = Math.min(wanted.until ?? clock.now(), clock.now());
  if (!(await isWanted(draining, name))) return counted(wanted, until, {}, "nothing");
  const stormy = STORM_ROWS / duePartitions(name).length;
  const cursor: Record<string, number> = {};
  let isStorm = false;
  await Promise.all(
    partitions.map(async (partition) => {
      const from = wanted.cursor?.[partition] ?? 0;
      const page = await table.query(findDue(partition, from, until, stormy));
      if (page.items.length > 0) cursor[partition] = from;
      isStorm ||= page.next !== undefined;
    }),
  );
  if (Object.keys(cursor).length === 0) return counted(wanted, until, {}, "nothing");
  return counted(wanted, until, cursor, isStorm ? "storm" : "some");
};

const counted = (
  { replicable_name, chain, part }: DrainInput,
  until: number,
  cursor: SweepCursor,
  amount: CountedDue["amount"],
): CountedDue => {
  const step = (from: SweepCursor): DrainStep => ({
    action: "drain",
    replicable_name,
    until,
    cursor: from,
    round: 0,
    more: Object.keys(from).length > 0,
    swept: 0,
  });
  return {
    amount,
    chain,
    part,
    replicable_name,
    until,
    drain: step(amount === "some" ? cursor : {}),
    partitions:
      amount === "storm" ? Object.entries(cursor).map(([partition, from]) => step({ [partition]: from })) : [],
  };
};

/** One round: at most 5,000 rows, of all partitions or of one. Nothing more when the type is not to be drained any more. */
export const drainRound = async (draining: Draining, step: DrainStep): Promise<DrainStep> => {
  const { replicable_name: name, until, cursor, round, swept } = step;
  const done = { ...step, cursor: {}, round: round + 1, more: false };
  if (!(await isWanted(draining, name))) return done;
  const made = await sweepDue({ ...draining, replicableNames: [name] }, cursor, until);
  return { ...done, ...(made.more ? { more: true, cursor: made.cursor } : {}), swept: swept + made.swept };
};

/**
 * The last state of an execution that has not come to the end: starts its successor, whose name follows from its own, so
 * that there is one of them however often this is done.
 */
export const leaveTheRest = async (
  draining: Draining,
  left: CountedDue,
): Promise<{ readonly successor: string | undefined }> => {
  const { workflow, siteTable, telemetry } = draining;
  const { replicable_name, chain, until } = left;
  const cursor: SweepCursor = Object.assign(
    {},
    ...[left.drain, ...left.partitions].map((step) => (step.more ? step.cursor : {})),
  );
  if (Object.keys(cursor).length === 0) return { successor: undefined };
  const part = left.part + 1;
  const successor = executionName(chain, part);
  const input: DrainInput = { replicable_name, chain, part, until, cursor };
  const { outcome } = await workflow.start(successor, input);
  telemetry.info("the rest is left to a successor", { replicable: replicable_name, execution: successor, outcome });
  await siteTable.update(drainedBy(replicable_name, successor)).catch((error: unknown) => {
    // Then the next sweep may start another drain, which sends some rows twice.
    telemetry.warn("the successor could not be noted", { execution: successor, reason: messageOf(error) });
  });
  return { successor };
};
