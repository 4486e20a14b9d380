import * as z from "zod/mini";

/** Environment of the status API. */
export const env = z.object({
  SITE_NAME: z.string().check(z.minLength(1)),
  ROLE: z.enum(["primary", "secondary"]),
  REGION: z.string().check(z.minLength(1)),
  /** The table with a row per object: the registry, or the primary's verification state. */
  TABLE: z.string().check(z.minLength(1)),
  /** This site's own table: its counts, its settings, its removal guards. */
  SITE_TABLE: z.string().check(z.minLength(1)),
  /** The primary's own table, where the feature flags of all sites are; a secondary only reads it. */
  PRIMARY_SITE_TABLE: z.string().check(z.minLength(1)),
  PRIMARY_REGION: z.string().check(z.minLength(1)),
  /** `false`: the site was deployed to keep no replicas of objects (Geo's `sync_object_storage`), until somebody says else. */
  SYNC_OBJECT_STORAGE: z.enum(["true", "false"]),
  /** Seconds after which a row whose worker never came back is given up on; told as Geo's `blob_download_timeout`. */
  SYNC_TIMEOUT_SECONDS: z.string().check(z.regex(/^[1-9]\d*$/)),
  /** Name of the primary, which a secondary tells of its status. */
  PRIMARY_NAME: z.string().check(z.minLength(1)),
  REPLICABLES: z.string().check(z.minLength(2)),
  /** The site's queues with their dead letters (`encodeRedrivableQueues`). */
  REDRIVABLE_QUEUES: z.string().check(z.minLength(2)),
  /** ARN of the primary's state machine of batch destroys; a secondary does not start it. */
  BATCH_DESTROY_MACHINE: z.string().check(z.regex(/^arn:.*:stateMachine:.+$/)),
  /** ARN of the state machine of bulk updates. */
  BULK_UPDATE_MACHINE: z.string().check(z.regex(/^arn:.*:stateMachine:.+$/)),
});
