import { Queue } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";

import { env } from "../../functions/replica-drift/env.ts";
import { encodeReplicableSelection } from "../../shared/geo/replicable-selection.ts";
import { SITE_TABLE_PARTITIONS, functionName, secondaryNames } from "../../shared/geo/physical-names.ts";
import { queueArn } from "../constructs/arns.ts";
import { DRIFT_BATCHING_WINDOW, DRIFT_TIMEOUT } from "../constructs/drift-queue.ts";
import { GeoFunction } from "../constructs/geo-function.ts";
import { bucketOf, flagTableOf, placeOf, registryOf, type GeoSiteProps } from "../constructs/geo-site.ts";
import { QueueAccess } from "../constructs/queue-access.ts";
import { feedFunction } from "../constructs/queue-with-dead-letters.ts";
import { functionAlarms } from "../constructs/work-alarms.ts";

/** Most messages of them need one read each; this many are done in well below a second. */
const BATCH_SIZE = 100;

/** It follows the consumers' copies, and nobody waits for it: it takes few of the account's functions. */
const MAX_CONCURRENCY = 10;

/**
 * At a secondary: reads what S3 reports of the bucket of replicas, compares it with the rows, and has whatever somebody
 * else changed made equal to the primary again. The queue is the storage stack's (`DriftQueue`).
 */
export class ReplicaDrift extends Construct {
  constructor(scope: Construct, { config, site }: GeoSiteProps) {
    super(scope, "ReplicaDrift");
    const here = placeOf(config, site);
    const names = secondaryNames(config, site);
    const changes = Queue.fromQueueArn(this, "Changes", queueArn(here, names.driftQueue));

    const replica = bucketOf(config, site);
    const registry = registryOf(config, site);
    const events = new QueueAccess(here, names.eventsQueue);
    const parking = new QueueAccess(here, names.driftDeadLetterQueue);
    const flags = flagTableOf(config);
    const noticer = new GeoFunction(this, "Noticer", {
      folder: "replica-drift",
      functionName: functionName(config, site, "replica-drift"),
      description: `Notices what others change in the bucket of ${site.name}`,
      schema: env,
      environment: {
        SITE_NAME: site.name,
        ACCOUNT_ID: config.account,
        REPLICA_BUCKET: replica.bucketName,
        REGISTRY_TABLE: registry.tableName,
        EVENTS_QUEUE: events.queueName,
        PARKING_QUEUE: parking.queueName,
        PRIMARY_REGION: config.primary.region,
        PRIMARY_SITE_TABLE: flags.tableName,
        REPLICABLES: encodeReplicableSelection(config.selection),
        TIMEOUT_SECONDS: String(DRIFT_TIMEOUT.toSeconds()),
      },
      timeout: DRIFT_TIMEOUT,
      memorySize: 256,
      tracing: config.tracing,
    });
    flags.grantLookUpPartition(noticer, SITE_TABLE_PARTITIONS.site);
    replica.grantLook(noticer);
    registry.grantTouch(noticer);
    events.grantSend(noticer);
    parking.grantSend(noticer);
    functionAlarms(this, {
      name: functionName(config, site, "replica-drift"),
      reader: noticer,
      runbook: "replica-drift",
      alarmTopicArn: site.alarmTopicArn,
    });
    feedFunction(changes, noticer, {
      batchSize: BATCH_SIZE,
      batchingWindow: DRIFT_BATCHING_WINDOW,
      maxConcurrency: MAX_CONCURRENCY,
    });
  }
}
