import type { IGrantable } from "aws-cdk-lib/aws-iam";
import type { IConstruct } from "constructs";

import { SITE_TABLE_PARTITIONS, secondaryNames } from "../../shared/geo/physical-names.ts";
import { encodeReplicableSelection } from "../../shared/geo/replicable-selection.ts";
import { bucketOf, flagTableOf, placeOf, registryOf, stateTableOf, type GeoSiteProps } from "./geo-site.ts";
import { QueueAccess } from "./queue-access.ts";
import { TableAccess } from "./table-access.ts";

/** What both functions that make replicas are told of their site: the event-consumer, and that of large copies. */
export const replicationEnvironment = ({ config, site }: GeoSiteProps) => {
  const names = secondaryNames(config, site);
  return {
    SITE_NAME: site.name,
    ACCOUNT_ID: config.account,
    PRIMARY_BUCKET: bucketOf(config, config.primary).bucketName,
    PRIMARY_REGION: config.primary.region,
    REPLICA_BUCKET: bucketOf(config, site).bucketName,
    REGISTRY_TABLE: registryOf(config, site).tableName,
    PRIMARY_STATE_TABLE: stateTableOf(config).tableName,
    VERIFICATION_QUEUE: names.verificationQueue,
    PRIMARY_SITE_TABLE: flagTableOf(config).tableName,
    REPLICABLES: encodeReplicableSelection(config.selection),
    SITE_TABLE: names.siteTable,
    SINGLE_COPY_BYTES: String(config.largeObjects.singleCopyBytes),
    PART_BYTES: String(config.largeObjects.partBytes),
    REMOVAL_GUARD_FLOOR: String(config.removalGuard.floor),
    REMOVAL_GUARD_PERCENT: String(config.removalGuard.percent),
    REMOVAL_GUARD_MOST: String(config.removalGuard.most),
    SYNC_TIMEOUT_SECONDS: String(site.syncTimeoutSeconds),
    SYNC_OBJECT_STORAGE: site.syncObjectStorage ? ("true" as const) : ("false" as const),
  };
};

/** The rights of whoever takes an attempt from its claim to its commit. */
export const grantReplication = ({ config, site }: GeoSiteProps, worker: IGrantable & IConstruct): void => {
  const here = placeOf(config, site);
  const names = secondaryNames(config, site);
  const source = bucketOf(config, config.primary);
  const replica = bucketOf(config, site);
  const siteTable = new TableAccess(here, names.siteTable);
  const flags = flagTableOf(config);
  flags.grantLookUpPartition(worker, SITE_TABLE_PARTITIONS.site);
  // What batch destroys of the primary name is let through its removal guard.
  flags.grantReadPartition(worker, SITE_TABLE_PARTITIONS.destroyRelease);
  flags.grantReadPartitions(worker, SITE_TABLE_PARTITIONS.destroyVersions);
  source.grantReplicationRead(worker);
  replica.grantReplicationRead(worker);
  replica.grantReplicationWrite(worker);
  registryOf(config, site).grantWork(worker);
  stateTableOf(config).grantLookUp(worker);
  siteTable.grantReadPartition(worker, SITE_TABLE_PARTITIONS.site);
  siteTable.grantReadPartition(worker, SITE_TABLE_PARTITIONS.counter);
  siteTable.grantChangePartition(worker, SITE_TABLE_PARTITIONS.removalGuard);
  new QueueAccess(here, names.verificationQueue).grantSend(worker);
};
