import * as z from "zod/mini";

const bytes = (least: number, most: number) =>
  z.string().check(
    z.regex(/^[1-9]\d{0,15}$/),
    z.refine((text) => Number(text) >= least && Number(text) <= most, `expected bytes, ${least} to ${most}`),
  );

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
  /** The primary's own table, where the feature flags of all sites are. */
  PRIMARY_SITE_TABLE: z.string().check(z.minLength(1)),
  REPLICABLES: z.string().check(z.minLength(2)),
  /** This site's own table: its role and epoch, the removal guard, and the counts that the guard's limit is made from. */
  SITE_TABLE: z.string().check(z.minLength(1)),
  /** The removal guard (`RemovalGuardPolicy`): removals an hour that are always let through. 1 or more. */
  REMOVAL_GUARD_FLOOR: z.string().check(z.regex(/^[1-9]\d{0,9}$/)),
  /** Share of a type's rows, in percent, that may be removed within an hour. 0 to 100. */
  REMOVAL_GUARD_PERCENT: z.string().check(z.regex(/^(?:100|\d{1,2}(?:\.\d{1,3})?)$/)),
  /** Removals of one type an hour that are never exceeded. 1 or more. */
  REMOVAL_GUARD_MOST: z.string().check(z.regex(/^[1-9]\d{0,9}$/)),
  /** After how long a row whose holder never came back is given up on (Geo's `blob_download_timeout`), seconds. 1 to 86400. */
  SYNC_TIMEOUT_SECONDS: z.string().check(z.regex(/^[1-9]\d{0,4}$/)),
  /** `false`: this site keeps no replicas of objects, and neither copies nor removes any (Geo's `sync_object_storage`). */
  SYNC_OBJECT_STORAGE: z.enum(["true", "false"]),
  /** Up to this many bytes an object is copied in one request, and in parts above. 5242880 (5 MiB) to 5000000000 (S3's 5 GB). */
  SINGLE_COPY_BYTES: bytes(5_242_880, 5_000_000_000),
  /** What a part usually has, bytes: a multiple of 1048576, 5242880 (5 MiB) to 5368709120 (5 GiB). */
  PART_BYTES: bytes(5_242_880, 5_368_709_120),
  /** ARN of the state machine that copies the largest objects. */
  LARGE_COPY_MACHINE: z.string().check(z.regex(/^arn:[\w-]+:states:[\w-]+:\d{12}:stateMachine:[\w-]+$/)),
  /** From how many bytes on an object is left to it. 5242880 or more. */
  LARGE_COPY_BYTES: bytes(5_242_880, Number.MAX_SAFE_INTEGER),
  /** How many of these functions may run at once, over all queues that they read: a site's capacity is divided by it. 1 to 2000. */
  WORKERS_MAX: z.string().check(z.regex(/^[1-9]\d{0,3}$/)),
  /** This function's timeout in seconds; leases and quarantines are derived from it. 1 to 900. */
  TIMEOUT_SECONDS: z.string().check(z.regex(/^\d{1,3}$/)),
});
