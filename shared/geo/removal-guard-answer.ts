import { GUARDED_RETRY_MIN_MS, GUARDED_RETRY_SPREAD_MS } from "./limits.ts";
import type { RemovalGuard } from "./removal-guard.ts";

/** What the API tells of the guard of a type. Times: ISO 8601, UTC. */
export interface RemovalGuardAnswer {
  readonly replicable_name: string;
  /** Removals let through in the hour that began at `window_started_at`; as many as `limit` after a release. */
  readonly removals: number;
  /** How many that hour may see. Null for a type that has never removed anything: its first removal sets it. */
  readonly limit: number | null;
  /** The next removal after an hour from then begins a new one. After a release: when the release ends. */
  readonly window_started_at: string | null;
  /** Since when removals are held back; null while they are not. */
  readonly paused_at: string | null;
  /** What is left of an operator's release, and until when it holds; null when nothing is. */
  readonly release: { readonly removals: number; readonly until: string } | null;
}

/** The answer to a release: the guard as it is then, and when the removals that wait will have come again. */
export interface ReleaseAnswer extends RemovalGuardAnswer {
  /** Each row that was held back is tried again within so many seconds and a sweep, or at once when its key is touched. */
  readonly retried_within_seconds: number;
}

const iso = (time: number | undefined): string | null => (time === undefined ? null : new Date(time).toISOString());

/** @param guard nothing for a type that has never removed anything */
export const removalGuardAnswer = (
  replicableName: string,
  guard: RemovalGuard | undefined,
  now: number,
): RemovalGuardAnswer => {
  const release = guard?.release;
  return {
    replicable_name: replicableName,
    removals: guard?.removals ?? 0,
    limit: guard?.limit ?? null,
    window_started_at: iso(guard?.windowStartedAt),
    paused_at: iso(guard?.pausedAt),
    release:
      release === undefined || release.removals <= 0 || release.until <= now
        ? null
        : { removals: release.removals, until: new Date(release.until).toISOString() },
  };
};

/** @param guard as the release left it */
export const releaseAnswer = (guard: RemovalGuard, now: number): ReleaseAnswer => ({
  ...removalGuardAnswer(guard.replicableName, guard, now),
  retried_within_seconds: (GUARDED_RETRY_MIN_MS + GUARDED_RETRY_SPREAD_MS) / 1_000,
});
