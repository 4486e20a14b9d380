import { Duration, RemovalPolicy } from "aws-cdk-lib";
import { Grant, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";
import { Schedule, ScheduleExpression, ScheduleTargetInput, TimeWindow } from "aws-cdk-lib/aws-scheduler";
import { StepFunctionsStartExecution } from "aws-cdk-lib/aws-scheduler-targets";
import { DefinitionBody, LogLevel, StateMachine, StateMachineType } from "aws-cdk-lib/aws-stepfunctions";
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
import { acknowledge } from "../constructs/acknowledge.ts";
import { geoAlarm } from "../constructs/alarm.ts";
import { functionArn } from "../constructs/arns.ts";
import { DeadLetterQueue } from "../constructs/dead-letter-queue.ts";
import { GeoFunction } from "../constructs/geo-function.ts";
import { flagTableOf, objectTableOf, placeOf, type GeoSiteProps } from "../constructs/geo-site.ts";
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

    this.workflow = this.#workflow(names.retrySweep, functionArn(here, sweepName), config.tracing);
    this.workflow.node.addDependency(sweep);
    this.#schedule({ config, site });

    geoAlarm(this, "Failing", {
      alarmName: `${names.retrySweep}-failing`,
      meaning: `Sweeps of ${site.name} fail, so rows that are due are not tried again.`,
      runbook: "retry-sweep",
      metric: this.workflow.metricFailed({ period: Duration.minutes(5), statistic: "Sum" }),
      alarmTopicArn: site.alarmTopicArn,
    });
  }

  #workflow(name: string, sweepFunction: string, tracing: boolean): StateMachine {
    const role = new Role(this, "WorkflowRole", { assumedBy: new ServicePrincipal("states.amazonaws.com") });
    Grant.addToPrincipal({ grantee: role, actions: ["lambda:InvokeFunction"], resourceArns: [sweepFunction] });
    const workflow = new StateMachine(this, "Workflow", {
      stateMachineName: name,
      stateMachineType: StateMachineType.STANDARD,
      definitionBody: DefinitionBody.fromString(JSON.stringify(retrySweepWorkflow(sweepFunction))),
      role,
      tracingEnabled: tracing,
      logs: {
        // A name that begins so is not written into the account's log policy, which has room for a few only.
        destination: new LogGroup(this, "WorkflowLog", {
          logGroupName: `/aws/vendedlogs/states/${name}`,
          retention: RetentionDays.ONE_MONTH,
          removalPolicy: RemovalPolicy.DESTROY,
        }),
        level: LogLevel.ALL,
        includeExecutionData: true, // counts only: { round, sweep: { swept, more } }
      },
    });
    acknowledge(role, {
      "IAM5[Resource::*]": "Log delivery (and X-Ray) can only be allowed for the whole account.",
    });
    acknowledge(workflow, { SF2: "X-Ray is the installation's choice: `tracing` in its configuration." });
    return workflow;
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
