import * as z from "zod/mini";

/** Environment of the primary's verification backfill: keeps its records complete, and removes those that nobody wants. */
export const env = z.object({
  SITE_NAME: z.string().check(z.minLength(1)),
  /** Account that must own the bucket. */
  ACCOUNT_ID: z.string().check(z.regex(/^\d{12}$/)),
  PRIMARY_BUCKET: z.string().check(z.minLength(3)),
  STATE_TABLE: z.string().check(z.minLength(1)),
  /** Name of the checksum queue: keys that have to be looked at are named there. */
  CHECKSUM_QUEUE: z.string().check(z.minLength(1)),
  /** The primary's own table: the feature flags of all sites, and how far each walk has come. */
  PRIMARY_SITE_TABLE: z.string().check(z.minLength(1)),
  REPLICABLES: z.string().check(z.minLength(2)),
  /** This function's timeout in seconds. 1 to 900. */
  TIMEOUT_SECONDS: z.string().check(z.regex(/^\d{1,3}$/)),
  /** Days from the end of one walk of a type to the beginning of the next. 1 to 365. */
  CONSISTENCY_DAYS: z.string().check(z.regex(/^[1-9]\d{0,2}$/)),
});
