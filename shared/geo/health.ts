/** The health part of a site's status, with Geo's field names and texts. */
export interface Health {
  readonly healthy: boolean;
  /** `Healthy`, or what is wrong. */
  readonly health: string;
  readonly health_status: "Healthy" | "Unhealthy";
}

/**
 * Whether a site is healthy.
 * @param problem What is wrong, for people; nothing when all is well.
 */
export const assessHealth = (problem: string | undefined): Health =>
  problem === undefined
    ? { healthy: true, health: "Healthy", health_status: "Healthy" }
    : { healthy: false, health: problem, health_status: "Unhealthy" };
