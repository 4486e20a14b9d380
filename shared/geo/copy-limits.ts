import { type ParallelLane, parallelLane } from "./checksum-policy.ts";
import { SINGLE_COPY_BYTES_MAX, writeBudgetMs } from "./limits.ts";
import { PART_LIMITS, type PartLimits } from "./part-plan.ts";

/** How objects are copied, by their size. Sizes in bytes. */
export interface CopyLimits {
  /**
   * Up to this size an object is copied in one request, and in parts above it. Up to S3's 5 GB, which is the default: one
   * request takes along everything that stands beside the bytes, and either has happened or has not.
   */
  readonly singleCopyBytesMax: number;
  readonly parts: PartLimits;
  /** Parts of one object that one function copies at the same time; the bytes go from bucket to bucket and not through it. */
  readonly partsInFlight: number;
  /** The same while the function copies another large object as well: its sockets are few. */
  readonly partsInFlightBeside: number;
  /** After so many parts at most an attempt asks again what its site is and how much time is left. */
  readonly partsPerStep: number;
}

/**
 * Sixteen parts at a time come to about a gigabyte a second between two regions, by AWS's own account of copying a terabyte
 * within a quarter of an hour; more in flight would be paid for in 503s that other keys get, too.
 */
export const COPY_LIMITS: CopyLimits = {
  singleCopyBytesMax: SINGLE_COPY_BYTES_MAX,
  parts: PART_LIMITS,
  partsInFlight: 16,
  partsInFlightBeside: 4,
  partsPerStep: 500,
};

/**
 * An upload that no row names is left alone until it is a day old: its function, which lives for a quarter of an hour at
 * most, may be about to write it down.
 */
export const UPLOAD_UNCLAIMED_MS = 24 * 60 * 60 * 1_000;

/** What an installation says of sizes, as text of its environment: bytes. */
export interface CopySizes {
  readonly SINGLE_COPY_BYTES: string;
  readonly PART_BYTES: string;
}

/** The limits of a function, from its environment. */
export const copyLimitsOf = ({ SINGLE_COPY_BYTES, PART_BYTES }: CopySizes): CopyLimits => ({
  ...COPY_LIMITS,
  singleCopyBytesMax: Number(SINGLE_COPY_BYTES),
  parts: { ...PART_LIMITS, usualBytes: Number(PART_BYTES) },
});

/** S3 says that completing an upload may take minutes; ten milliseconds for each part come to that for the largest. */
const COMPLETE_MS_PER_PART = 10;

/** How long the completion of an upload may take, milliseconds, within the limits of any write (`writeBudgetMs`). */
export const completeBudgetMs = (parts: number, functionTimeoutMs: number): number =>
  Math.min(writeBudgetMs(0, functionTimeoutMs) + parts * COMPLETE_MS_PER_PART, functionTimeoutMs / 2);

/** How a site copies, and which of its copies is the one with many parts in flight. One for a whole process. */
export interface CopyRules {
  readonly limits: CopyLimits;
  readonly lane: ParallelLane;
}

/** To be made once in a process. */
export const copyRules = (limits: CopyLimits = COPY_LIMITS): CopyRules => ({ limits, lane: parallelLane() });
