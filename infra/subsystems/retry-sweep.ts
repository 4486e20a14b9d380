import { Duration } from "aws-cdk-lib";
import type { Function as LambdaFunction } from "aws-cdk-lib/aws-lambda";
import { ContextAttribute } from "aws-cdk-lib/aws-scheduler";
import { Construct } from "constructs";

import { env } from "../../functions/retry-sweep/env.ts";
import { METRICS } from "../../shared/geo/metrics.ts";
import { encodeReplicableSelection } from "../../shared/geo/replicable-selection.ts";
import {
  SITE_TABLE_PARTITIONS,
  functionName,
  primaryNames,
  secondaryNames,
  siteNames,
} from "../../shared/geo/physical-names.ts";
import { geoAlarm } from "../constructs/alarm.ts";
import { functionArn } from "../constructs/arns.ts";
import { EachMinute } from "../constructs/each-minute.ts";
import { GeoFunction } from "../constructs/geo-function.ts";
import { flagTableOf, objectTableOf, placeOf, siteTableOf, type GeoSiteProps } from "../constructs/geo-site.ts";
import { GeoWorkflow } from "../constructs/geo-workflow.ts";
import { QueueAccess } from "../constructs/queue-access.ts";
import { siteMetric } from "../constructs/site-metric.ts";
import { WorkflowAccess } from "../constructs/workflow-access.ts";
import { retrySweepWorkflow } from "./retry-sweep-workflow.ts";

/** Lambda runs what it was asked to start and failed twice more. */
const RUNS_OF_A_START = 3;

/** A run asks each partition a few times and sends some 5,000 rows (shared/geo/limits.ts): seconds. */
const TIMEOUT = Duration.minutes(1);

/** Where due rows go. */
const queueOf = ({ config, site }: GeoSiteProps): string =>
  site.role === "primary" ? primaryNames(config, site).checksumQueue : secondaryNames(config, site).eventsQueue;

/**
 * At every site: each minute, sends the rows that are due back to the queues, and has a workflow drain what is too much for
 * that. Losing every message costs a minute.
 */
export class RetrySweep extends Construct {
  constructor(scope: Construct, { config, site }: GeoSiteProps) {
    super(scope, "RetrySweep");
    const here = placeOf(config, site);
    const names = siteNames(config, site);
    const queue = queueOf({ config, site });
    const table = objectTableOf(config, site);
    const sweepName = functionName(config, site, "retry-sweep");

    const flags = flagTableOf(config);
    const siteTable = siteTableOf(config, site);
    const workflow = new WorkflowAccess(here, names.retrySweep);
    const sweep = new GeoFunction(this, "Sweep", {
      folder: "retry-sweep",
      functionName: sweepName,
      description: `Sends what is due at ${site.name} back to the queues`,
      schema: env,
      environment: {
        SITE_NAME: site.name,
        ROLE: site.role,
        TABLE: table.tableName,
        SITE_TABLE: siteTable.tableName,
        EVENTS_QUEUE: queue,
        STATE_MACHINE_ARN: workflow.stateMachineArn,
        PRIMARY_REGION: config.primary.region,
        PRIMARY_SITE_TABLE: flags.tableName,
        REPLICABLES: encodeReplicableSelection(config.selection),
      },
      timeout: TIMEOUT,
      memorySize: 256,
      tracing: config.tracing,
    });
    flags.grantLookUpPartition(sweep, SITE_TABLE_PARTITIONS.site);
    table.grantReadDue(sweep);
    const work = new QueueAccess(here, queue);
    work.grantSend(sweep);
    work.grantMeasure(sweep);
    workflow.grantStart(sweep);
    // Whether the site is paused. (The primary's own record stands beside the flags.)
    if (site.role === "secondary") siteTable.grantLookUpPartition(sweep, SITE_TABLE_PARTITIONS.site);
    siteTable.grantReadPartition(sweep, SITE_TABLE_PARTITIONS.retrySweep);
    siteTable.grantChangePartition(sweep, SITE_TABLE_PARTITIONS.retrySweep);
    // The primary's says of objects that it is time to read them again, unless there is enough to do.
    if (site.role === "primary") table.grantMark(sweep);

    new GeoWorkflow(this, "Workflow", {
      name: names.retrySweep,
      definition: retrySweepWorkflow(functionArn(here, sweepName)),
      calls: [functionArn(here, sweepName)],
      failureMeaning: `What is due at ${site.name} is more than a sweep sends, and can not be drained.`,
      runbook: "retry-sweep",
      tracing: config.tracing,
      alarmTopicArn: site.alarmTopicArn,
    });
    new EachMinute(this, {
      scheduleName: names.retrySweep,
      description: `Starts the sweep of ${site.name}`,
      everyMinutes: config.scheduleSweepMinutes,
      function: sweep.function,
      input: { action: "tick", scheduled_at: ContextAttribute.scheduledTime },
      deadLetterQueueName: names.retrySweepDeadLetterQueue,
      runbook: "retry-sweep",
      alarmTopicArn: site.alarmTopicArn,
    });
    this.#alarms({ config, site }, sweep.function);
  }

  #alarms({ config, site }: GeoSiteProps, sweep: LambdaFunction): void {
    const { retrySweep } = siteNames(config, site);
    const alarm = { runbook: "retry-sweep", alarmTopicArn: site.alarmTopicArn } as const;
    geoAlarm(this, "NotSweeping", {
      ...alarm,
      alarmName: `${retrySweep}-not-sweeping`,
      meaning: `Sweeps of ${site.name} fail, so rows that are due are not tried again.`,
      metric: sweep.metricErrors({ period: Duration.minutes(5), statistic: "Sum" }),
      threshold: RUNS_OF_A_START, // one start that succeeds in the end is no reason to get up
    });
    // Nobody tells of outcomes at a primary: what it reads and can not, it reads again by its own waits.
    if (site.role === "primary") return;
    geoAlarm(this, "HeldBack", {
      ...alarm,
      alarmName: `${retrySweep}-held-back`,
      meaning: `Everything of a type fails at ${site.name}, and its retries are held back until a person has seen to it.`,
      metric: siteMetric(site.name, METRICS.retriesHeldBack, Duration.minutes(5)),
    });
  }
}
