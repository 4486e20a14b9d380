/**
 * Every physical name, from one place. Stacks of different regions never reference each other: each side derives the
 * other's names from the same configuration, so they can be deployed in any order.
 */

/** The part of a configuration that names are made of. */
export interface Installation {
  /** Prefix of every name, for example `s3-geo`. */
  readonly name: string;
  readonly account: string;
}

/** A site as far as its names go. */
export interface NamedSite {
  readonly name: string;
  readonly region: string;
}

const join = (...parts: readonly string[]): string => parts.join("-");

/** Bucket names are global to all of AWS, hence account and region in them. */
export const bucketName = (installation: Installation, site: NamedSite): string =>
  join(installation.name, site.name, installation.account, site.region);

/** Where a primary freezes what batch destroys are going to hide; global to all of AWS as well. */
export const manifestBucketName = (installation: Installation, site: NamedSite): string =>
  join(installation.name, site.name, "manifests", installation.account, site.region);

/** Names of a primary site's resources, all in the primary's region. */
export const primaryNames = (installation: Installation, site: NamedSite) => ({
  bucket: bucketName(installation, site),
  /** S3 reports changes here. */
  bucketEventsTopic: join(installation.name, site.name, "bucket-events"),
  /** The primary announces what it did itself here (`checksum_succeeded`). */
  geoEventsTopic: join(installation.name, site.name, "geo-events"),
  checksumQueue: join(installation.name, site.name, "checksum"),
  checksumDeadLetterQueue: join(installation.name, site.name, "checksum-dead-letters"),
  manifestBucket: manifestBucketName(installation, site),
  /** The state machine of batch destroys. */
  batchDestroy: join(installation.name, site.name, "batch-destroy"),
  verificationStateTable: join(installation.name, site.name, "verification-state"),
  /** The schedule that starts the verification backfill, and starts that it could not deliver. */
  verificationBackfill: join(installation.name, site.name, "verification-backfill"),
  verificationBackfillDeadLetterQueue: join(installation.name, site.name, "verification-backfill-dead-letters"),
  siteTable: join(installation.name, site.name, "site"),
});

/** Names of what a secondary needs in the primary's region: its feed. */
export const feedNames = (installation: Installation, secondary: NamedSite) => ({
  ingestQueue: join(installation.name, secondary.name, "ingest"),
  ingestDeadLetterQueue: join(installation.name, secondary.name, "ingest-dead-letters"),
});

/** Names of a secondary site's resources, all in the secondary's region. */
export const secondaryNames = (installation: Installation, site: NamedSite) => ({
  bucket: bucketName(installation, site),
  eventsQueue: join(installation.name, site.name, "geo-events"),
  eventsDeadLetterQueue: join(installation.name, site.name, "geo-events-dead-letters"),
  verificationQueue: join(installation.name, site.name, "verification"),
  verificationDeadLetterQueue: join(installation.name, site.name, "verification-dead-letters"),
  /** S3 reports changes of the replica's bucket here. */
  driftQueue: join(installation.name, site.name, "replica-drift"),
  driftDeadLetterQueue: join(installation.name, site.name, "replica-drift-dead-letters"),
  /** Keys that walks through both sides found different. */
  backfillQueue: join(installation.name, site.name, "backfill"),
  backfillDeadLetterQueue: join(installation.name, site.name, "backfill-dead-letters"),
  /** The schedule that starts the registry's consistency, and starts that it could not deliver. */
  registryConsistency: join(installation.name, site.name, "registry-consistency"),
  registryConsistencyDeadLetterQueue: join(installation.name, site.name, "registry-consistency-dead-letters"),
  /** The state machine that copies the largest objects, and the schedule of the sweep of uploads. */
  largeCopy: join(installation.name, site.name, "large-copy"),
  /** Starts of that sweep that the scheduler could not deliver. */
  largeCopyDeadLetterQueue: join(installation.name, site.name, "large-copy-dead-letters"),
  registryTable: join(installation.name, site.name, "registry"),
  siteTable: join(installation.name, site.name, "site"),
});

/** What the name of every secondary's registry is like; `*` stands for the site. */
export const registryPattern = (installation: Installation): string => join(installation.name, "*", "registry");

/** Names of what every site has, whatever its role, in the site's own region. */
export const siteNames = (installation: Installation, site: NamedSite) => ({
  /** The state machine that drains the due index, and the schedule that starts it. */
  retrySweep: join(installation.name, site.name, "retry-sweep"),
  /** Starts of the sweep that the scheduler could not deliver. */
  retrySweepDeadLetterQueue: join(installation.name, site.name, "retry-sweep-dead-letters"),
  /** The schedule that has the site gather its status, and starts of it that the scheduler could not deliver. */
  siteStatus: join(installation.name, site.name, "site-status"),
  siteStatusDeadLetterQueue: join(installation.name, site.name, "site-status-dead-letters"),
  /** Which parts of a table's stream could not be counted. */
  countersDeadLetterQueue: join(installation.name, site.name, "counters-dead-letters"),
  /** The schedule that starts the counter audit, and starts that it could not deliver. */
  counterAudit: join(installation.name, site.name, "counter-audit"),
  counterAuditDeadLetterQueue: join(installation.name, site.name, "counter-audit-dead-letters"),
  /** The state machine that resynchronizes, verifies or tries again many rows. */
  bulkUpdate: join(installation.name, site.name, "bulk-update"),
  api: join(installation.name, site.name, "api"),
  dashboard: join(installation.name, site.name),
});

/** Names of what there is once, whatever the sites. */
export const installationNames = (installation: Pick<Installation, "name">) => ({
  /** The dashboard across all sites, and its stack. No site can be called so: its stacks begin with `<name>-`. */
  overview: installation.name,
});

/** Names of the CloudFormation stacks that a site consists of. */
export const stackNames = (installation: Installation, site: NamedSite) => ({
  /** What holds data; survives everything. In the site's region. */
  storage: join(installation.name, site.name, "storage"),
  /** What can be deleted and deployed again. In the site's region. */
  site: join(installation.name, site.name),
  /** Secondaries only: what carries the primary's changes to it. In the primary's region. */
  feed: join(installation.name, site.name, "feed"),
});

/** A Lambda's name: the site it serves and the folder it lives in. */
export const functionName = (installation: Installation, site: NamedSite, folder: string): string =>
  join(installation.name, site.name, folder);

/** What Step Functions takes for the name of an execution: a subset of its rules that needs no escaping anywhere. */
export const EXECUTION_NAME = /^[\w-]{1,80}$/;

/**
 * The name of an execution. Two of one name are one execution: see `Workflow.start`.
 * @param parts what distinguishes it, for example a request's id and a number; joined by `-`
 * @throws {RangeError} when together they are no name of an execution
 */
export const executionName = (...parts: readonly (string | number)[]): string => {
  const name = parts.join("-");
  if (!EXECUTION_NAME.test(name)) {
    throw new RangeError(
      `Expected 1 to 80 letters, digits, hyphens and underscores for an execution's name, got "${name}"`,
    );
  }
  return name;
};

/** The ARN of an execution, from the ARN of its state machine. */
export const executionArn = (stateMachineArn: string, execution: string): string =>
  `${stateMachineArn.replace(":stateMachine:", ":execution:")}:${execution}`;

/** The sparse index that lists every row that is not settled. */
export const DUE_INDEX = "due";

/** The partitions of a site's own table: what a function may touch in it is granted by these. */
export const SITE_TABLE_PARTITIONS = {
  /** Counts of the site's rows. */
  counter: "counter",
  /** What was made of them last. */
  rollUp: "roll_up",
  /** How far the recounts of each type have come, and how the last one ended. */
  counterAudit: "counter_audit",
  /** The API's tokens. */
  token: "token",
  /** The secret that the API signs cursors with. */
  cursorKey: "cursor_key",
  /** What the removal guard of each type stands at. */
  removalGuard: "removal_guard",
  /** How far the registry's consistency has been walked through. */
  consistency: "consistency",
  /** The site's record of itself: role and epoch. */
  site: "site",
  /** What the retry sweep knows of each type: whether its retries are held back, and which execution drains it. */
  retrySweep: "retry_sweep",
  /** What operators want done to many rows, and how far that has come. */
  bulkUpdate: "bulk_update",
  /** Which secondaries there are; their feeds say it. */
  secondary: "secondary",
  /** Sites that the primary has heard of, from themselves or from an operator; in the primary's table alone. */
  knownSite: "known_site",
  /** Beginning of partitions, one for each site: the status that it last gathered. A site writes its own, and no other's. */
  status: "status",
  /** Calls that were made under an idempotency key, and their answers. */
  idempotency: "idempotency",
  /** Batch destroys of the primary, and which parent each of them holds. */
  destroy: "destroy",
  destroyParent: "destroy_parent",
  /** Which destroys secondaries let through their removal guards. */
  destroyRelease: "destroy_release",
  /** Beginnings of partitions, one for each destroy: its slices, and the versions that they name. */
  destroySlice: "destroy_slice",
  destroyVersions: "destroy_versions",
  /** What the site's counters stood at when each day began. */
  usage: "usage",
} as const;

/** The attribute of a site table's items after which DynamoDB takes them away, in seconds since the epoch; most have none. */
export const SITE_TABLE_TTL = "kept_until";
