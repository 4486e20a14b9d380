/**
 * When to try again: GitLab Geo's curve (its `Delay`), in seconds. Attempt n waits n⁴ + 15 seconds and a random part of up
 * to 29 × (n + 1); the wait is capped, and the cap carries the jitter of a first attempt, so that a crowd that failed
 * together does not come back together.
 */

/** Cap for ordinary failures, seconds. */
export const RETRY_CAP_SECONDS = 3_600;
/** Cap while the object is missing on the primary, seconds: nothing will change soon. */
export const RETRY_CAP_MISSING_SECONDS = 14_400;

/** Geo's `rand(30)`: a whole number from 0 to 29. */
const jitter = (random: () => number): number => Math.floor(random() * 30);

/** The uncapped wait of attempt `n` (1 or more), in seconds. */
const delaySeconds = (n: number, random: () => number): number => n ** 4 + 15 + jitter(random) * (n + 1);

/**
 * Milliseconds to wait after failure number `failures`.
 * @param failures how often it has failed in a row, 1 or more; anything lower counts as 1
 * @param random uniform in [0, 1)
 * @param capSeconds `RETRY_CAP_SECONDS` or `RETRY_CAP_MISSING_SECONDS`
 */
export const retryDelayMs = (
  failures: number,
  random: () => number,
  capSeconds: number = RETRY_CAP_SECONDS,
): number => {
  const n = Math.max(1, Math.floor(failures));
  return 1_000 * Math.min(delaySeconds(n, random), capSeconds + delaySeconds(1, random));
};
