import type { CountedCell } from "./counters.ts";
import type { GeoError } from "./errors.ts";

/** What a site's counters come to, type by type, once they are added up (`shared/services/roll-up.ts`). Plain data. */

/**
 * The way of a write, from the primary to the verified replica, and what it is made of:
 *
 * - `total`: from the version's `LastModified` on the primary to its replica being verified
 * - `notify`: until the secondary counted the last hint of it
 * - `queue`: until the attempt that settled it began: zero when the hint's own did
 * - `copy`: until the replica was there
 * - `verify`: until it was read and compared; zero where one pass does both
 */
export const LAG_PARTS = ["total", "notify", "queue", "copy", "verify"] as const;
export type LagPart = (typeof LAG_PARTS)[number];

/** How long something took for most, as far as buckets a factor of the square root of two apart can tell. */
export interface LagFigures {
  /** Versions that were verified. */
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Upper bound of the bucket that the slowest is in. */
  readonly maxMs: number;
}

/** A part of the last hour, of about five minutes. */
export interface LagStep {
  /** When it ended, milliseconds since the epoch. */
  readonly until: number;
  /** From the write to the verified replica, for what was verified in it. */
  readonly figures: Pick<LagFigures, "count" | "p50Ms" | "p99Ms">;
}

/** A histogram since the counters began; it only grows. Without any buckets while nothing is in it. */
export interface LagHistogram {
  /** How many took at most so many seconds, for ascending bounds. Those above the last bound are in `count` alone. */
  readonly buckets: readonly { readonly upToSeconds: number; readonly count: number }[];
  readonly count: number;
  readonly sumSeconds: number;
}

/** Rows that have waited for a time above the last band's bound and up to this one's. */
export interface BacklogAge {
  /** Seconds; undefined for those that have waited longer than every bound. */
  readonly upToSeconds: number | undefined;
  readonly rows: number;
}

/** How the last recount of a type ended (`shared/services/counter-audit/`). */
export interface AuditVerdict {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** `unsettled`: rows changed meanwhile, and may be all that there is to it. */
  readonly verdict: "exact" | "different" | "unsettled";
  /** How far rows and counters are apart, added up over all cells; 0 for `exact`. */
  readonly difference: number;
}

/** What is known of one type at one site. */
export interface TypeSummary {
  readonly cells: readonly CountedCell[];
  /**
   * Since when the oldest row waits that is not synced, seconds since the epoch, rounded down; undefined when there is none,
   * and at a primary. Exact to the minute for some hours, to the hour for some days, to the day for two months.
   */
  readonly oldestUnsyncedTime: number | undefined;
  /** All bands, youngest first; the rows add up to those that are not synced. Empty at a primary. */
  readonly backlogAges: readonly BacklogAge[];
  /** Of what was verified for the first time within the last hour, part by part; undefined when there was nothing. */
  readonly lag: Readonly<Record<LagPart, LagFigures | undefined>>;
  /** The same, `total` alone, step by step, the oldest first; steps in which nothing was verified are left out. */
  readonly lagSteps: readonly LagStep[];
  /** Of all that was verified since the counters began. */
  readonly lagHistogram: Readonly<Record<LagPart, LagHistogram>>;
  /** Undefined before the first recount has ended. */
  readonly audit: AuditVerdict | undefined;
}

/** What the counters of a site come to. */
export interface RolledUp {
  /** When the newest change happened that was counted, milliseconds since the epoch; undefined when nothing ever was. */
  readonly asOf: number | undefined;
  /** Each of the site's types, by its name; one of which nothing was counted is there as well. */
  readonly types: ReadonlyMap<string, TypeSummary>;
  /** Why the window of the last hour could not be kept; everything else is right all the same. */
  readonly unsaved: GeoError | undefined;
}
