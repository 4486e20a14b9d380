/**
 * The removal guard (R29): how many replicas of one type a site hides within an hour before it stops and asks. An emptied
 * or a wrong bucket on the primary looks, key by key, like people deleting their files; only the number tells.
 */

/** When the guard holds removals back. */
export interface RemovalGuardPolicy {
  /** So many removals an hour are always let through, however few rows the type has. */
  readonly floor: number;
  /** Share of the type's rows, in percent, that may go within an hour. */
  readonly percent: number;
  /** Never more than this an hour, however many rows the type has. */
  readonly most: number;
}

/** What an installation gets that says nothing: a clean-up of a small type passes, a lost bucket does not. */
export const REMOVAL_GUARD_DEFAULT: RemovalGuardPolicy = { floor: 100, percent: 5, most: 10_000 };

/** Bounds of what may be configured. */
export const REMOVAL_GUARD_BOUNDS = {
  floor: { least: 1, most: 1_000_000_000 },
  percent: { least: 0, most: 100 },
  most: { least: 1, most: 1_000_000_000 },
} as const;

/** How many removals of a type an hour may see that begins with `rows` rows of it. */
export const removalLimit = (rows: number, policy: RemovalGuardPolicy): number =>
  Math.max(policy.floor, Math.min(policy.most, Math.floor((rows * policy.percent) / 100)));

/** Bounds of an operator's release. */
export const RELEASE_BOUNDS = {
  removals: { least: 1, most: 1_000_000_000 },
  minutes: { least: 1, most: 7 * 24 * 60 },
} as const;

/** How long a release holds of which nobody said so, minutes: twice as long as a removal waits for its retry. */
export const RELEASE_MINUTES_DEFAULT = 60;

/** What a site's guard of one type stands at. */
export interface RemovalGuard {
  readonly replicableName: string;
  /** When the present hour began, milliseconds since the epoch. */
  readonly windowStartedAt: number;
  /** Removals let through in it. */
  readonly removals: number;
  /** How many it may see. */
  readonly limit: number;
  /** Since when removals are held back; absent while they are not. */
  readonly pausedAt?: number;
  /** What is left of an operator's release, and until when it holds. */
  readonly release?: { readonly removals: number; readonly until: number };
  /**
   * Until when nothing but a release lets removals through: an hour longer than the last release holds, or what is beyond
   * it would go on with a fresh limit instead of being held back again.
   */
  readonly releaseOnlyUntil?: number;
}

/** What an operator is told in the row of a removal that is held back. */
export const heldBackText = (guard: Pick<RemovalGuard, "limit" | "replicableName">): string =>
  `more than ${guard.limit} objects of ${guard.replicableName} would be removed within an hour; release the guard if that is wanted`;
