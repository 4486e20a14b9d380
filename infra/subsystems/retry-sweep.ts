import { Duration } from "aws-cdk-lib";
import { Schedule, ScheduleExpression, ScheduleTargetInput, TimeWindow } from "aws-cdk-lib/aws-scheduler";
import { StepFunctionsStartExecution } from "aws-cdk-lib/aws-scheduler-targets";
import type { StateMachine } from "aws-cdk-lib/aws-stepfunctions";
import { Construct } from "constructs";

import { env } from "../../functions/retry-sweep/env.ts";
import { encodeReplicableSelection } from "../../shared/geo/replicable-selection.ts";
import {
  SITE_TABLE_PARTITIONS,
  functionName,
  primaryNames,
  secondaryNames,
  siteNames,
} from "../../shared/geo/physical-names.ts";
import { functionArn } from "../constructs/arns.ts";
import { DeadLetterQueue } from "../constructs/dead-letter-queue.ts";
import { GeoFunction } from "../constructs/geo-function.ts";
import { flagTableOf, objectTableOf, placeOf, type GeoSiteProps } from "../constructs/geo-site.ts";
import { GeoWorkflow } from "../constructs/geo-workflow.ts";
import { QueueAccess } from "../constructs/queue-access.ts";
import { FIRST_INPUT, retrySweepWorkflow } from "./retry-sweep-workflow.ts";

/** A round asks each partition once and sends 5,000 rows at the most (shared/geo/limits.ts): seconds. */
const TIMEOUT = Duration.minutes(1);

/** Where due rows go. */
const queueOf = ({ config, site }: GeoSiteProps): string =>
  site.role === "primary" ? primaryNames(config, site).checksumQueue : secondaryNames(config, site).eventsQueue;

/** At every site: each minute, sends the rows that are due back to the queues. Losing every message costs a minute. */
export class RetrySweep extends Construct {
  readonly workflow: StateMachine;

  constructor(scope: Construct, { config, site }: GeoSiteProps) {
    super(scope, "RetrySweep");
    const here = placeOf(config, site);
    const names = siteNames(config, site);
    const queue = queueOf({ config, site });
    const table = objectTableOf(config, site);
    const sweepName = functionName(config, site, "retry-sweep");

    const flags = flagTableOf(config);
    const sweep = new GeoFunction(this, "Sweep", {
      folder: "retry-sweep",
      functionName: sweepName,
      description: `Sends what is due at ${site.name} back to the queues`,
      schema: env,
      environment: {
        SITE_NAME: site.name,
        ROLE: site.role,
        TABLE: table.tableName,
        EVENTS_QUEUE: queue,
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
    // The primary's says of objects that it is time to read them again, unless there is enough to do.
    if (site.role === "primary") {
      table.grantMark(sweep);
      work.grantMeasure(sweep);
    }

    const { stateMachine } = new GeoWorkflow(this, "Workflow", {
      name: names.retrySweep,
      definition: retrySweepWorkflow(functionArn(here, sweepName)),
      calls: [functionArn(here, sweepName)],
      failureMeaning: `Sweeps of ${site.name} fail, so rows that are due are not tried again.`,
      runbook: "retry-sweep",
      tracing: config.tracing,
      alarmTopicArn: site.alarmTopicArn,
    });
    this.workflow = stateMachine;
    this.workflow.node.addDependency(sweep);
    this.#schedule({ config, site });
  }

  /**
   * Each start is an execution of its own: the scheduled time that Scheduler could put into the execution's name has
   * colons, which such a name may not have. A start that is delivered twice sweeps twice, which changes nothing.
   */
  #schedule({ config, site }: GeoSiteProps): void {
    const names = siteNames(config, site);
    const deadLetters = new DeadLetterQueue(this, "DeadLetters", {
      queueName: names.retrySweepDeadLetterQueue,
      runbook: "retry-sweep",
      alarmTopicArn: site.alarmTopicArn,
    });
    new Schedule(this, "Schedule", {
      scheduleName: names.retrySweep,
      description: `Starts the sweep of ${site.name}`,
      schedule: ScheduleExpression.rate(Duration.minutes(config.scheduleSweepMinutes)),
      timeWindow: TimeWindow.off(),
      target: new StepFunctionsStartExecution(this.workflow, {
        input: ScheduleTargetInput.fromObject(FIRST_INPUT),
        deadLetterQueue: deadLetters.queue,
        maxEventAge: Duration.minutes(5), // by then others have started
        retryAttempts: 3,
      }),
    });
  }
}
