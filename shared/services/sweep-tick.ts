import { BREAKER_PROBES, decideBreaker, type BreakerDecision } from "../geo/circuit-breaker.ts";
import { GeoError, messageOf } from "../geo/errors.ts";
import { SWEEP_ROWS_MAX } from "../geo/limits.ts";
import { COUNT_METRICS } from "../geo/metrics.ts";
import { executionName } from "../geo/physical-names.ts";
import { duePartitions } from "../geo/registry-row.ts";
import { cursorOfType, type DrainInput, type SweepCursor } from "../geo/sweep-steps.ts";
import type { MessageQueue } from "../ports/message-queue.ts";
import type { Table } from "../ports/table.ts";
import type { Workflow } from "../ports/workflows.ts";
import { findDue } from "../tables/find-due.ts";
import { decided, drainedBy, NO_NOTES, readSweepNotes, type SweepNotes } from "../tables/site/retry-sweep-item.ts";
import { dueAt, dueKeys, sendDue, type Sweeping, sweepDue } from "./sweep-due.ts";

/** Rounds that a tick makes itself: what is left of a type then is worth an execution. */
const ROUNDS_MAX = 3;

/**
 * No drain is begun while so many messages wait, of up to 100 keys each: what an earlier one has sent is among them, and
 * would only be sent again.
 */
export const DRAIN_BACKLOG_MESSAGES_MAX = 1_000;

/** What the sweep of a minute needs. */
export interface Ticking extends Omit<Sweeping, "queue"> {
  readonly queue: MessageQueue & { backlog(): Promise<number> };
  /** The site's own table, where it is remembered what is held back and what is being drained. */
  readonly siteTable: Pick<Table, "query" | "update">;
  /** Drains what is too much for a tick. Absent where there is no such thing: the next tick goes on then. */
  readonly workflow?: Workflow;
}

/** What became of a minute. */
export interface Ticked {
  readonly swept: number;
  /** Whether something is left that is due. */
  readonly more: boolean;
  /** Types whose retries are held back. */
  readonly heldBack: readonly string[];
  /** Executions that were started to drain the rest. */
  readonly started: readonly string[];
}

/**
 * One minute's sweep. What is due of each type is sent at once, up to 5,000 rows in all; an execution of the workflow is
 * started for each type that has more. Its name is made of the type and the minute, so that a second delivery of the same
 * start has no second effect.
 *
 * A type of which everything fails is held back (`shared/geo/circuit-breaker.ts`): its rows stay due, and a few are tried.
 */
export const sweepTick = async (ticking: Ticking, minute: string): Promise<Ticked> => {
  const notes = await readNotes(ticking);
  const free: string[] = [];
  const heldBack: string[] = [];
  for (const name of ticking.replicableNames) {
    if (!(await ticking.isOn(name))) continue;
    const open = await isOpen(ticking, name, notes.get(name) ?? NO_NOTES);
    (open ? heldBack : free).push(name);
  }
  const names: string[] = [];
  for (const name of free) if (!(await isDrained(ticking, name, notes.get(name)?.draining))) names.push(name);

  // Asked for already, and for the length of a minute: a flag is as old as the look at it.
  const sweeping: Sweeping = { ...ticking, replicableNames: names, isOn: () => Promise.resolve(true) };
  let swept = 0;
  let left: SweepCursor | undefined;
  for (let round = 0; names.length > 0 && round < ROUNDS_MAX && swept < SWEEP_ROWS_MAX; round += 1) {
    const one = await sweepDue(sweeping, left);
    swept += one.swept;
    left = one.more ? one.cursor : undefined;
    if (left === undefined) break;
  }
  if (left === undefined) return { swept, more: false, heldBack, started: [] };
  return { swept, more: true, heldBack, started: await drain(ticking, names, left, minute) };
};

/** Without its notes a sweep holds nothing back: that costs attempts, and keeps nobody waiting. */
const readNotes = async ({ siteTable, telemetry }: Ticking): Promise<ReadonlyMap<string, SweepNotes>> => {
  try {
    return await readSweepNotes(siteTable);
  } catch (error) {
    if (!(error instanceof GeoError)) throw error;
    telemetry.warn("what is held back can not be read: nothing is", { reason: error.message });
    return new Map();
  }
};

/** Whether a type's retries are held back; sends the probes that find out whether they still have to be. */
const isOpen = async (ticking: Ticking, name: string, notes: SweepNotes): Promise<boolean> => {
  const { clock, telemetry } = ticking;
  const decision = decideBreaker(notes.breaker, notes.evidence, notes.succeededAt, clock.now());
  const opened = notes.breaker.state === "closed" && decision.next.state !== "closed";
  if (opened) {
    telemetry.error("retries of a type are held back: everything fails, and only a person can change that", {
      replicable: name,
      kind: notes.evidence?.kind ?? "",
      failures: notes.evidence?.failed ?? 0,
    });
  }
  const probes = decision.send === "probes" ? await longestDue(ticking, name) : [];
  if (decision.send === "probes" && probes.length === 0) {
    // Nothing is due that could be held back. Should it go on, it will be noticed again.
    await remember(ticking, name, { next: { state: "closed" }, send: "all", forget: true });
    return false;
  }
  // Before they are sent: what is told of them must not be forgotten as what was told before.
  if (decision.next !== notes.breaker || decision.forget) await remember(ticking, name, decision);
  if (probes.length > 0) await sendDue(ticking, name, probes, true);
  if (decision.next.state === "closed") {
    if (notes.breaker.state !== "closed") telemetry.info("retries of a type go on", { replicable: name });
    return false;
  }
  telemetry.count(COUNT_METRICS.retriesHeldBack, 1);
  return true;
};

const remember = async (
  { siteTable, telemetry }: Ticking,
  name: string,
  { next, forget }: BreakerDecision,
): Promise<void> => {
  try {
    await siteTable.update(decided(name, next, forget));
  } catch (error) {
    if (!(error instanceof GeoError)) throw error;
    // The next minute comes to the same conclusion from the same notes.
    telemetry.warn("what is held back could not be noted", { replicable: name, reason: error.message });
  }
};

/** The keys that are tried while a type is held back: those of the longest due rows, so that each one's turn comes. */
const longestDue = async ({ table, clock }: Ticking, name: string): Promise<readonly string[]> => {
  const now = clock.now();
  const pages = await Promise.all(
    duePartitions(name).map((partition) => table.query(findDue(partition, 0, now, BREAKER_PROBES))),
  );
  const oldest = pages
    .flatMap(({ items }) => items)
    .toSorted((a, b) => dueAt(a) - dueAt(b))
    .slice(0, BREAKER_PROBES);
  return dueKeys(oldest);
};

/** Whether an execution is at a type already. Who can not be asked is taken to be done: sending twice harms nobody. */
const isDrained = async (
  { workflow, siteTable, telemetry }: Ticking,
  name: string,
  execution: string | undefined,
): Promise<boolean> => {
  if (workflow === undefined || execution === undefined) return false;
  try {
    if ((await workflow.describe(execution))?.status === "running") return true;
    await siteTable.update(drainedBy(name, undefined));
    return false;
  } catch (error) {
    if (!(error instanceof GeoError)) throw error;
    telemetry.warn("it is not known whether a type is being drained", { execution, reason: error.message });
    return false;
  }
};

/** Starts an execution for each type that has more. One that can not be started is left to the next minute. */
const drain = async (
  ticking: Ticking,
  names: readonly string[],
  left: SweepCursor,
  minute: string,
): Promise<readonly string[]> => {
  const { workflow, queue, siteTable, clock, telemetry } = ticking;
  if (workflow === undefined) return [];
  const started: string[] = [];
  try {
    const waiting = await queue.backlog();
    if (waiting >= DRAIN_BACKLOG_MESSAGES_MAX) {
      telemetry.info("more is due, and waits until fewer messages do", { messages: waiting });
      return [];
    }
    for (const name of names) {
      const cursor = cursorOfType(left, name);
      if (Object.keys(cursor).length === 0) continue;
      const chain = executionName(name, minute);
      const input: DrainInput = { replicable_name: name, chain, part: 1, until: clock.now(), cursor };
      const { outcome } = await workflow.start(chain, input);
      if (outcome === "started") started.push(chain);
      telemetry.info("more is due than a sweep sends: an execution drains it", {
        replicable: name,
        execution: chain,
        outcome,
      });
      await siteTable.update(drainedBy(name, chain));
    }
  } catch (error) {
    telemetry.warn("what is left could not be handed to the workflow; the next sweep goes on", {
      reason: messageOf(error),
    });
  }
  return started;
};
