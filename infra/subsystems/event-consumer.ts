import { Duration } from "aws-cdk-lib";
import { Construct } from "constructs";

import { env } from "../../functions/event-consumer/env.ts";
import { GUARDED_RETRY_MIN_MS, GUARDED_RETRY_SPREAD_MS } from "../../shared/geo/limits.ts";
import { METRICS } from "../../shared/geo/metrics.ts";
import { RETRY_CAP_MISSING_SECONDS } from "../../shared/geo/retry.ts";
import { SITE_TABLE_PARTITIONS, functionName, secondaryNames } from "../../shared/geo/physical-names.ts";
import { geoAlarm, type GeoAlarmProps } from "../constructs/alarm.ts";
import { GeoFunction } from "../constructs/geo-function.ts";
import { placeOf, type GeoSiteProps } from "../constructs/geo-site.ts";
import { grantReplication, replicationEnvironment } from "../constructs/replication.ts";
import { siteMetric } from "../constructs/site-metric.ts";
import { functionAlarms } from "../constructs/work-alarms.ts";
import { TableAccess } from "../constructs/table-access.ts";
import { WorkflowAccess } from "../constructs/workflow-access.ts";
import { QueueAccess } from "../constructs/queue-access.ts";
import { QueueWithDeadLetters, RECEIVES_OF_WORK_MAX } from "../constructs/queue-with-dead-letters.ts";

/**
 * An object of 5 GB, the most that is copied in one request, takes a minute or two between regions; five leave room for
 * some at once, and larger ones are gone on with by the next invocation. Leases follow from this, so a longer timeout also
 * means a longer wait after a crash.
 */
const TIMEOUT = Duration.minutes(5);

/**
 * Copies between regions share a bandwidth that S3 guards with 503. One function has up to 48 keys under way
 * (shared/geo/limits.ts), so this many functions are plenty to fill it.
 */
const MAX_CONCURRENCY = 50;

/** Functions that work on history at the same time: a fifth of those for what happens now. */
const BACKFILL_CONCURRENCY = 10;

/**
 * A full backfill queue, 20,000 keys, is minutes of work where objects are small and hours where they are of gigabytes;
 * nobody waits for it, and a walk fills it no further.
 */
const HISTORY_WAITS_AT_MOST = Duration.hours(6);

/** How long a row that is due may wait for a worker before somebody should look at the queue instead. */
const WORKED_ON_WITHIN_MINUTES = 15;

/** A wait's cap carries the jitter of a first attempt, at most 74 seconds (shared/geo/retry.ts). */
const CAP_JITTER_MINUTES = 2;

/**
 * The period of an alarm on rows that wait for somebody: each counts itself whenever it is tried again, and the alarm has
 * to last from one time to the next.
 * @param retryMinutes the longest that such a row waits for its retry
 */
const untilTheNextTry = (retryMinutes: number, sweepMinutes: number): Duration =>
  Duration.minutes(retryMinutes + sweepMinutes + WORKED_ON_WITHIN_MINUTES);

/** At a secondary: makes its objects equal to the primary's. */
export class EventConsumer extends Construct {
  readonly events: QueueWithDeadLetters;
  /** History: read by the same function, and by few of its instances at a time, so that it never delays today. */
  readonly backfill: QueueWithDeadLetters;

  constructor(scope: Construct, { config, site }: GeoSiteProps) {
    super(scope, "EventConsumer");
    const here = placeOf(config, site);
    const names = secondaryNames(config, site);
    this.events = new QueueWithDeadLetters(this, "Events", {
      queueName: names.eventsQueue,
      deadLetterQueueName: names.eventsDeadLetterQueue,
      consumerTimeout: TIMEOUT,
      maxReceiveCount: RECEIVES_OF_WORK_MAX,
      runbook: "event-consumer",
      alarmTopicArn: site.alarmTopicArn,
    });

    this.backfill = new QueueWithDeadLetters(this, "Backfill", {
      queueName: names.backfillQueue,
      deadLetterQueueName: names.backfillDeadLetterQueue,
      consumerTimeout: TIMEOUT,
      maxReceiveCount: RECEIVES_OF_WORK_MAX,
      waitsAtMost: HISTORY_WAITS_AT_MOST,
      runbook: "event-consumer",
      alarmTopicArn: site.alarmTopicArn,
    });

    const siteTable = new TableAccess(here, names.siteTable);
    const parking = new QueueAccess(here, names.eventsDeadLetterQueue);
    const largeCopies = new WorkflowAccess(here, names.largeCopy);
    const consumer = new GeoFunction(this, "Consumer", {
      folder: "event-consumer",
      functionName: functionName(config, site, "event-consumer"),
      description: `Makes the objects of ${site.name} equal to those of ${config.primary.name}`,
      schema: env,
      environment: {
        ...replicationEnvironment({ config, site }),
        PARKING_QUEUE: parking.queueName,
        TIMEOUT_SECONDS: String(TIMEOUT.toSeconds()),
        WORKERS_MAX: String(MAX_CONCURRENCY + BACKFILL_CONCURRENCY),
        LARGE_COPY_MACHINE: largeCopies.stateMachineArn,
        LARGE_COPY_BYTES: String(config.largeObjects.workflowBytes),
      },
      timeout: TIMEOUT,
      memorySize: 512,
      tracing: config.tracing,
    });
    grantReplication({ config, site }, consumer);
    siteTable.grantChangePartition(consumer, SITE_TABLE_PARTITIONS.retrySweep); // it tells when all of a type fails
    siteTable.grantChangePartition(consumer, SITE_TABLE_PARTITIONS.consistency); // it counts what S3 throttled
    parking.grantSend(consumer);
    largeCopies.grantStart(consumer);
    this.events.feed(consumer, MAX_CONCURRENCY);
    this.backfill.feed(consumer, BACKFILL_CONCURRENCY);

    functionAlarms(this, {
      name: functionName(config, site, "event-consumer"),
      reader: consumer,
      runbook: "event-consumer",
      alarmTopicArn: site.alarmTopicArn,
    });
    const alarm = (id: string, name: string, props: Pick<GeoAlarmProps, "meaning" | "metric">): void =>
      void geoAlarm(this, id, {
        ...props,
        alarmName: `${functionName(config, site, "event-consumer")}-${name}`,
        runbook: "event-consumer",
        alarmTopicArn: site.alarmTopicArn,
      });
    const guardedMinutes = (GUARDED_RETRY_MIN_MS + GUARDED_RETRY_SPREAD_MS) / 60_000;
    alarm("RemovalsHeldBack", "removals-held-back", {
      meaning: `${site.name} holds removals back: more objects of a type would go within an hour than usual.`,
      metric: siteMetric(
        site.name,
        METRICS.removalHeldBack,
        untilTheNextTry(guardedMinutes, config.scheduleSweepMinutes),
      ),
    });
    const missingMinutes = RETRY_CAP_MISSING_SECONDS / 60 + CAP_JITTER_MINUTES;
    alarm("MissingOnPrimary", "missing-on-primary", {
      meaning: `Objects that the primary's records name are missing in its bucket; ${site.name} keeps its replicas.`,
      metric: siteMetric(
        site.name,
        METRICS.missingOnPrimary,
        untilTheNextTry(missingMinutes, config.scheduleSweepMinutes),
      ),
    });
  }
}
