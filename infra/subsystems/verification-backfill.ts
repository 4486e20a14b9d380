import { Duration } from "aws-cdk-lib";
import { Construct } from "constructs";

import { env } from "../../functions/verification-backfill/env.ts";
import { METRICS } from "../../shared/geo/metrics.ts";
import { SITE_TABLE_PARTITIONS, functionName, primaryNames } from "../../shared/geo/physical-names.ts";
import { encodeReplicableSelection } from "../../shared/geo/replicable-selection.ts";
import { geoAlarm } from "../constructs/alarm.ts";
import { EachMinute } from "../constructs/each-minute.ts";
import { GeoFunction } from "../constructs/geo-function.ts";
import { bucketOf, placeOf, siteTableOf, stateTableOf, type GeoSiteProps } from "../constructs/geo-site.ts";
import { QueueAccess } from "../constructs/queue-access.ts";
import { siteMetric } from "../constructs/site-metric.ts";
import { errorsAlarm } from "../constructs/work-alarms.ts";

/** A run walks on where the last one came to, so its length decides nothing but how often it is started. */
const TIMEOUT = Duration.minutes(5);

/** How long findings of a walk are shown as an alarm: a walk of many keys takes hours, and its next is days away. */
const FINDINGS_SHOWN = Duration.hours(6);

/** At the primary: has a record made of every object, and removes the records of types whose checksums are off. */
export class VerificationBackfill extends Construct {
  constructor(scope: Construct, { config, site }: GeoSiteProps) {
    super(scope, "VerificationBackfill");
    const names = primaryNames(config, site);
    const bucket = bucketOf(config, site);
    const state = stateTableOf(config);
    const siteTable = siteTableOf(config, site);
    const work = new QueueAccess(placeOf(config, site), names.checksumQueue);
    const walker = new GeoFunction(this, "Walker", {
      folder: "verification-backfill",
      functionName: functionName(config, site, "verification-backfill"),
      description: `Walks through the bucket of ${site.name} and names what has no record`,
      schema: env,
      environment: {
        SITE_NAME: site.name,
        ACCOUNT_ID: config.account,
        PRIMARY_BUCKET: bucket.bucketName,
        STATE_TABLE: state.tableName,
        CHECKSUM_QUEUE: work.queueName,
        PRIMARY_SITE_TABLE: siteTable.tableName,
        REPLICABLES: encodeReplicableSelection(config.selection),
        TIMEOUT_SECONDS: String(TIMEOUT.toSeconds()),
        CONSISTENCY_DAYS: String(config.consistencyDays),
      },
      timeout: TIMEOUT,
      memorySize: 512,
      tracing: config.tracing,
    });
    bucket.grantList(walker);
    state.grantReadMany(walker);
    state.grantReadDue(walker);
    state.grantRemove(walker);
    // Rounds through all records, for those that are to be listed.
    state.grantListRows(walker);
    state.grantMark(walker);
    siteTable.grantLookUpPartition(walker, SITE_TABLE_PARTITIONS.site);
    siteTable.grantReadPartition(walker, SITE_TABLE_PARTITIONS.counter);
    siteTable.grantKeepPartition(walker, SITE_TABLE_PARTITIONS.consistency);
    work.grantSend(walker);
    work.grantMeasure(walker);
    new EachMinute(this, {
      scheduleName: names.verificationBackfill,
      description: `Starts a run of the verification backfill of ${site.name}`,
      function: walker.function,
      deadLetterQueueName: names.verificationBackfillDeadLetterQueue,
      runbook: "verification-backfill",
      alarmTopicArn: site.alarmTopicArn,
    });

    errorsAlarm(this, {
      name: functionName(config, site, "verification-backfill"),
      reader: walker,
      runbook: "verification-backfill",
      alarmTopicArn: site.alarmTopicArn,
    });
    for (const [id, metric, what] of [
      ["Missing", METRICS.consistencyMissing, "objects without a record"],
      ["Stale", METRICS.consistencyStale, "records of something else than its bucket holds"],
    ] as const) {
      geoAlarm(this, `Found${id}`, {
        alarmName: `${names.verificationBackfill}-found-${id.toLowerCase()}`,
        meaning: `A walk found ${what} at ${site.name}: events were lost. They are being put right.`,
        runbook: "verification-backfill",
        metric: siteMetric(site.name, metric, FINDINGS_SHOWN),
        alarmTopicArn: site.alarmTopicArn,
      });
    }
  }
}
