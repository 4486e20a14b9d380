import { REPLICATION_STATE } from "./replication-state.ts";
import { LAG_PARTS, type LagFigures, type LagHistogram, type LagPart } from "./type-summary.ts";
import { VERIFICATION_STATE } from "./verification-state.ts";

/**
 * How long writes on the primary take until their replicas are verified, from changes of rows. A histogram only grows, by one
 * for each version that is verified for the first time; what happened within an hour is the difference of two. Pure.
 */

/** Upper bound of the first bucket; each further one is larger by the square root of two. */
const FIRST_BOUND_MS = 250;

/** The last bucket, whose upper bound is 8.5 years. What takes longer is counted in it. */
const LAST_BUCKET = 60;

/** The first bucket whose bound is beyond seven days: the last that is told one by one. */
const LAST_TOLD_BUCKET = 43;

/** The bucket of a duration. */
export const bucketOf = (ms: number): number => {
  if (!(ms > FIRST_BOUND_MS)) return 0;
  // A bound belongs to its own bucket, whatever the logarithm's last digit says.
  const bucket = Math.ceil(2 * Math.log2(ms / FIRST_BOUND_MS) - 1e-9);
  return Math.min(LAST_BUCKET, bucket);
};

/** Upper bound of a bucket, milliseconds. */
export const boundOf = (bucket: number): number => FIRST_BOUND_MS * 2 ** (bucket / 2);

/** Above this a version was old before this site heard of it: it is history that is made up for, and says nothing of lag. */
const OLD_WHEN_HEARD_OF_MS = 24 * 60 * 60 * 1_000;

/** A row as a stream tells it. */
type Image = Readonly<Record<string, unknown>>;

const isVerified = (row: Image): boolean =>
  row["state"] === REPLICATION_STATE.synced && row["verification_state"] === VERIFICATION_STATE.succeeded;

const timeIn = (row: Image, column: string): number | undefined => {
  const value = row[column];
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
};

const span = (from: number, to: number): number => Math.max(0, to - from);

/**
 * How long a version took that a change shows to be verified for the first time; nothing for every other change, and nothing
 * for versions that were older than a day when the site last heard of them (backfilled, found by a walk, or held up on their
 * way for that long). Milliseconds; parts are not below zero, since two regions' clocks differ and S3 tells whole seconds.
 */
export const lagOf = (
  before: Image | undefined,
  after: Image | undefined,
): Readonly<Record<LagPart, number>> | undefined => {
  if (before === undefined || after === undefined || !isVerified(after)) return undefined;
  const isNew = before["src_version_id"] !== after["src_version_id"] || before["unproven"] === true;
  if (!isNew || after["src_version_id"] === undefined) return undefined;
  const written = timeIn(after, "src_last_modified");
  const heard = timeIn(after, "last_event_at");
  const begun = timeIn(after, "attempt_started_at");
  const copied = timeIn(after, "last_synced_at");
  const verified = timeIn(after, "verified_at");
  if (written === undefined || heard === undefined || begun === undefined) return undefined;
  if (copied === undefined || verified === undefined || heard - written > OLD_WHEN_HEARD_OF_MS) return undefined;
  return {
    total: span(written, verified),
    notify: span(written, heard),
    queue: span(heard, begun),
    copy: span(begun, copied),
    verify: span(copied, verified),
  };
};

/** Versions by bucket. */
export type Buckets = ReadonlyMap<number, number>;

/** A histogram as it is counted. */
export interface CountedLag {
  readonly buckets: Buckets;
  readonly sumMs: number;
}

/** Buckets of every part. */
export type LagBuckets = Readonly<Record<LagPart, Buckets>>;

/** Makes a record of every part. */
export const eachPart = <Value>(make: (part: LagPart) => Value): Readonly<Record<LagPart, Value>> => ({
  total: make("total"),
  notify: make("notify"),
  queue: make("queue"),
  copy: make("copy"),
  verify: make("verify"),
});

/** How many are in a bucket. */
type InBucket = readonly [bucket: number, count: number];

const ascending = (buckets: Buckets): readonly InBucket[] =>
  [...buckets].filter(([, count]) => count > 0).sort(([left], [right]) => left - right);

/** A duration below which a share of all lies: within its bucket they are taken to be spread evenly. */
const quantile = (below: readonly InBucket[], last: InBucket, count: number, share: number): number => {
  const wanted = share * count;
  let [bucket, inIt] = last;
  let before = count - inIt;
  for (const [lower, inLower] of below.toReversed()) {
    if (before < wanted) break;
    [bucket, inIt] = [lower, inLower];
    before -= inLower;
  }
  const from = bucket === 0 ? 0 : boundOf(bucket - 1);
  return Math.round(from + ((wanted - before) / inIt) * (boundOf(bucket) - from));
};

/** What a histogram comes to; nothing when nothing is in it. */
export const figuresOf = (buckets: Buckets): LagFigures | undefined => {
  const sorted = ascending(buckets);
  const last = sorted.at(-1);
  if (last === undefined) return undefined;
  const below = sorted.slice(0, -1);
  const count = sorted.reduce((sum, [, inIt]) => sum + inIt, 0);
  return {
    count,
    p50Ms: quantile(below, last, count, 0.5),
    p99Ms: quantile(below, last, count, 0.99),
    maxMs: Math.round(boundOf(last[0])),
  };
};

/** A histogram with every bound up to a little more than seven days, as Prometheus takes it. */
export const cumulative = ({ buckets, sumMs }: CountedLag): LagHistogram => {
  if (ascending(buckets).length === 0) return { buckets: [], count: 0, sumSeconds: 0 };
  const told: { readonly upToSeconds: number; readonly count: number }[] = [];
  let count = 0;
  for (let bucket = 0; bucket <= LAST_TOLD_BUCKET; bucket += 1) {
    count += Math.max(0, buckets.get(bucket) ?? 0);
    told.push({ upToSeconds: Number((boundOf(bucket) / 1_000).toPrecision(6)), count });
  }
  for (let bucket = LAST_TOLD_BUCKET + 1; bucket <= LAST_BUCKET; bucket += 1) count += buckets.get(bucket) ?? 0;
  return { buckets: told, count, sumSeconds: sumMs / 1_000 };
};

/** Adds up histograms. */
export const sumBuckets = (histograms: readonly Buckets[]): Buckets => {
  const sums = new Map<number, number>();
  for (const [bucket, count] of histograms.flatMap((buckets) => [...buckets])) {
    sums.set(bucket, (sums.get(bucket) ?? 0) + count);
  }
  return sums;
};

/** What one histogram has more than an earlier one of its own; where it has less, the counters began anew. */
export const growth = (now: Buckets, then: Buckets): Buckets =>
  new Map(
    [...now].flatMap(([bucket, count]) => {
      const more = count - (then.get(bucket) ?? 0);
      return more > 0 ? [[bucket, more] as const] : [];
    }),
  );

const RADIX = 36;

/** A histogram in few characters: its first bucket, then count after count, nothing for none. `""` when it is empty. */
export const packBuckets = (buckets: Buckets): string => {
  const sorted = ascending(buckets);
  const [first, last] = [sorted[0]?.[0], sorted.at(-1)?.[0]];
  if (first === undefined || last === undefined) return "";
  const counts = Array.from({ length: last - first + 1 }, (_, offset) => buckets.get(first + offset) ?? 0);
  return [first, ...counts].map((count) => (count > 0 ? count.toString(RADIX) : "")).join(",");
};

/** What `packBuckets` packed. */
export const unpackBuckets = (packed: string): Buckets => {
  const [first = "", ...counts] = packed.split(",");
  const from = first === "" ? 0 : Number.parseInt(first, RADIX);
  return new Map(
    counts.flatMap((count, offset) => (count === "" ? [] : [[from + offset, Number.parseInt(count, RADIX)] as const])),
  );
};

/** All parts, in order, packed. */
export const packLag = (lag: LagBuckets): string => LAG_PARTS.map((part) => packBuckets(lag[part])).join(";");

/** What `packLag` packed. */
export const unpackLag = (packed: string): LagBuckets => {
  const parts = packed.split(";");
  return eachPart((part) => unpackBuckets(parts[LAG_PARTS.indexOf(part)] ?? ""));
};
