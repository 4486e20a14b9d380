import type { ByteRange } from "./byte-range.ts";

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

/**
 * How an object is cut into parts. All sizes in bytes. Tests give small ones, so that small objects take the paths of
 * large ones; everything else leaves them at S3's.
 */
export interface PartLimits {
  /** What a part usually has: enough that a request's overhead does not show, and little to do again. */
  readonly usualBytes: number;
  /** A part has at least so many, unless it is the last one. */
  readonly leastBytes: number;
  /** A part never has more. */
  readonly mostBytes: number;
  /** Parts have a multiple of this. */
  readonly granuleBytes: number;
  /** An upload takes no more parts. */
  readonly partsMax: number;
  /** The store takes no larger object. */
  readonly objectBytesMax: number;
}

/**
 * S3's own limits (its user guide, "Amazon S3 multipart upload limits", 2026): parts of 5 MiB to 5 GiB, at most 10,000 of
 * them, objects of up to 50 TB. Parts of 64 MiB take about a second each at the rate of one connection between regions.
 */
export const PART_LIMITS: PartLimits = {
  usualBytes: 64 * MIB,
  leastBytes: 5 * MIB,
  mostBytes: 5 * GIB,
  granuleBytes: MIB,
  partsMax: 10_000,
  objectBytesMax: 50_000_000_000_000,
};

/** An object of `size` bytes, cut into parts of `partBytes`; the last one has what is left. */
export interface PartPlan {
  readonly size: number;
  readonly partBytes: number;
  /** How many there are. They are numbered from 1. */
  readonly parts: number;
}

const roundUp = (bytes: number, granule: number): number => Math.ceil(bytes / granule) * granule;

/** A plan with parts of a given size: that of an upload which was begun before. */
export const planWith = (size: number, partBytes: number): PartPlan => ({
  size,
  partBytes,
  parts: Math.ceil(size / partBytes),
});

/**
 * Cuts an object into parts: as small as is useful, and no more of them than an upload takes.
 * @param size of the object, bytes, 1 or more
 * @returns undefined when no upload can take an object of this size
 */
export const planParts = (size: number, limits: PartLimits = PART_LIMITS): PartPlan | undefined => {
  if (size < 1 || size > limits.objectBytesMax) return undefined;
  const wanted = roundUp(Math.max(limits.usualBytes, size / limits.partsMax), limits.granuleBytes);
  const plan = planWith(size, Math.min(Math.max(wanted, limits.leastBytes), limits.mostBytes));
  return plan.parts <= limits.partsMax ? plan : undefined;
};

/** The bytes of part `number`, counted from 1. */
export const rangeOf = ({ size, partBytes }: PartPlan, number: number): ByteRange => ({
  start: (number - 1) * partBytes,
  endInclusive: Math.min(number * partBytes, size) - 1,
});

/** How many bytes part `number` has. */
export const bytesOf = (plan: PartPlan, number: number): number => {
  const { start, endInclusive } = rangeOf(plan, number);
  return endInclusive - start + 1;
};

/**
 * The numbers of the parts that are still to be copied, in their order. A part of another size than planned is none of
 * this plan's, and is copied again.
 */
export const missingParts = (
  plan: PartPlan,
  done: readonly { readonly number: number; readonly size: number }[],
): readonly number[] => {
  const right = new Set(done.filter(({ number, size }) => size === bytesOf(plan, number)).map(({ number }) => number));
  return Array.from({ length: plan.parts }, (_, index) => index + 1).filter((number) => !right.has(number));
};
