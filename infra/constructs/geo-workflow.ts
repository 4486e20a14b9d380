import { Duration, RemovalPolicy } from "aws-cdk-lib";
import { Grant, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";
import { DefinitionBody, LogLevel, StateMachine, StateMachineType } from "aws-cdk-lib/aws-stepfunctions";
import { Construct } from "constructs";

import { acknowledge } from "./acknowledge.ts";
import { geoAlarm } from "./alarm.ts";
import type { AlarmSection } from "./alarm-names.ts";

/**
 * A state machine in Amazon States Language with JSONPath, as data, so that what is validated and run in tests is what is
 * deployed. Portable: Lambda tasks, inline maps, choices and waits, and nothing that only one cloud understands.
 */
export interface WorkflowDefinition {
  /** What it does, in a sentence. The console shows it. */
  readonly Comment: string;
  readonly StartAt: string;
  /** Seconds an execution may take in all. Without a bound one that hangs would stay for a year. */
  readonly TimeoutSeconds: number;
  readonly States: Readonly<Record<string, object>>;
}

/** How patiently a task is tried again. */
export interface Patience {
  /** Before the first repetition; each further wait is twice as long. Seconds, 1 or more. */
  readonly firstWaitSeconds: number;
  /** No wait is longer. Seconds. */
  readonly longestWaitSeconds: number;
  /** How often a task is repeated at the most. */
  readonly repetitions: number;
}

/**
 * The `Retry` of a task: after every error, with waits that double and are anything between nothing and their length, so
 * that tasks which failed together are not repeated together. A workflow says why its steps can be done twice.
 */
export const retryAfterAnyError = ({ firstWaitSeconds, longestWaitSeconds, repetitions }: Patience) => [
  {
    ErrorEquals: ["States.ALL"],
    IntervalSeconds: firstWaitSeconds,
    MaxAttempts: repetitions,
    BackoffRate: 2,
    MaxDelaySeconds: longestWaitSeconds,
    JitterStrategy: "FULL",
  },
];

export interface GeoWorkflowProps {
  /** Its physical name, from shared/geo/physical-names.ts: at most 80 characters, as Step Functions wants. */
  readonly name: string;
  readonly definition: WorkflowDefinition;
  /** ARNs of the functions that its tasks call. Its role may call these and nothing else. */
  readonly calls: readonly string[];
  /** What it means when an execution fails, in a sentence: the description of its alarms. */
  readonly failureMeaning: string;
  /** The section of docs/runbook.md that says what to do. */
  readonly runbook: AlarmSection;
  /**
   * Whether what goes from state to state is logged as well as the states. Default true: counts, cursors and keys, never
   * the content of an object and never a secret.
   */
  readonly logsData?: boolean;
  /** Whether to report to X-Ray. Default false. */
  readonly tracing?: boolean;
  /** A topic that hears of failed executions. Default: they are only shown. */
  readonly alarmTopicArn?: string | undefined;
}

/** How far back an execution that did not end well is shown as an alarm. */
const SHOWN = { period: Duration.minutes(5), statistic: "Sum" };

/**
 * One Standard workflow: its machine, a role that may call its functions, a log of every state, and the alarms
 * `<name>-failing` and `<name>-timed-out`. Both names have to stand in the runbook's section.
 */
export class GeoWorkflow extends Construct {
  readonly stateMachine: StateMachine;

  constructor(scope: Construct, id: string, props: GeoWorkflowProps) {
    super(scope, id);
    const role = new Role(this, "Role", {
      assumedBy: new ServicePrincipal("states.amazonaws.com"),
      description: `${props.name}: ${props.definition.Comment}`,
    });
    if (props.calls.length > 0) {
      Grant.addToPrincipal({ grantee: role, actions: ["lambda:InvokeFunction"], resourceArns: [...props.calls] });
    }
    this.stateMachine = new StateMachine(this, "Machine", {
      stateMachineName: props.name,
      stateMachineType: StateMachineType.STANDARD,
      definitionBody: DefinitionBody.fromString(JSON.stringify(props.definition)),
      role,
      tracingEnabled: props.tracing === true,
      logs: {
        // A name that begins so is not written into the account's log policy, which has room for a few only.
        destination: new LogGroup(this, "Log", {
          logGroupName: `/aws/vendedlogs/states/${props.name}`,
          retention: RetentionDays.ONE_MONTH,
          removalPolicy: RemovalPolicy.DESTROY,
        }),
        level: LogLevel.ALL,
        includeExecutionData: props.logsData ?? true,
      },
    });
    acknowledge(role, {
      "IAM5[Resource::*]": "Log delivery (and X-Ray) can only be allowed for the whole account.",
    });
    acknowledge(this.stateMachine, { SF2: "X-Ray is the installation's choice: `tracing` in its configuration." });

    for (const [alarm, suffix, metric] of [
      ["Failing", "failing", this.stateMachine.metricFailed(SHOWN)],
      ["TimedOut", "timed-out", this.stateMachine.metricTimedOut(SHOWN)], // CloudWatch does not count it as a failure
    ] as const) {
      geoAlarm(this, alarm, {
        alarmName: `${props.name}-${suffix}`,
        meaning: props.failureMeaning,
        runbook: props.runbook,
        metric,
        alarmTopicArn: props.alarmTopicArn,
      });
    }
  }
}
