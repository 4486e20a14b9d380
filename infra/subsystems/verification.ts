import { Duration } from "aws-cdk-lib";
import { Construct } from "constructs";

import { env } from "../../functions/verification/env.ts";
import { encodeReplicableSelection } from "../../shared/geo/replicable-selection.ts";
import { SITE_TABLE_PARTITIONS, functionName, secondaryNames } from "../../shared/geo/physical-names.ts";
import { METRICS } from "../../shared/geo/metrics.ts";
import { geoAlarm } from "../constructs/alarm.ts";
import { GeoFunction } from "../constructs/geo-function.ts";
import {
  bucketOf,
  flagTableOf,
  placeOf,
  registryOf,
  siteTableOf,
  stateTableOf,
  type GeoSiteProps,
} from "../constructs/geo-site.ts";
import { QueueAccess } from "../constructs/queue-access.ts";
import { QueueWithDeadLetters, RECEIVES_OF_WORK_MAX } from "../constructs/queue-with-dead-letters.ts";
import { siteMetric } from "../constructs/site-metric.ts";
import { STILL_FAILING, functionAlarms } from "../constructs/work-alarms.ts";

/** As long as a function may run: a replica is read from end to end. */
const TIMEOUT = Duration.minutes(15);

/**
 * Functions at once. Each reads as fast as its network lets it, so this many take gigabytes a second; and with the capacity
 * that a site has when nobody has changed it (`verification_max_capacity`) each works on as many keys as it has sockets for.
 */
const MAX_CONCURRENCY = 60;

/** How long a replica that differed is shown as an alarm: by then it has been copied and read again. */
const MISMATCHES_SHOWN = Duration.hours(1);

/** At a secondary: reads replicas back and compares them with what the primary says. */
export class Verification extends Construct {
  readonly requests: QueueWithDeadLetters;

  constructor(scope: Construct, { config, site }: GeoSiteProps) {
    super(scope, "Verification");
    const names = secondaryNames(config, site);
    this.requests = new QueueWithDeadLetters(this, "Requests", {
      queueName: names.verificationQueue,
      deadLetterQueueName: names.verificationDeadLetterQueue,
      consumerTimeout: TIMEOUT,
      maxReceiveCount: RECEIVES_OF_WORK_MAX,
      runbook: "verification",
      alarmTopicArn: site.alarmTopicArn,
    });

    const replica = bucketOf(config, site);
    const registry = registryOf(config, site);
    const primaryState = stateTableOf(config);
    const parking = new QueueAccess(placeOf(config, site), names.verificationDeadLetterQueue);
    const flags = flagTableOf(config);
    const siteTable = siteTableOf(config, site);
    const verifier = new GeoFunction(this, "Verifier", {
      folder: "verification",
      functionName: functionName(config, site, "verification"),
      description: `Reads the replicas of ${site.name} back and compares them`,
      schema: env,
      environment: {
        SITE_NAME: site.name,
        ACCOUNT_ID: config.account,
        PRIMARY_REGION: config.primary.region,
        REPLICA_BUCKET: replica.bucketName,
        REGISTRY_TABLE: registry.tableName,
        PRIMARY_STATE_TABLE: primaryState.tableName,
        PARKING_QUEUE: parking.queueName,
        PRIMARY_SITE_TABLE: flags.tableName,
        REPLICABLES: encodeReplicableSelection(config.selection),
        SITE_TABLE: siteTable.tableName,
        WORKERS_MAX: String(MAX_CONCURRENCY),
        TIMEOUT_SECONDS: String(TIMEOUT.toSeconds()),
      },
      timeout: TIMEOUT,
      memorySize: 512,
      tracing: config.tracing,
    });
    flags.grantLookUpPartition(verifier, SITE_TABLE_PARTITIONS.site);
    siteTable.grantLookUpPartition(verifier, SITE_TABLE_PARTITIONS.site);
    replica.grantReadBytes(verifier);
    registry.grantVerify(verifier);
    primaryState.grantLookUp(verifier);
    parking.grantSend(verifier);
    this.requests.feed(verifier, MAX_CONCURRENCY);

    const name = functionName(config, site, "verification");
    const alarm = { runbook: "verification", alarmTopicArn: site.alarmTopicArn } as const;
    functionAlarms(this, { ...alarm, name, reader: verifier });
    geoAlarm(this, "Mismatch", {
      ...alarm,
      alarmName: `${name}-mismatch`,
      meaning: `A replica of ${site.name} was read and is not the primary's object. It is being copied again.`,
      metric: siteMetric(site.name, METRICS.checksumMismatch, MISMATCHES_SHOWN),
    });
    geoAlarm(this, "Failing", {
      ...alarm,
      alarmName: `${name}-failing`,
      meaning: `Replicas of ${site.name} can not be verified, for hours.`,
      metric: siteMetric(site.name, METRICS.verificationFailed, STILL_FAILING.period),
      periods: STILL_FAILING.periods,
    });
  }
}
