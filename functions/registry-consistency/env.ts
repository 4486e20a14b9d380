import * as z from "zod/mini";

/** Environment of the secondary's registry-consistency function: walks through both buckets and names what differs. */
export const env = z.object({
  SITE_NAME: z.string().check(z.minLength(1)),
  /** Account that must own both buckets. */
  ACCOUNT_ID: z.string().check(z.regex(/^\d{12}$/)),
  PRIMARY_BUCKET: z.string().check(z.minLength(3)),
  PRIMARY_REGION: z.string().check(z.minLength(1)),
  REPLICA_BUCKET: z.string().check(z.minLength(3)),
  REGISTRY_TABLE: z.string().check(z.minLength(1)),
  /** This site's own table: how far each walk has come. */
  SITE_TABLE: z.string().check(z.minLength(1)),
  /** Name of this site's backfill queue: keys that have to be looked at are named there. */
  BACKFILL_QUEUE: z.string().check(z.minLength(1)),
  /** The primary's own table, where the feature flags of all sites are. */
  PRIMARY_SITE_TABLE: z.string().check(z.minLength(1)),
  REPLICABLES: z.string().check(z.minLength(2)),
  /** This function's timeout in seconds. 1 to 900. */
  TIMEOUT_SECONDS: z.string().check(z.regex(/^\d{1,3}$/)),
  /** `false`: this site keeps no replicas of objects, until an operator says otherwise. */
  SYNC_OBJECT_STORAGE: z.enum(["true", "false"]),
  /** Days from the end of one walk of a type to the beginning of the next. 1 to 365. */
  CONSISTENCY_DAYS: z.string().check(z.regex(/^[1-9]\d{0,2}$/)),
  /** Most orphans that one walk of a type hands over. 1 or more. */
  ORPHANS_PER_WALK: z.string().check(z.regex(/^[1-9]\d{0,9}$/)),
});
