import * as z from "zod/mini";

/** Environment of site-status: a site looks at itself, each minute. Runs at both kinds of site. */
export const env = z.object({
  SITE_NAME: z.string().check(z.minLength(1)),
  ROLE: z.enum(["primary", "secondary"]),
  REGION: z.string().check(z.minLength(1)),
  /** This site's own table: its counters and settings, and where its status is written. */
  SITE_TABLE: z.string().check(z.minLength(1)),
  /** Where the site's API is; others are told of it. A slash at the end is taken off. */
  API_URL: z.string().check(z.minLength(1)),
  /** The primary's own table: the feature flags of all sites, and where a secondary's status is written as well. */
  PRIMARY_SITE_TABLE: z.string().check(z.minLength(1)),
  PRIMARY_REGION: z.string().check(z.minLength(1)),
  /** Name of the primary, whose status a secondary reads. */
  PRIMARY_NAME: z.string().check(z.minLength(1)),
  /** `false`: the site was deployed to keep no replicas of objects (Geo's `sync_object_storage`), until somebody says else. */
  SYNC_OBJECT_STORAGE: z.enum(["true", "false"]),
  /** Seconds after which a row whose worker never came back is given up on; told as Geo's `blob_download_timeout`. */
  SYNC_TIMEOUT_SECONDS: z.string().check(z.regex(/^[1-9]\d*$/)),
  REPLICABLES: z.string().check(z.minLength(2)),
});
