import { checksumRules } from "../geo/checksum-policy.ts";
import { copyLimitsOf, copyRules, type CopySizes } from "../geo/copy-limits.ts";
import { FUSED_VERIFICATION_BYTES_MAX } from "../geo/limits.ts";
import type { Replicable } from "../geo/replicable.ts";
import type { SiteSettings } from "../geo/site-settings.ts";
import type { Clock } from "../ports/clock.ts";
import type { DestroyedReader } from "../ports/destroy.ts";
import type {
  LateReader,
  ScopeReader,
  SecondarySite,
  SiteBase,
  StandingReader,
  SwitchReader,
  VerifyingSite,
} from "../ports/site.ts";
import type { Table } from "../ports/table.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import { dynamoClient, s3PartCopier, s3Reader, s3Writer, sqsClient } from "./clients.ts";
import { Deadline } from "./deadline.ts";
import { DynamoTable } from "./dynamo-table.ts";
import { S3Bucket } from "./s3-bucket.ts";
import { S3ReplicaBucket } from "./s3-replica-bucket.ts";
import { SqsQueue } from "./sqs-queue.ts";
import { systemChance, systemClock } from "./system-clock.ts";
import { VersioningCheck } from "./versioning-check.ts";

/** What both functions of a secondary that touch objects are told by their environments. */
export interface ReplicaEnvironment {
  readonly SITE_NAME: string;
  readonly ACCOUNT_ID: string;
  readonly PRIMARY_REGION: string;
  readonly REPLICA_BUCKET: string;
  readonly REGISTRY_TABLE: string;
  readonly PRIMARY_STATE_TABLE: string;
  /** The primary's own table, where the feature flags of all sites are. */
  readonly PRIMARY_SITE_TABLE: string;
  readonly TIMEOUT_SECONDS: string;
}

/** Makes what tells the flags' meaning from the table that they are in. */
export type SwitchesOf = (primarySiteTable: Table, clock: Clock) => SwitchReader;

/** Makes what tells a site's standing, and what its operator wants of it, from the site's own table. */
export type RecordOf = (siteTable: Table, clock: Clock) => SiteRecordReaders;

/** What a site's record of itself says. */
export interface SiteRecordReaders {
  readonly standing: StandingReader;
  readonly settings: LateReader<SiteSettings>;
  readonly scope: ScopeReader;
}

/** What the event-consumer is told beyond that. */
export interface ConsumerEnvironment extends ReplicaEnvironment, CopySizes {
  readonly PRIMARY_BUCKET: string;
  readonly VERIFICATION_QUEUE: string;
  readonly SITE_TABLE: string;
  readonly REMOVAL_GUARD_FLOOR: string;
  readonly REMOVAL_GUARD_PERCENT: string;
  readonly REMOVAL_GUARD_MOST: string;
  readonly SYNC_TIMEOUT_SECONDS: string;
  readonly SYNC_OBJECT_STORAGE: "true" | "false";
}

const siteBase = (config: ReplicaEnvironment, telemetry: Telemetry, switchesOf: SwitchesOf): SiteBase => ({
  name: config.SITE_NAME,
  clock: systemClock,
  chance: systemChance,
  telemetry,
  functionTimeoutMs: Number(config.TIMEOUT_SECONDS) * 1_000,
  switches: switchesOf(new DynamoTable(dynamoClient(config.PRIMARY_REGION), config.PRIMARY_SITE_TABLE), systemClock),
});

const tables = (config: ReplicaEnvironment) => ({
  registry: new DynamoTable(dynamoClient(), config.REGISTRY_TABLE),
  primaryState: new DynamoTable(dynamoClient(config.PRIMARY_REGION), config.PRIMARY_STATE_TABLE),
});

/** A secondary site on AWS as its verification sees it. Its clients are made here, once per environment. */
export const awsVerifyingSite = (
  config: ReplicaEnvironment,
  telemetry: Telemetry,
  replicables: readonly Replicable[],
  { switchesOf, standing }: { readonly switchesOf: SwitchesOf; readonly standing: StandingReader },
): VerifyingSite => ({
  ...siteBase(config, telemetry, switchesOf),
  standing,
  checksums: checksumRules(replicables),
  ...tables(config),
  replica: new S3Bucket({ client: s3Reader(), bucket: config.REPLICA_BUCKET, accountId: config.ACCOUNT_ID }),
});

/** What the replica-drift function is told of its site. */
export interface DriftEnvironment {
  readonly ACCOUNT_ID: string;
  readonly REPLICA_BUCKET: string;
  readonly REGISTRY_TABLE: string;
  readonly PRIMARY_REGION: string;
  readonly PRIMARY_SITE_TABLE: string;
}

/** A secondary site on AWS as its replica-drift function sees it: the replica to ask about, and rows to touch. */
export const awsDriftingSite = (
  config: DriftEnvironment,
  telemetry: Telemetry,
  switchesOf: SwitchesOf,
): Pick<VerifyingSite, "clock" | "chance" | "telemetry" | "registry" | "replica" | "switches"> => ({
  clock: systemClock,
  chance: systemChance,
  telemetry,
  registry: new DynamoTable(dynamoClient(), config.REGISTRY_TABLE),
  replica: new S3Bucket({ client: s3Reader(), bucket: config.REPLICA_BUCKET, accountId: config.ACCOUNT_ID }),
  switches: switchesOf(new DynamoTable(dynamoClient(config.PRIMARY_REGION), config.PRIMARY_SITE_TABLE), systemClock),
});

/** Makes what tells which versions batch destroys name, from the primary's own table. */
export type DestroyedOf = (primarySiteTable: Table, clock: Clock) => DestroyedReader;

/** What is made from tables by services, which this room does not know. */
export interface ConsumerReaders {
  readonly switchesOf: SwitchesOf;
  readonly recordOf: RecordOf;
  readonly destroyedOf: DestroyedOf;
}

/** A secondary site on AWS as its event-consumer sees it, its settings, the deadline that its writes to S3 keep, and what has to hold before it works. */
export const awsSecondarySite = (
  config: ConsumerEnvironment,
  telemetry: Telemetry,
  replicables: readonly Replicable[],
  { switchesOf, recordOf, destroyedOf }: ConsumerReaders,
): {
  readonly site: SecondarySite;
  readonly settings: LateReader<SiteSettings>;
  readonly deadline: Deadline;
  readonly versioning: VersioningCheck;
} => {
  const deadline = new Deadline(systemClock);
  const accountId = config.ACCOUNT_ID;
  const source = { client: s3Reader(config.PRIMARY_REGION), bucket: config.PRIMARY_BUCKET, accountId };
  const replica = { client: s3Reader(), bucket: config.REPLICA_BUCKET, accountId };
  const versioning = new VersioningCheck([source, replica]);
  const siteTable = new DynamoTable(dynamoClient(), config.SITE_TABLE);
  const record = recordOf(siteTable, systemClock);
  const primarySiteTable = new DynamoTable(dynamoClient(config.PRIMARY_REGION), config.PRIMARY_SITE_TABLE);
  const site: SecondarySite = {
    ...siteBase(config, telemetry, switchesOf),
    checksums: checksumRules(replicables),
    ...tables(config),
    primary: new S3Bucket(source),
    replica: new S3ReplicaBucket({
      ...replica,
      writer: s3Writer(),
      copier: s3PartCopier(),
      primaryBucket: config.PRIMARY_BUCKET,
      timeLimitMs: () => deadline.leftMs(),
      versioning,
    }),
    verificationQueue: new SqsQueue(sqsClient(), config.VERIFICATION_QUEUE),
    fusedVerificationBytesMax: FUSED_VERIFICATION_BYTES_MAX,
    copies: copyRules(copyLimitsOf(config)),
    siteTable,
    standing: record.standing,
    scope: record.scope,
    destroyed: destroyedOf(primarySiteTable, systemClock),
    removalGuard: {
      floor: Number(config.REMOVAL_GUARD_FLOOR),
      percent: Number(config.REMOVAL_GUARD_PERCENT),
      most: Number(config.REMOVAL_GUARD_MOST),
    },
    syncTimeoutMs: Number(config.SYNC_TIMEOUT_SECONDS) * 1_000,
  };
  return { site, settings: record.settings, deadline, versioning };
};

/** What the registry's consistency is told by its environment. */
export interface WalkingEnvironment {
  readonly SITE_NAME: string;
  readonly ACCOUNT_ID: string;
  readonly PRIMARY_BUCKET: string;
  readonly PRIMARY_REGION: string;
  readonly REPLICA_BUCKET: string;
  readonly REGISTRY_TABLE: string;
  readonly SITE_TABLE: string;
  readonly BACKFILL_QUEUE: string;
  readonly PRIMARY_SITE_TABLE: string;
  readonly TIMEOUT_SECONDS: string;
}

/** A secondary site on AWS as the walks through both sides see it: they read, and write how far they came. */
export const awsWalkingSite = (
  config: WalkingEnvironment,
  telemetry: Telemetry,
  { switchesOf, recordOf }: { readonly switchesOf: SwitchesOf; readonly recordOf: RecordOf },
) => {
  const accountId = config.ACCOUNT_ID;
  const siteTable = new DynamoTable(dynamoClient(), config.SITE_TABLE);
  const { settings, scope } = recordOf(siteTable, systemClock);
  const flags = new DynamoTable(dynamoClient(config.PRIMARY_REGION), config.PRIMARY_SITE_TABLE);
  return {
    clock: systemClock,
    chance: systemChance,
    telemetry,
    functionTimeoutMs: Number(config.TIMEOUT_SECONDS) * 1_000,
    primary: new S3Bucket({ client: s3Reader(config.PRIMARY_REGION), bucket: config.PRIMARY_BUCKET, accountId }),
    replica: new S3Bucket({ client: s3Reader(), bucket: config.REPLICA_BUCKET, accountId }),
    registry: new DynamoTable(dynamoClient(), config.REGISTRY_TABLE),
    siteTable,
    settings,
    scope,
    switches: switchesOf(flags, systemClock),
    backfill: new SqsQueue(sqsClient(), config.BACKFILL_QUEUE),
  };
};
