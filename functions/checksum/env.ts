import * as z from "zod/mini";

/** Environment of the primary's checksum function: keeps the verification-state table and announces checksums. */
export const env = z.object({
  SITE_NAME: z.string().check(z.minLength(1)),
  ACCOUNT_ID: z.string().check(z.regex(/^\d{12}$/)),
  PRIMARY_BUCKET: z.string().check(z.minLength(3)),
  STATE_TABLE: z.string().check(z.minLength(1)),
  /** ARN of the primary's geo-events topic. */
  GEO_EVENTS_TOPIC_ARN: z.string().check(z.startsWith("arn:")),
  /** Name of the dead-letter queue of the checksum queue. */
  PARKING_QUEUE: z.string().check(z.minLength(1)),
  /** The primary's own table, where its settings and the feature flags of all sites are. */
  PRIMARY_SITE_TABLE: z.string().check(z.minLength(1)),
  REPLICABLES: z.string().check(z.minLength(2)),
  /** How many of these functions may run at once, over all queues that they read: a site's capacity is divided by it. 1 to 2000. */
  WORKERS_MAX: z.string().check(z.regex(/^[1-9]\d{0,3}$/)),
  /** This function's timeout in seconds. 1 to 900. */
  TIMEOUT_SECONDS: z.string().check(z.regex(/^\d{1,3}$/)),
});
