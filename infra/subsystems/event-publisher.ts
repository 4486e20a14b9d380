import { Duration } from "aws-cdk-lib";
import { Construct } from "constructs";

import { env } from "../../functions/event-publisher/env.ts";
import { encodeReplicableSelection } from "../../shared/geo/replicable-selection.ts";
import {
  SITE_TABLE_PARTITIONS,
  feedNames,
  functionName,
  primaryNames,
  secondaryNames,
} from "../../shared/geo/physical-names.ts";
import { topicArn } from "../constructs/arns.ts";
import { GeoFunction } from "../constructs/geo-function.ts";
import { bucketOf, flagTableOf, placeOf, type GeoSiteProps } from "../constructs/geo-site.ts";
import { QueueAccess } from "../constructs/queue-access.ts";
import { QueueWithDeadLetters } from "../constructs/queue-with-dead-letters.ts";
import { functionAlarms } from "../constructs/work-alarms.ts";

/** A minute, so that a message comes back after six. */
const TIMEOUT = Duration.minutes(1);

/**
 * As often as SQS allows, which with the six minutes between two tries is four days: while a secondary's region is down,
 * its feed must only be late. What can never be sent does not wait for that: the function parks it by itself.
 */
const MAX_RECEIVE_COUNT = 1_000;

/** In the primary's region: turns what S3 and the primary report into Geo events for one secondary. */
export class EventPublisher extends Construct {
  readonly ingest: QueueWithDeadLetters;

  /** @param site the secondary that is fed. */
  constructor(scope: Construct, { config, site }: GeoSiteProps) {
    super(scope, "EventPublisher");
    const { primary } = config;
    const here = placeOf(config, primary);
    const there = placeOf(config, site);
    const names = feedNames(config, site);
    const topics = primaryNames(config, primary);

    this.ingest = new QueueWithDeadLetters(this, "Ingest", {
      queueName: names.ingestQueue,
      deadLetterQueueName: names.ingestDeadLetterQueue,
      consumerTimeout: TIMEOUT,
      maxReceiveCount: MAX_RECEIVE_COUNT,
      runbook: "event-publisher",
      alarmTopicArn: primary.alarmTopicArn,
    });
    for (const topic of [topics.bucketEventsTopic, topics.geoEventsTopic]) {
      this.ingest.subscribeTo(topic, topicArn(here, topic));
    }

    const events = new QueueAccess(there, secondaryNames(config, site).eventsQueue);
    const verification = new QueueAccess(there, secondaryNames(config, site).verificationQueue);
    const parking = new QueueAccess(here, names.ingestDeadLetterQueue);
    const flags = flagTableOf(config);
    const publisher = new GeoFunction(this, "Publisher", {
      folder: "event-publisher",
      functionName: functionName(config, site, "event-publisher"),
      description: `Turns changes of ${primary.name} into Geo events for ${site.name}`,
      schema: env,
      environment: {
        SITE_NAME: site.name,
        PRIMARY_BUCKET: bucketOf(config, primary).bucketName,
        EVENTS_QUEUE: events.queueName,
        REGISTRY_TABLE: secondaryNames(config, site).registryTable,
        EVENTS_QUEUE_REGION: site.region,
        VERIFICATION_QUEUE: verification.queueName,
        PARKING_QUEUE: parking.queueName,
        PRIMARY_SITE_TABLE: flags.tableName,
        REPLICABLES: encodeReplicableSelection(config.selection),
      },
      timeout: TIMEOUT,
      memorySize: 256,
      tracing: config.tracing,
    });
    flags.grantLookUpPartition(publisher, SITE_TABLE_PARTITIONS.site);
    flags.grantMarkPartition(publisher, SITE_TABLE_PARTITIONS.secondary); // it says which secondary it feeds
    for (const queue of [events, verification, parking]) queue.grantSend(publisher);
    this.ingest.feed(publisher);
    functionAlarms(this, {
      name: functionName(config, site, "event-publisher"),
      reader: publisher,
      runbook: "event-publisher",
      alarmTopicArn: primary.alarmTopicArn,
    });
  }
}
