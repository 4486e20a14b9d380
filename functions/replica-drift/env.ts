import * as z from "zod/mini";

/** Environment of the secondary's replica-drift function: notices what others change in the bucket of replicas. */
export const env = z.object({
  SITE_NAME: z.string().check(z.minLength(1)),
  /** Account that must own the bucket. */
  ACCOUNT_ID: z.string().check(z.regex(/^\d{12}$/)),
  /** Notifications about any other bucket are parked. */
  REPLICA_BUCKET: z.string().check(z.minLength(3)),
  REGISTRY_TABLE: z.string().check(z.minLength(1)),
  /** Name of this site's geo-events queue: keys that have to be looked at are named there. */
  EVENTS_QUEUE: z.string().check(z.minLength(1)),
  /** Name of the dead-letter queue of the drift queue: unreadable messages are parked there with their reason. */
  PARKING_QUEUE: z.string().check(z.minLength(1)),
  PRIMARY_REGION: z.string().check(z.minLength(1)),
  /** The primary's own table, where the feature flags of all sites are. */
  PRIMARY_SITE_TABLE: z.string().check(z.minLength(1)),
  REPLICABLES: z.string().check(z.minLength(2)),
  /** This function's timeout in seconds. 1 to 900. */
  TIMEOUT_SECONDS: z.string().check(z.regex(/^\d{1,3}$/)),
});
