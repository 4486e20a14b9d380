import { Duration } from "aws-cdk-lib";
import { Grant } from "aws-cdk-lib/aws-iam";
import { SqsDlq } from "aws-cdk-lib/aws-lambda-event-sources";
import { EventSourceMapping, StartingPosition } from "aws-cdk-lib/aws-lambda";
import { Construct } from "constructs";

import { env } from "../../functions/counters/env.ts";
import { SITE_TABLE_PARTITIONS, functionName, siteNames } from "../../shared/geo/physical-names.ts";
import { acknowledge } from "../constructs/acknowledge.ts";
import { tableArn } from "../constructs/arns.ts";
import { DeadLetterQueue } from "../constructs/dead-letter-queue.ts";
import { GeoFunction } from "../constructs/geo-function.ts";
import { objectTableOf, placeOf, siteTableOf, type GeoSiteProps } from "../constructs/geo-site.ts";
import { functionAlarms } from "../constructs/work-alarms.ts";

/** Records in one invocation, which folds them into a few counters. */
const BATCH_SIZE = 500;

/** With a batch that small a second would do; the rest is for a throttled table. */
const TIMEOUT = Duration.seconds(30);

/**
 * Only to learn the shard: records do not say which shard of the stream they are from unless a window is configured, and
 * exact counts need it. Each window ends in a call of its own per shard, hence not the shortest.
 */
const TUMBLING_WINDOW = Duration.seconds(30);

export interface CountersProps extends GeoSiteProps {
  /** Stream of the site's table of objects. */
  readonly streamArn: string;
}

/** At every site: folds the stream of the table of objects into exact counts per type and state. */
export class Counters extends Construct {
  constructor(scope: Construct, { config, site, streamArn }: CountersProps) {
    super(scope, "Counters");
    const here = placeOf(config, site);
    const deadLetters = new DeadLetterQueue(this, "DeadLetters", {
      queueName: siteNames(config, site).countersDeadLetterQueue,
      runbook: "counters",
      alarmTopicArn: site.alarmTopicArn,
    });
    const siteTable = siteTableOf(config, site);
    const counters = new GeoFunction(this, "Counter", {
      folder: "counters",
      functionName: functionName(config, site, "counters"),
      description: `Counts the rows of ${site.name} per type and state`,
      schema: env,
      environment: { SITE_NAME: site.name, ROLE: site.role, SITE_TABLE: siteTable.tableName },
      timeout: TIMEOUT,
      memorySize: 256,
      tracing: config.tracing,
    });
    functionAlarms(this, {
      name: functionName(config, site, "counters"),
      reader: counters,
      runbook: "counters",
      alarmTopicArn: site.alarmTopicArn,
    });
    siteTable.grantChangePartition(counters, SITE_TABLE_PARTITIONS.counter);
    const reading = Grant.addToPrincipal({
      grantee: counters,
      actions: ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"],
      resourceArns: [streamArn],
    });
    // The stream's own ARN ends in the time it was made, which a listing can not be restricted to.
    const streams = `${tableArn(here, objectTableOf(config, site).tableName)}/stream/*`;
    const listing = Grant.addToPrincipal({
      grantee: counters,
      actions: ["dynamodb:ListStreams"],
      resourceArns: [streams],
    });
    acknowledge(counters, {
      [`IAM5[Resource::${streams}]`]: "Lambda lists a table's streams before it reads one; only this table's.",
    });

    const mapping = new EventSourceMapping(this, "Stream", {
      target: counters.function,
      eventSourceArn: streamArn,
      startingPosition: StartingPosition.TRIM_HORIZON,
      batchSize: BATCH_SIZE,
      tumblingWindow: TUMBLING_WINDOW,
      parallelizationFactor: 1, // the order of a shard is what makes counting exact
      bisectBatchOnError: true,
      // No limit on tries: a change that is given up is missing from the counts for ever. A row that can not be read is
      // counted as nothing, so no record can hold up its shard; what the stream itself drops after a day is told here.
      onFailure: new SqsDlq(deadLetters.queue),
    });
    reading.applyBefore(mapping);
    listing.applyBefore(mapping);
  }
}
