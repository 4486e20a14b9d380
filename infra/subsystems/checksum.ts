import { Duration } from "aws-cdk-lib";
import { Grant } from "aws-cdk-lib/aws-iam";
import { Construct } from "constructs";

import { env } from "../../functions/checksum/env.ts";
import { METRICS } from "../../shared/geo/metrics.ts";
import { encodeReplicableSelection } from "../../shared/geo/replicable-selection.ts";
import { SITE_TABLE_PARTITIONS, functionName, primaryNames } from "../../shared/geo/physical-names.ts";
import { geoAlarm } from "../constructs/alarm.ts";
import { topicArn } from "../constructs/arns.ts";
import { GeoFunction } from "../constructs/geo-function.ts";
import { bucketOf, flagTableOf, placeOf, stateTableOf, type GeoSiteProps } from "../constructs/geo-site.ts";
import { QueueAccess } from "../constructs/queue-access.ts";
import { QueueWithDeadLetters, RECEIVES_OF_WORK_MAX } from "../constructs/queue-with-dead-letters.ts";
import { siteMetric } from "../constructs/site-metric.ts";
import { STILL_FAILING, functionAlarms } from "../constructs/work-alarms.ts";

/** As long as a function may run: an object without a stored checksum is read from end to end. */
const TIMEOUT = Duration.minutes(15);

/** Longer than the longest wait for another try, an hour and a half minute (shared/geo/retry.ts): it stays while one fails. */
const DIFFERENCES_SHOWN = Duration.hours(2);

/**
 * Functions at once. Each reads as fast as its network lets it, so this many take gigabytes a second; and with the capacity
 * that a site has when nobody has changed it (`verification_max_capacity`) each works on as many keys as it has sockets for.
 */
const MAX_CONCURRENCY = 60;

/** At the primary: keeps one row of verification state per object and announces checksums. */
export class Checksum extends Construct {
  readonly changes: QueueWithDeadLetters;

  constructor(scope: Construct, { config, site }: GeoSiteProps) {
    super(scope, "Checksum");
    const here = placeOf(config, site);
    const names = primaryNames(config, site);
    this.changes = new QueueWithDeadLetters(this, "Changes", {
      queueName: names.checksumQueue,
      deadLetterQueueName: names.checksumDeadLetterQueue,
      consumerTimeout: TIMEOUT,
      maxReceiveCount: RECEIVES_OF_WORK_MAX,
      runbook: "checksum",
      alarmTopicArn: site.alarmTopicArn,
    });
    this.changes.subscribeTo(names.bucketEventsTopic, topicArn(here, names.bucketEventsTopic));

    const bucket = bucketOf(config, site);
    const state = stateTableOf(config);
    const parking = new QueueAccess(here, names.checksumDeadLetterQueue);
    const announcements = topicArn(here, names.geoEventsTopic);
    const flags = flagTableOf(config);
    const checksum = new GeoFunction(this, "Worker", {
      folder: "checksum",
      functionName: functionName(config, site, "checksum"),
      description: `Keeps the checksum of every object of ${site.name}`,
      schema: env,
      environment: {
        SITE_NAME: site.name,
        ACCOUNT_ID: config.account,
        PRIMARY_BUCKET: bucket.bucketName,
        STATE_TABLE: state.tableName,
        GEO_EVENTS_TOPIC_ARN: announcements,
        PARKING_QUEUE: parking.queueName,
        PRIMARY_SITE_TABLE: flags.tableName,
        REPLICABLES: encodeReplicableSelection(config.selection),
        WORKERS_MAX: String(MAX_CONCURRENCY),
        TIMEOUT_SECONDS: String(TIMEOUT.toSeconds()),
      },
      timeout: TIMEOUT,
      memorySize: 512,
      tracing: config.tracing,
    });
    flags.grantLookUpPartition(checksum, SITE_TABLE_PARTITIONS.site);
    bucket.grantReadBytes(checksum);
    state.grantWork(checksum);
    parking.grantSend(checksum);
    Grant.addToPrincipal({ grantee: checksum, actions: ["sns:Publish"], resourceArns: [announcements] });
    this.changes.feed(checksum, MAX_CONCURRENCY);

    const name = functionName(config, site, "checksum");
    functionAlarms(this, { name, reader: checksum, runbook: "checksum", alarmTopicArn: site.alarmTopicArn });
    geoAlarm(this, "Failing", {
      alarmName: `${name}-failing`,
      meaning: `Objects of ${site.name} can not be digested, for hours.`,
      runbook: "checksum",
      metric: siteMetric(site.name, METRICS.checksumFailed, STILL_FAILING.period),
      periods: STILL_FAILING.periods,
      alarmTopicArn: site.alarmTopicArn,
    });
    geoAlarm(this, "Differs", {
      alarmName: `${names.checksumQueue}-bytes-differ`,
      meaning: `Objects of ${site.name} have other bytes than were recorded of the very same versions: they have rotted.`,
      runbook: "checksum",
      metric: siteMetric(site.name, METRICS.primaryDiffers, DIFFERENCES_SHOWN),
      alarmTopicArn: site.alarmTopicArn,
    });
  }
}
