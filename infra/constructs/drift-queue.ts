import { Duration } from "aws-cdk-lib";
import { PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { Queue } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";

import { secondaryNames } from "../../shared/geo/physical-names.ts";
import { bucketArn } from "./arns.ts";
import { bucketOf, type GeoSiteProps } from "./geo-site.ts";
import { QueueWithDeadLetters } from "./queue-with-dead-letters.ts";

/** A row is read in milliseconds, and most messages need no more: enough for a full batch of those that need more. */
export const DRIFT_TIMEOUT = Duration.seconds(30);

/** Collected for so long, since nobody waits for it: most of these messages tell of our own copies. */
export const DRIFT_BATCHING_WINDOW = Duration.seconds(20);

/**
 * A message about a row that somebody holds comes back each 200 seconds (six timeouts and the window). A hundred times is
 * five and a half hours, far above any hold: a lease is six minutes long, and a dead holder's row is taken from it by the
 * next sweep, an hour later at the most. What is still given back by then, somebody has to look at.
 */
const MAX_RECEIVE_COUNT = 100;

/**
 * Longer than anybody holds a row: a message about one is given back until its holder is done, or was found to be dead by the
 * next sweep, an hour later at the most.
 */
const WAITS_AT_MOST = Duration.hours(2);

/**
 * Where S3 reports the changes of a secondary's bucket. It belongs to what is retained: S3 asks a queue for its policy
 * when a rule is set, and a rule whose queue went away with a site would report to nobody from then on. The site's
 * function may come and go; what is reported meanwhile waits here.
 */
export class DriftQueue extends Construct {
  readonly queue: Queue;

  constructor(scope: Construct, id: string, { config, site }: GeoSiteProps) {
    super(scope, id);
    const names = secondaryNames(config, site);
    const { queue } = new QueueWithDeadLetters(this, "Changes", {
      queueName: names.driftQueue,
      deadLetterQueueName: names.driftDeadLetterQueue,
      consumerTimeout: DRIFT_TIMEOUT,
      batchingWindow: DRIFT_BATCHING_WINDOW,
      maxReceiveCount: MAX_RECEIVE_COUNT,
      waitsAtMost: WAITS_AT_MOST,
      deliveryDelay: Duration.seconds(config.driftDelaySeconds),
      runbook: "replica-drift",
      alarmTopicArn: site.alarmTopicArn,
    });
    queue.addToResourcePolicy(
      new PolicyStatement({
        sid: "S3Reports",
        principals: [new ServicePrincipal("s3.amazonaws.com")],
        actions: ["sqs:SendMessage"],
        resources: [queue.queueArn],
        conditions: {
          StringEquals: { "aws:SourceAccount": config.account },
          ArnLike: { "aws:SourceArn": bucketArn(site, bucketOf(config, site).bucketName) },
        },
      }),
    );
    this.queue = queue;
  }
}
