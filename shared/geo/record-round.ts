import { REVERIFICATION_DAYS } from "./site-settings.ts";

/**
 * Rounds through all records of a type, which look for those whose objects will soon have to be read again (F30). A record
 * has to be listed before its time, and is not to be listed much sooner, or objects that do not live that long would pay.
 */

const DAY_MS = 24 * 60 * 60 * 1_000;

/** A round a week finds everything in time, where an object is read again after two weeks or more. */
const ROUND_MS_MAX = 7 * DAY_MS;

/** How far a round through the records of one type has come. */
export interface RecordRound {
  /** The partition to go on from; undefined between two rounds. */
  readonly partition: number | undefined;
  /** When the last round ended, milliseconds since the epoch; a type that is seen for the first time has nothing old. */
  readonly finishedAt: number;
}

/**
 * Milliseconds from the end of one round to the beginning of the next.
 * @param days after which objects are read again (`minimum_reverification_interval`)
 */
export const roundEveryMs = (days: number): number =>
  Math.min(ROUND_MS_MAX, (Math.max(REVERIFICATION_DAYS.least, days) * DAY_MS) / 2);

/**
 * Before which time an object was verified whose time comes before the next round could list it: two rounds ahead, since one
 * may take as long as it waits for the next.
 * @param days as for `roundEveryMs`
 */
export const listedBefore = (days: number, now: number): number => now - days * DAY_MS + 2 * roundEveryMs(days);

/** Whether a type's round goes on, or its next one begins. */
export const isRoundDue = ({ partition, finishedAt }: RecordRound, days: number, now: number): boolean =>
  partition !== undefined || now - finishedAt >= roundEveryMs(days);
