/** The health part of a site's status, with Geo's field names and texts. */
export interface Health {
  readonly healthy: boolean;
  /** `Healthy`, or everything that is wrong. */
  readonly health: string;
  /** `Disabled`, Geo's badge, of a site that is paused and has nothing else to complain of. */
  readonly health_status: "Healthy" | "Unhealthy" | "Disabled";
}

/** What is older says nothing of a site any more: Geo's bound, milliseconds. */
export const STATUS_STALE_MS = 60 * 60 * 1_000;

/** Who a status is asked of: the site itself, or the primary, which has what a secondary reported. */
export type HealthSource = "own" | "reported";

const MS_PER_MINUTE = 60_000;

/**
 * What is wrong with a status that is that old; nothing when it is young enough. A clock that is a little ahead makes none
 * old. One from more than an hour ahead tells as little of now as one from an hour ago.
 */
const stalenessOf = (source: HealthSource, gatheredAt: number | undefined, now: number): readonly string[] => {
  if (gatheredAt === undefined || Math.abs(now - gatheredAt) < STATUS_STALE_MS) return [];
  if (gatheredAt > now) {
    return [`The status of the site has a time that is still to come, ${new Date(gatheredAt).toISOString()}.`];
  }
  const what = source === "own" ? "gathered its status" : "reported its status";
  const minutes = Math.floor((now - gatheredAt) / MS_PER_MINUTE);
  return [`The site has not ${what} for ${minutes} minutes; it last did at ${new Date(gatheredAt).toISOString()}.`];
};

/**
 * Whether a site is healthy.
 *
 * @param problems what is wrong, in sentences for people
 * @param gatheredAt when the status was last gathered, milliseconds since the epoch; undefined: never, as with a site that
 * has just been deployed and answers for itself
 * @param enabled false: the site is paused, which is what somebody wants and no outage
 */
export const assessHealth = (
  problems: readonly string[],
  source: HealthSource,
  gatheredAt: number | undefined,
  now: number,
  enabled = true,
): Health => {
  const all = [...problems, ...stalenessOf(source, gatheredAt, now)];
  return all.length === 0
    ? { healthy: true, health: "Healthy", health_status: enabled ? "Healthy" : "Disabled" }
    : { healthy: false, health: all.join(" "), health_status: "Unhealthy" };
};
