import { cellOf, type RowChange, sizeOf } from "./counters.ts";
import { eachPart, bucketOf, lagOf } from "./lag-histogram.ts";
import { outcomesOf, ROW_OUTCOMES, type RowOutcome } from "./row-outcomes.ts";
import { LAG_PARTS, type LagPart } from "./type-summary.ts";
import { granuleOf, waitingSince } from "./waiting-ages.ts";

/**
 * What changes of rows add to the counter of their type, in runs that one write can hold. A counter is a set of named numbers;
 * their names are short, since a write costs by the size of the item that they stand in. Pure.
 *
 * - `c#<state>#<verification_state>` and `b#…`: rows of a cell and their bytes
 * - `w#<granule>`: rows that wait to be synced since then (`waiting-ages.ts`)
 * - `l#<part><bucket>` and `s#<part>`: versions that took so long, and milliseconds together (`lag-histogram.ts`)
 * - `o#<outcome>`: what became of rows (`row-outcomes.ts`), by the place of its name
 * - `n`: changes that were counted
 */
export const COUNTED = {
  rows: "c#",
  bytes: "b#",
  waiting: "w#",
  lag: "l#",
  lagSum: "s#",
  outcomes: "o#",
  changes: "n",
} as const;

/** The letter of a part of the lag. */
export const LAG_LETTERS: Readonly<Record<LagPart, string>> = eachPart((part) => part.slice(0, 1));

/** Additions by the name of a number. */
export type Additions = ReadonlyMap<string, number>;

const cellNumbers = (row: RowChange["before"], sign: 1 | -1): readonly (readonly [string, number])[] => {
  const cell = cellOf(row);
  if (cell === undefined) return [];
  const states = `${cell.state ?? "-"}#${cell.verificationState}`;
  return [
    [`${COUNTED.rows}${states}`, sign],
    [`${COUNTED.bytes}${states}`, sign * sizeOf(row)],
  ];
};

const waitingNumbers = (
  row: RowChange["before"],
  sign: 1 | -1,
  clock: number,
): readonly (readonly [string, number])[] => {
  const since = cellOf(row) === undefined ? undefined : waitingSince(row);
  return since === undefined ? [] : [[`${COUNTED.waiting}${granuleOf(since, clock)}`, sign]];
};

const lagNumbers = ({ before, after }: RowChange): readonly (readonly [string, number])[] => {
  const lag = lagOf(before, after);
  if (lag === undefined) return [];
  return LAG_PARTS.flatMap((part) => [
    [`${COUNTED.lag}${LAG_LETTERS[part]}${bucketOf(lag[part])}`, 1] as const,
    [`${COUNTED.lagSum}${LAG_LETTERS[part]}`, lag[part]] as const,
  ]);
};

/** Of rows that are counted: as they come to be something, or as they go. */
const outcomeNumbers = ({ before, after }: RowChange): readonly (readonly [string, number])[] => {
  const isCounted = (outcome: RowOutcome): boolean => cellOf(outcome === "removed" ? before : after) !== undefined;
  return outcomesOf(before, after)
    .filter(isCounted)
    .map((outcome) => [`${COUNTED.outcomes}${ROW_OUTCOMES.indexOf(outcome)}`, 1] as const);
};

/** What a row that is there comes to: the numbers that a recount of all rows has to find in their counter. */
export const countedIn = (
  row: Readonly<Record<string, unknown>>,
  clock: number,
): readonly (readonly [string, number])[] => [...cellNumbers(row, 1), ...waitingNumbers(row, 1, clock)];

/**
 * What one change adds; empty for one that moves its row nowhere. Whatever a row alone decides is exact at any time: what was
 * added when a row became what it is, is what is taken away when it changes.
 */
const additionsOf = (change: RowChange, clock: number): Additions => {
  const sums = new Map<string, number>();
  const numbers = [
    ...cellNumbers(change.before, -1),
    ...cellNumbers(change.after, 1),
    ...waitingNumbers(change.before, -1, clock),
    ...waitingNumbers(change.after, 1, clock),
    ...lagNumbers(change),
    ...outcomeNumbers(change),
  ];
  for (const [name, number] of numbers) sums.set(name, (sums.get(name) ?? 0) + number);
  return new Map([...sums].filter(([, sum]) => sum !== 0));
};

/** The changes that add anything to a counter. The others need no write to be counted. */
export const changesThatCount = (changes: readonly RowChange[]): readonly RowChange[] =>
  changes.filter((change) => additionsOf(change, 0).size > 0);

/** Whether one sequence number comes after another; everything comes after none. They are longer than a double holds. */
export const isAfter = (sequenceNumber: string, mark: string | undefined): boolean =>
  mark === undefined || BigInt(sequenceNumber) > BigInt(mark);

/**
 * Most numbers in one write. DynamoDB takes 4 KB of expression and 300 operators in it; a number costs an addition of about
 * 11 characters.
 */
export const NUMBERS_PER_WRITE_MAX = 200;

/** A run of changes that is counted by one write. */
export interface Slice {
  /** What to add; numbers in which everything cancels out are left out. */
  readonly additions: Additions;
  /** The last change in it: the high-water mark once it is written. */
  readonly last: RowChange;
  readonly counted: number;
  /** What comes after it. */
  readonly rest: readonly RowChange[];
}

/** What a run of changes is cut by. */
export interface SliceBounds {
  /** The last change that was counted; undefined when none was. */
  readonly mark: string | undefined;
  /** The clock of waiting rows (`waiting-ages.ts`), milliseconds since the epoch. Default: 0, to the minute. */
  readonly clock?: number;
  readonly numbersMax?: number;
}

/**
 * The longest run of changes beyond the mark that one write can count; nothing when every change has been counted. Changes at
 * or below the mark were counted by an earlier delivery and are passed over: that is the whole defence against redelivery,
 * split batches and a crash between the write and its acknowledgement.
 */
export const nextSlice = (
  changes: readonly RowChange[],
  { mark, clock = 0, numbersMax = NUMBERS_PER_WRITE_MAX }: SliceBounds,
): Slice | undefined => {
  const sums = new Map<string, number>();
  let last: RowChange | undefined;
  let counted = 0;
  let position = 0;
  for (const change of changes) {
    if (isAfter(change.sequenceNumber, last?.sequenceNumber ?? mark)) {
      const additions = additionsOf(change, clock);
      const added = [...additions.keys()].filter((name) => !sums.has(name)).length;
      if (sums.size + added > numbersMax && last !== undefined) break;
      for (const [name, number] of additions) sums.set(name, (sums.get(name) ?? 0) + number);
      last = change;
      counted += 1;
    }
    position += 1;
  }
  if (last === undefined) return undefined;
  const additions = new Map([...sums].filter(([, sum]) => sum !== 0));
  return { additions, last, counted, rest: changes.slice(position) };
};
