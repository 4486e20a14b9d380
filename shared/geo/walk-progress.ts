import { addFindings, type Findings, NO_FINDINGS } from "./consistency.ts";
import { encodeKey } from "./key-codec.ts";

/** How far a walk through both sides of a type has come, for whoever asks a site for its status. Pure. */

/** One walk, as far as its progress speaks of it. */
export interface WalkFacts {
  readonly reason: string;
  /** Into how many ranges it was cut. */
  readonly ranges: number;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** Absent while it goes on. */
  readonly finishedAt: number | undefined;
  /** What it found in all, once it is finished. */
  readonly findings: Findings;
}

/** One of its ranges. */
export interface RangeFacts {
  /** Undefined before its first stretch. */
  readonly seenUntil: string | undefined;
  readonly done: boolean;
  readonly findings: Findings;
}

/** The last walk of a type, or the one that goes on. */
export interface WalkProgress {
  /** `never`: none has begun yet. */
  readonly state: "never" | "under_way" | "finished";
  /** Why it was begun: `first`, `scheduled`, `asked_for` and others. */
  readonly reason: string | null;
  /** ISO 8601, UTC. */
  readonly started_at: string | null;
  readonly finished_at: string | null;
  readonly ranges_count: number;
  readonly ranges_done_count: number;
  /** Keys that either side listed. */
  readonly listed_count: number;
  readonly found_missing_count: number;
  readonly found_stale_count: number;
  readonly found_orphan_count: number;
  /** What this site's rule does not want (any more). */
  readonly found_out_of_scope_count: number;
  /** Keys that were handed over to be looked at. */
  readonly enqueued_count: number;
  /** The key up to which the first range that is not done has been seen, percent-encoded. */
  readonly position: string | null;
  /** Between 0 and 1; null when it can not be told. Below 1 until the walk is finished. */
  readonly share_done: number | null;
  /** At the pace that it has had so far; null when it can not be told. */
  readonly estimated_seconds_left: number | null;
}

const NEVER: WalkProgress = {
  state: "never",
  reason: null,
  started_at: null,
  finished_at: null,
  ranges_count: 0,
  ranges_done_count: 0,
  listed_count: 0,
  found_missing_count: 0,
  found_stale_count: 0,
  found_orphan_count: 0,
  found_out_of_scope_count: 0,
  enqueued_count: 0,
  position: null,
  share_done: null,
  estimated_seconds_left: null,
};

const MS_PER_SECOND = 1_000;

/** What is under way is not done, however the keys have grown since they were last counted. */
const SHARE_MAX_UNDER_WAY = 0.99;

const iso = (time: number): string => new Date(time).toISOString();

const countsOf = (findings: Findings) => ({
  listed_count: findings.listed,
  found_missing_count: findings.missing,
  found_stale_count: findings.stale,
  found_orphan_count: findings.orphan,
  found_out_of_scope_count: findings.outOfScope,
  enqueued_count: findings.enqueued,
});

/**
 * How much of it is done. By keys where it is known how many there are: a site that has walked before has a row of about
 * each. A first walk is measured by its ranges, of which it often has one, and nobody can tell.
 */
const shareDone = (walk: WalkFacts, listed: number, rangesDone: number, rows: number): number | null => {
  if (walk.reason !== "first" && rows > 0) return Math.min(SHARE_MAX_UNDER_WAY, listed / rows);
  return walk.ranges > 1 ? Math.min(SHARE_MAX_UNDER_WAY, rangesDone / walk.ranges) : null;
};

/**
 * @param walk undefined when there has never been one
 * @param ranges the ranges of a walk that is under way, in the order of their keys; of a finished one there are none
 * @param rows how many rows the site has of the type
 * @param now milliseconds since the epoch
 */
export const walkProgress = (
  walk: WalkFacts | undefined,
  ranges: readonly RangeFacts[],
  rows: number,
  now: number,
): WalkProgress => {
  if (walk === undefined) return NEVER;
  const begun = { reason: walk.reason, started_at: iso(walk.startedAt), ranges_count: walk.ranges };
  if (walk.finishedAt !== undefined) {
    return {
      ...NEVER,
      ...begun,
      ...countsOf(walk.findings),
      state: "finished",
      finished_at: iso(walk.finishedAt),
      ranges_done_count: walk.ranges,
      share_done: 1,
      estimated_seconds_left: 0,
    };
  }
  const found = ranges.map(({ findings }) => findings).reduce(addFindings, NO_FINDINGS);
  const done = ranges.filter((range) => range.done).length;
  const position = ranges.find((range) => !range.done)?.seenUntil;
  const share = shareDone(walk, found.listed, done, rows);
  const elapsed = Math.max(0, now - walk.startedAt) / MS_PER_SECOND;
  return {
    ...NEVER,
    ...begun,
    ...countsOf(found),
    state: "under_way",
    ranges_done_count: done,
    position: position === undefined ? null : encodeKey(position),
    share_done: share,
    estimated_seconds_left: share === null || share === 0 ? null : Math.round((elapsed * (1 - share)) / share),
  };
};
