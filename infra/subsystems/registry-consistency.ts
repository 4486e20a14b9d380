import { Duration } from "aws-cdk-lib";
import { Construct } from "constructs";

import { env } from "../../functions/registry-consistency/env.ts";
import { METRICS } from "../../shared/geo/metrics.ts";
import { SITE_TABLE_PARTITIONS, functionName, secondaryNames } from "../../shared/geo/physical-names.ts";
import { encodeReplicableSelection } from "../../shared/geo/replicable-selection.ts";
import { geoAlarm } from "../constructs/alarm.ts";
import { EachMinute } from "../constructs/each-minute.ts";
import { GeoFunction } from "../constructs/geo-function.ts";
import { bucketOf, flagTableOf, placeOf, registryOf, siteTableOf, type GeoSiteProps } from "../constructs/geo-site.ts";
import { QueueAccess } from "../constructs/queue-access.ts";
import { siteMetric } from "../constructs/site-metric.ts";
import { errorsAlarm } from "../constructs/work-alarms.ts";

/** A run walks on where the last one came to, so its length decides nothing but how often it is started. */
const TIMEOUT = Duration.minutes(5);

/** How long findings of a walk are shown as an alarm: a walk of many keys takes hours, and its next is days away. */
const FINDINGS_SHOWN = Duration.hours(6);

/** At a secondary: walks through both buckets, side by side, and has whatever differs looked at. */
export class RegistryConsistency extends Construct {
  constructor(scope: Construct, { config, site }: GeoSiteProps) {
    super(scope, "RegistryConsistency");
    const here = placeOf(config, site);
    const names = secondaryNames(config, site);
    const source = bucketOf(config, config.primary);
    const replica = bucketOf(config, site);
    const registry = registryOf(config, site);
    const siteTable = siteTableOf(config, site);
    const backfill = new QueueAccess(here, names.backfillQueue);

    const flags = flagTableOf(config);
    const walker = new GeoFunction(this, "Walker", {
      folder: "registry-consistency",
      functionName: functionName(config, site, "registry-consistency"),
      description: `Walks through the buckets of ${config.primary.name} and ${site.name} and names what differs`,
      schema: env,
      environment: {
        SITE_NAME: site.name,
        ACCOUNT_ID: config.account,
        PRIMARY_BUCKET: source.bucketName,
        PRIMARY_REGION: config.primary.region,
        REPLICA_BUCKET: replica.bucketName,
        REGISTRY_TABLE: registry.tableName,
        SITE_TABLE: siteTable.tableName,
        BACKFILL_QUEUE: backfill.queueName,
        PRIMARY_SITE_TABLE: flags.tableName,
        REPLICABLES: encodeReplicableSelection(config.selection),
        TIMEOUT_SECONDS: String(TIMEOUT.toSeconds()),
        SYNC_OBJECT_STORAGE: site.syncObjectStorage ? "true" : "false",
        CONSISTENCY_DAYS: String(config.consistencyDays),
        ORPHANS_PER_WALK: String(config.removalGuard.most),
      },
      timeout: TIMEOUT,
      memorySize: 512,
      tracing: config.tracing,
    });
    flags.grantLookUpPartition(walker, SITE_TABLE_PARTITIONS.site);
    source.grantLook(walker); // a HEAD tells the owners that a listing does not show
    siteTable.grantLookUpPartition(walker, SITE_TABLE_PARTITIONS.site);
    replica.grantList(walker);
    registry.grantReadMany(walker);
    siteTable.grantKeepPartition(walker, SITE_TABLE_PARTITIONS.consistency);
    backfill.grantSend(walker);
    backfill.grantMeasure(walker);
    new EachMinute(this, {
      scheduleName: names.registryConsistency,
      description: `Starts a run of the registry's consistency of ${site.name}`,
      function: walker.function,
      deadLetterQueueName: names.registryConsistencyDeadLetterQueue,
      runbook: "registry-consistency",
      alarmTopicArn: site.alarmTopicArn,
    });

    errorsAlarm(this, {
      name: functionName(config, site, "registry-consistency"),
      reader: walker,
      runbook: "registry-consistency",
      alarmTopicArn: site.alarmTopicArn,
    });
    for (const [id, metric, what] of [
      ["Missing", METRICS.consistencyMissing, "objects without a record or a replica"],
      ["Stale", METRICS.consistencyStale, "replicas of something else than the primary holds"],
      ["Orphan", METRICS.consistencyOrphan, "replicas of objects that the primary does not hold"],
    ] as const) {
      geoAlarm(this, `Found${id}`, {
        alarmName: `${names.registryConsistency}-found-${id.toLowerCase()}`,
        meaning: `A walk found ${what} at ${site.name}: events were lost. They are being put right.`,
        runbook: "registry-consistency",
        metric: siteMetric(site.name, metric, FINDINGS_SHOWN),
        alarmTopicArn: site.alarmTopicArn,
      });
    }
  }
}
