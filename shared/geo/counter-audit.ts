import { COUNTED, countedIn } from "./counter-slices.ts";
import { ROW_PARTITIONS, rowKey, rowPartitionNumber } from "./registry-row.ts";
import type { AuditVerdict } from "./type-summary.ts";
import { coarsened } from "./waiting-ages.ts";

/**
 * Recounts of a type's rows, which are held against its counters. Rows change while they are recounted, so a recount is no
 * snapshot: a difference says something only when more changed than it could come from. Pure.
 */

const HOUR_MS = 60 * 60 * 1_000;
const DAY_MS = 24 * HOUR_MS;

/** From the end of one recount of a type to the beginning of the next. */
export const AUDIT_EVERY_MS = 7 * DAY_MS;

/** How often a type is recounted, hours apart, before it has to wait for the next week. */
export const AUDIT_TRIES_MAX = 3;

/**
 * From a recount during which too much changed to the next try, milliseconds: seven to nine hours, by the type's name. So the
 * tries of a week fall into different parts of the day, one of which may be quiet, and those of many types do not fall together.
 */
export const againAfterMs = (replicableName: string): number => {
  const partition = rowPartitionNumber(rowKey({ replicableName, key: replicableName }).pk);
  return Math.round((7 + (2 * partition) / ROW_PARTITIONS) * HOUR_MS);
};

/** From the last row that was read to the look at the counters: what was changed by then has been counted, as a rule. */
export const AUDIT_SETTLES_MS = 10 * 60 * 1_000;

/** A stream keeps changes for so long: what was not counted by then never is. */
const STREAM_KEEPS_MS = DAY_MS;

/** Streams tell times in whole seconds, and a row's own time is a little older than its change. */
const STREAM_TIME_SLACK_MS = 2_000;

/** Numbers by their names, as counters hold them (`counter-slices.ts`): of rows, bytes and rows that wait. */
export type Tally = ReadonlyMap<string, number>;

const TIMES = ["created_at", "last_event_at", "attempt_started_at", "last_synced_at", "verified_at"] as const;

/** The newest time that a row tells of itself; 0 when it tells none. */
export const newestTimeOf = (row: Readonly<Record<string, unknown>>): number =>
  Math.max(0, ...TIMES.map((column) => row[column]).filter((time) => typeof time === "number"));

/** Adds rows to a tally. */
export const tallyRows = (
  tally: Map<string, number>,
  rows: readonly Readonly<Record<string, unknown>>[],
  clock: number,
) => {
  for (const row of rows) {
    for (const [name, number] of countedIn(row, clock)) tally.set(name, (tally.get(name) ?? 0) + number);
  }
};

/** A tally whose waiting rows stand in granules of a later clock. */
const atClock = (tally: Tally, clock: number): Tally => {
  const sums = new Map<string, number>();
  for (const [name, number] of tally) {
    const { waiting } = COUNTED;
    const moved = name.startsWith(waiting) ? `${waiting}${coarsened(name.slice(waiting.length), clock)}` : name;
    sums.set(moved, (sums.get(moved) ?? 0) + number);
  }
  return sums;
};

/** What rows have more than counters, by number; empty when they are equal. */
export const differenceOf = (recounted: Tally, counted: Tally, clock: number): Tally => {
  const [rows, counters] = [atClock(recounted, clock), atClock(counted, clock)];
  const names = new Set([...rows.keys(), ...counters.keys()]);
  return new Map(
    [...names].flatMap((name) => {
      const more = (rows.get(name) ?? 0) - (counters.get(name) ?? 0);
      return more === 0 ? [] : [[name, more] as const];
    }),
  );
};

/** How large a difference is: rows that are missing or too many, and one for each cell whose bytes differ. */
export const sizeOfDifference = (difference: Tally): number =>
  [...difference].reduce((sum, [name, more]) => sum + (name.startsWith(COUNTED.bytes) ? 1 : Math.abs(more)), 0);

/** A change takes a row out of a cell and puts it into another, with its bytes, and may do so with its waiting. */
const DIFFERENCE_PER_CHANGE_MAX = 6;

/**
 * From a difference that was found while nothing changed to the recount that may put it right. What was only late has been
 * counted by then, or never will be: also what stands in a shard of the stream that did not move while others did, of which
 * nothing here can tell.
 */
export const CONFIRMED_AFTER_MS = STREAM_KEEPS_MS + HOUR_MS;

/** A difference that was found while nothing changed, and when: milliseconds since the epoch. */
export interface Suspicion {
  readonly at: number;
  readonly difference: Readonly<Record<string, number>>;
}

/** What a verdict is made from. */
export interface AuditFacts {
  readonly difference: Tally;
  /** The clock of the difference's waiting rows. */
  readonly clock: number;
  /** What an earlier recount has found. */
  readonly suspicion: Suspicion | undefined;
  /** How many changes of the type were counted from the beginning of the recount until now. */
  readonly changes: number;
  /** The newest time that any row told of itself. */
  readonly newestRowAt: number;
  /** When the newest change of the type happened that was counted; 0 when none was. */
  readonly asOf: number;
  readonly now: number;
}

/** What a recount has shown. */
export interface AuditOutcome {
  readonly verdict: AuditVerdict["verdict"];
  readonly size: number;
  /** The very same was found long enough ago, and nothing changed: the difference is one that stays. */
  readonly isToBePutRight: boolean;
  /** For the next recount. */
  readonly suspicion: Suspicion | undefined;
}

/** Weighs what a recount has found. */
export const judgeAudit = (facts: AuditFacts): AuditOutcome => {
  const { difference, clock, suspicion, changes, newestRowAt, asOf, now } = facts;
  const size = sizeOfDifference(difference);
  if (size === 0) return { verdict: "exact", size, isToBePutRight: false, suspicion: undefined };
  const isBehind = newestRowAt > asOf + STREAM_TIME_SLACK_MS && now - newestRowAt < STREAM_KEEPS_MS;
  if (isBehind || size <= DIFFERENCE_PER_CHANGE_MAX * changes) {
    return { verdict: "unsettled", size, isToBePutRight: false, suspicion };
  }
  if (changes > 0) return { verdict: "different", size, isToBePutRight: false, suspicion };
  const isTheSame =
    suspicion !== undefined &&
    differenceOf(difference, new Map(Object.entries(suspicion.difference)), clock).size === 0;
  if (!isTheSame) {
    const found = { at: now, difference: Object.fromEntries(difference) };
    return { verdict: "different", size, isToBePutRight: false, suspicion: found };
  }
  const isToBePutRight = now - suspicion.at >= CONFIRMED_AFTER_MS;
  return { verdict: "different", size, isToBePutRight, suspicion: isToBePutRight ? undefined : suspicion };
};
