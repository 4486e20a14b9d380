import * as z from "zod/mini";

/** Environment of the event-consumer: makes a secondary's objects equal to the primary's. */
export const env = z.object({
  SITE_NAME: z.string().check(z.minLength(1)),
  /** Account that must own both buckets; every S3 call says so (`ExpectedBucketOwner`). */
  ACCOUNT_ID: z.string().check(z.regex(/^\d{12}$/)),
  PRIMARY_BUCKET: z.string().check(z.minLength(3)),
  PRIMARY_REGION: z.string().check(z.minLength(1)),
  REPLICA_BUCKET: z.string().check(z.minLength(3)),
  REGISTRY_TABLE: z.string().check(z.minLength(1)),
  /** The primary's verification-state table, read in the primary's region. */
  PRIMARY_STATE_TABLE: z.string().check(z.minLength(1)),
  /** Name of this site's verification queue. */
  VERIFICATION_QUEUE: z.string().check(z.minLength(1)),
  /** Name of the dead-letter queue of the geo-events queue: unreadable messages are parked there with their reason. */
  PARKING_QUEUE: z.string().check(z.minLength(1)),
  REPLICABLES: z.string().check(z.minLength(2)),
  /** This function's timeout in seconds; leases and quarantines are derived from it. 1 to 900. */
  TIMEOUT_SECONDS: z.string().check(z.regex(/^\d{1,3}$/)),
});
