import { Duration } from "aws-cdk-lib";
import { Grant, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { Function as LambdaFunction } from "aws-cdk-lib/aws-lambda";
import { Schedule, ScheduleExpression, ScheduleTargetInput, TimeWindow } from "aws-cdk-lib/aws-scheduler";
import { LambdaInvoke } from "aws-cdk-lib/aws-scheduler-targets";
import { Construct } from "constructs";

import { DeadLetterQueue } from "./dead-letter-queue.ts";
import type { AlarmSection } from "./alarm-names.ts";

export interface EachMinuteProps {
  readonly scheduleName: string;
  readonly description: string;
  /** What is started. Runs of it may overlap. */
  readonly function: LambdaFunction;
  /** Minutes from one start to the next. Default 1. */
  readonly everyMinutes?: number;
  /** What it is handed; attributes of the schedule are filled in (`ContextAttribute`). Default: the schedule's own event. */
  readonly input?: Readonly<Record<string, string>>;
  /** Where starts go that could not be delivered. */
  readonly deadLetterQueueName: string;
  /** The section of docs/runbook.md about the function. */
  readonly runbook: AlarmSection;
  /** A topic that hears of starts that could not be delivered. */
  readonly alarmTopicArn: string | undefined;
}

/** Starts a function each minute, or every few. */
export class EachMinute extends Construct {
  constructor(scope: Construct, props: EachMinuteProps) {
    super(scope, "EachMinute");
    const deadLetters = new DeadLetterQueue(this, "DeadLetters", {
      queueName: props.deadLetterQueueName,
      runbook: props.runbook,
      alarmTopicArn: props.alarmTopicArn,
    });
    // CDK would let the schedule start every version and alias of the function, of which there are none.
    const role = new Role(this, "ScheduleRole", { assumedBy: new ServicePrincipal("scheduler.amazonaws.com") });
    const { functionArn } = props.function;
    Grant.addToPrincipal({ grantee: role, actions: ["lambda:InvokeFunction"], resourceArns: [functionArn] });
    deadLetters.queue.grantSendMessages(role);
    new Schedule(this, "Schedule", {
      scheduleName: props.scheduleName,
      description: props.description,
      schedule: ScheduleExpression.rate(Duration.minutes(props.everyMinutes ?? 1)),
      timeWindow: TimeWindow.off(),
      target: new LambdaInvoke(props.function, {
        role: role.withoutPolicyUpdates(),
        deadLetterQueue: deadLetters.queue,
        maxEventAge: Duration.minutes(5), // by then others have started
        retryAttempts: 1,
        ...(props.input === undefined ? {} : { input: ScheduleTargetInput.fromObject(props.input) }),
      }),
    });
  }
}
