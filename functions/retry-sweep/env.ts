import * as z from "zod/mini";

/** Environment of the retry sweep: sends what is due back to the queues. Runs at both kinds of site. */
export const env = z.object({
  SITE_NAME: z.string().check(z.minLength(1)),
  ROLE: z.enum(["primary", "secondary"]),
  /** The table whose due index is drained: the registry at a secondary, the verification state at the primary. */
  TABLE: z.string().check(z.minLength(1)),
  /** This site's own table: which types' retries are held back, and which execution drains a type. */
  SITE_TABLE: z.string().check(z.minLength(1)),
  /** Queue that due rows are sent to: geo-events at a secondary, checksum at the primary. */
  EVENTS_QUEUE: z.string().check(z.minLength(1)),
  /** ARN of the state machine that drains what is too much for one run of the function. */
  STATE_MACHINE_ARN: z.string().check(z.minLength(1)),
  /** Region of the primary, where the feature flags are. */
  PRIMARY_REGION: z.string().check(z.minLength(1)),
  /** The primary's own table, where the feature flags of all sites are. */
  PRIMARY_SITE_TABLE: z.string().check(z.minLength(1)),
  REPLICABLES: z.string().check(z.minLength(2)),
});
