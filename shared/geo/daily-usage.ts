import { ROW_OUTCOMES, type RowOutcome } from "./row-outcomes.ts";

/**
 * A site's ledger: what its counters stood at when each UTC day began, so that differences tell how much was done on which day.
 * Counters only grow, and nothing but a put a day keeps the ledger. Pure.
 */

export const DAY_MS = 24 * 60 * 60 * 1_000;

/** A day of the ledger is kept so long, in days: a year, and a month to compare with the year before. */
export const USAGE_KEPT_DAYS = 400;

/** Days that are told when nobody says how many. */
export const USAGE_DAYS_DEFAULT = 30;

/** How late the first look of a day may be for the day to count as whole: a site looks at itself each minute. */
const FIRST_LOOK_MS = 15 * 60 * 1_000;

/** What the counters of one type stood at. */
export interface TypeTotals {
  /** Objects that are there, and their bytes. */
  readonly rows: number;
  readonly bytes: number;
  /** Changes of rows since the counters began. */
  readonly changes: number;
  /** How often what became of rows since then. */
  readonly outcomes: Readonly<Record<RowOutcome, number>>;
}

/** What all counters of a site stood at. */
export interface UsageSnapshot {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** By the name of the type; one that has never had anything is not in it. */
  readonly types: ReadonlyMap<string, TypeTotals>;
}

/** The UTC day of a time: `2026-11-21`. */
export const dayOf = (at: number): string => new Date(at).toISOString().slice(0, "2026-11-21".length);

/** The beginning of the day of a time. */
export const dayBegan = (at: number): number => Math.floor(at / DAY_MS) * DAY_MS;

/** What was done of one type in a period. */
export interface TypeUsage {
  readonly replicable_name: string;
  readonly synced_count: number;
  readonly failed_count: number;
  readonly verified_count: number;
  readonly verification_failed_count: number;
  readonly removed_count: number;
  /** Changes of rows, each of which is a write. */
  readonly changes_count: number;
  /** Objects at the end of the period, and their bytes. */
  readonly objects_count: number;
  readonly bytes: number;
}

/** What was done from one look to another. */
export interface UsagePeriod {
  /** The UTC day that it begins with. */
  readonly date: string;
  readonly from: string;
  readonly until: string;
  /** Days from its beginning to its end, at least one: more where a site did not look at itself for a day. */
  readonly days_count: number;
  /** Whether it is over, and all of its days are in it. */
  readonly complete: boolean;
  /** The types of which anything was done; a type that has objects and did nothing is there as well. */
  readonly types: readonly TypeUsage[];
}

/** The answer of `GET …/:id/usage`. */
export interface UsageAnswer {
  readonly name: string;
  readonly primary: boolean;
  readonly as_of: string;
  readonly days: readonly UsagePeriod[];
}

const NOTHING: TypeTotals = {
  rows: 0,
  bytes: 0,
  changes: 0,
  outcomes: { synced: 0, failed: 0, verified: 0, verification_failed: 0, removed: 0 },
};

/** Counters grow; where one is smaller than it was, a table was restored, and what it lost was not done. */
const grown = (before: number, after: number): number => Math.max(0, after - before);

const typeUsage = (replicableName: string, before: TypeTotals, after: TypeTotals): TypeUsage => {
  const outcome = (name: RowOutcome): number => grown(before.outcomes[name], after.outcomes[name]);
  return {
    replicable_name: replicableName,
    synced_count: outcome("synced"),
    failed_count: outcome("failed"),
    verified_count: outcome("verified"),
    verification_failed_count: outcome("verification_failed"),
    removed_count: outcome("removed"),
    changes_count: grown(before.changes, after.changes),
    objects_count: after.rows,
    bytes: after.bytes,
  };
};

/** Whether a look was the first of its day. */
const beganItsDay = (at: number): boolean => at - dayBegan(at) < FIRST_LOOK_MS;

const periodOf = (from: UsageSnapshot, until: UsageSnapshot, isOver: boolean): UsagePeriod => ({
  date: dayOf(from.at),
  from: new Date(from.at).toISOString(),
  until: new Date(until.at).toISOString(),
  days_count: Math.max(1, Math.round((dayBegan(until.at) - dayBegan(from.at)) / DAY_MS)),
  complete: isOver && beganItsDay(from.at) && beganItsDay(until.at),
  types: [...until.types]
    .map(([name, totals]) => typeUsage(name, from.types.get(name) ?? NOTHING, totals))
    .toSorted((left, right) => (left.replicable_name < right.replicable_name ? -1 : 1)),
});

/**
 * What was done day by day: from each look of the ledger to the next, and from the last one until now.
 * @param ledger oldest first
 */
export const usagePeriods = (ledger: readonly UsageSnapshot[], now: UsageSnapshot): readonly UsagePeriod[] =>
  ledger.map((from, place) => {
    const next = ledger[place + 1];
    return next === undefined ? periodOf(from, now, false) : periodOf(from, next, true);
  });

/** What is wrong with `days` in a query, or how many are meant. */
export const parseUsageDays = (asked: string | undefined): { readonly days: number } | { readonly problem: string } => {
  if (asked === undefined) return { days: USAGE_DAYS_DEFAULT };
  const days = /^\d{1,3}$/.test(asked) ? Number(asked) : 0;
  return days >= 1 && days <= USAGE_KEPT_DAYS
    ? { days }
    : {
        problem: `days: expected a number from 1 to ${USAGE_KEPT_DAYS}, got ${JSON.stringify(asked).slice(0, 100)}`,
      };
};

/** How the ledger's item holds a type: rows, bytes, changes, and then each outcome in the order of `ROW_OUTCOMES`. */
export const packTotals = ({ rows, bytes, changes, outcomes }: TypeTotals): readonly number[] => [
  rows,
  bytes,
  changes,
  ...ROW_OUTCOMES.map((outcome) => outcomes[outcome]),
];

/** Reads it back. An outcome that was not counted yet when it was written was 0. */
export const unpackTotals = ([rows = 0, bytes = 0, changes = 0, ...outcomes]: readonly number[]): TypeTotals => ({
  rows,
  bytes,
  changes,
  // The entries are of every outcome.
  outcomes: Object.fromEntries(ROW_OUTCOMES.map((name, place) => [name, outcomes[place] ?? 0])) as Record<
    RowOutcome,
    number
  >,
});
