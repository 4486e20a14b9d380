import * as z from "zod/mini";

/** Environment of the bulk-update function: walks through rows that an operator has chosen, and names them to a queue. */
export const env = z.object({
  SITE_NAME: z.string().check(z.minLength(1)),
  ROLE: z.enum(["primary", "secondary"]),
  REGION: z.string().check(z.minLength(1)),
  /** The table with a row per object: the registry, or the primary's verification state. */
  TABLE: z.string().check(z.minLength(1)),
  /** This site's own table: the requests. */
  SITE_TABLE: z.string().check(z.minLength(1)),
  /** Keys that are to be looked at are named there: a secondary's backfill queue, the primary's checksum queue. */
  LOOK_QUEUE: z.string().check(z.minLength(1)),
  /** Keys whose replicas are to be read: a secondary's verification queue. A primary names its checksum queue again. */
  VERIFICATION_QUEUE: z.string().check(z.minLength(1)),
  /** The primary's own table, where the feature flags of all sites are. */
  PRIMARY_SITE_TABLE: z.string().check(z.minLength(1)),
  PRIMARY_REGION: z.string().check(z.minLength(1)),
  REPLICABLES: z.string().check(z.minLength(2)),
  /** ARN of the machine that calls this function: one execution has another go on. */
  STATE_MACHINE: z.string().check(z.regex(/^arn:.*:stateMachine:.+$/)),
});
