import type { SiteStatusAnswer } from "../shared/client/contract.ts";
import { type TypeNames } from "./type-names.ts";
import { typeOf } from "./types.ts";

/** What a site's status says of its types, as bars show it. */

/** A bar: of `total`, so many are done, so many failed, and the rest is queued. */
export interface Bar {
  readonly total: number;
  readonly done: number;
  readonly failed: number;
  readonly queued: number;
}

/** A bar, or in words why there is none. */
export type Progress = Bar | "disabled" | "empty";

/** One five-minute step of the last hour. */
export interface LagStep {
  /** When it ended, milliseconds since the epoch. */
  readonly at: number;
  /** Replicas that were verified in it. */
  readonly count: number;
  /** Seconds from the write to the verified replica, for half of them and for 99 of 100. */
  readonly p50: number;
  readonly p99: number;
}

export interface TypeProgress {
  readonly type: TypeNames;
  /** Of a secondary: copies. Of a primary there are none. */
  readonly sync: Progress;
  /** Of a secondary: verified replicas. Of a primary: checksums. */
  readonly verification: Progress;
  /** Objects, or registry rows. */
  readonly count: number;
  readonly bytes: number;
  /** Seconds, of the last hour; undefined when nothing was verified in it. */
  readonly lag: { readonly p50: number; readonly p99: number } | undefined;
  readonly lagSteps: readonly LagStep[];
  /** Since when the oldest waits that is not synced, milliseconds since the epoch. */
  readonly oldestUnsynced: number | undefined;
}

const FIRST_FIELD = /^(.+)_verified_in_percentage$/;

/** The plurals of all types that a status speaks of. */
const pluralsOf = (status: SiteStatusAnswer): readonly string[] =>
  Object.keys(status).flatMap((field) => FIRST_FIELD.exec(field)?.[1] ?? []);

const barOf = (total: number | undefined, done: number | undefined, failed: number | undefined): Progress => {
  if (total === undefined) return "disabled";
  if (total === 0) return "empty";
  const [sure = 0, wrong = 0] = [done, failed];
  return { total, done: sure, failed: wrong, queued: Math.max(0, total - sure - wrong) };
};

/** A step as the status tells it. */
interface ToldStep extends Omit<LagStep, "at"> {
  readonly until: string;
}

const isSteps = (value: unknown): value is readonly ToldStep[] => Array.isArray(value);

const progressOf = (status: SiteStatusAnswer, plural: string, switchedOff: ReadonlySet<string>): TypeProgress => {
  const type = typeOf(plural);
  const number = (field: string): number | undefined => {
    const value = status[`${plural}_${field}`];
    return typeof value === "number" ? value : undefined;
  };
  const off = switchedOff.has(type.replicationFlag);
  const lag = status[`${plural}_lag`] as { readonly p50: number; readonly p99: number } | null | undefined; // LagAnswer
  const steps: unknown = status[`${plural}_lag_steps`];
  const oldest = number("oldest_unsynced_time");
  const verification = status.primary
    ? barOf(number("checksum_total_count"), number("checksummed_count"), number("checksum_failed_count"))
    : barOf(number("verification_total_count"), number("verified_count"), number("verification_failed_count"));
  return {
    type,
    sync:
      off && !status.primary
        ? "disabled"
        : barOf(number("registry_count"), number("synced_count"), number("failed_count")),
    verification,
    count: number("count") ?? 0,
    bytes: number("bytes") ?? 0,
    lag: lag ?? undefined,
    lagSteps: isSteps(steps) ? steps.map(({ until, ...step }) => ({ at: Date.parse(until), ...step })) : [],
    oldestUnsynced: oldest === undefined || oldest < 0 ? undefined : oldest * 1_000,
  };
};

/** Every type that a status speaks of, in the order of their titles. */
export const typesOf = (status: SiteStatusAnswer, switchedOff: ReadonlySet<string>): readonly TypeProgress[] =>
  pluralsOf(status)
    .map((plural) => progressOf(status, plural, switchedOff))
    .toSorted((left, right) => left.type.title.localeCompare(right.type.title, "en"));

const EMPTY: Bar = { total: 0, done: 0, failed: 0, queued: 0 };

/** All bars in one. */
export const sumOf = (bars: readonly Progress[]): Bar =>
  bars.reduce<Bar>(
    (sum, bar) =>
      typeof bar === "string"
        ? sum
        : {
            total: sum.total + bar.total,
            done: sum.done + bar.done,
            failed: sum.failed + bar.failed,
            queued: sum.queued + bar.queued,
          },
    EMPTY,
  );
