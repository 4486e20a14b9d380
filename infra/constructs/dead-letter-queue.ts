import { Duration } from "aws-cdk-lib";
import { Queue, QueueEncryption } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";

import { acknowledge } from "./acknowledge.ts";
import { geoAlarm } from "./alarm.ts";
import type { AlarmSection } from "./alarm-names.ts";

/** As long as SQS can keep a message. */
export const MESSAGE_RETENTION = Duration.days(14);

export interface DeadLetterQueueProps {
  readonly queueName: string;
  /** Whose messages end here, which is also the section of the runbook. */
  readonly runbook: AlarmSection;
  readonly alarmTopicArn?: string | undefined;
}

/** Where messages wait for a person, with the alarm that calls one. */
export class DeadLetterQueue extends Construct {
  readonly queue: Queue;

  constructor(scope: Construct, id: string, props: DeadLetterQueueProps) {
    super(scope, id);
    this.queue = new Queue(this, "Queue", {
      queueName: props.queueName,
      retentionPeriod: MESSAGE_RETENTION,
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
    });
    acknowledge(this.queue, { SQS3: "This is a dead-letter queue." });
    geoAlarm(this, "Alarm", {
      alarmName: `${props.queueName}-not-empty`,
      meaning: `Messages of ${props.runbook} wait in ${props.queueName} for a decision.`,
      runbook: props.runbook,
      metric: this.queue.metricApproximateNumberOfMessagesVisible({
        period: Duration.minutes(1),
        statistic: "Maximum",
      }),
      alarmTopicArn: props.alarmTopicArn,
    });
  }
}
