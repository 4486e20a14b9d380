import { Duration } from "aws-cdk-lib";
import { SqsEventSource } from "aws-cdk-lib/aws-lambda-event-sources";
import { Topic } from "aws-cdk-lib/aws-sns";
import { SqsSubscription } from "aws-cdk-lib/aws-sns-subscriptions";
import { Queue, QueueEncryption } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";

import { DeadLetterQueue, MESSAGE_RETENTION } from "./dead-letter-queue.ts";
import type { FunctionFolder } from "./function-folder.ts";
import type { EnvironmentSchema, GeoFunction } from "./geo-function.ts";

/** AWS's own advice for a queue that feeds a Lambda: room for throttled and retried batches. */
const VISIBILITY_PER_TIMEOUT = 6;

/** Most messages in one invocation: what one function can hold in flight within its memory and time. */
const BATCH_SIZE = 10;

export interface QueueWithDeadLettersProps {
  readonly queueName: string;
  readonly deadLetterQueueName: string;
  /** Timeout of the function that reads it; a message stays hidden six times as long. */
  readonly consumerTimeout: Duration;
  /** Receives after which a message is put aside, 1 to 1000. */
  readonly maxReceiveCount: number;
  /** The function that reads it, which is also the section of the runbook. */
  readonly runbook: FunctionFolder;
  readonly alarmTopicArn?: string | undefined;
}

/** A standard queue that one function reads, its dead letters, and the alarm on them. */
export class QueueWithDeadLetters extends Construct {
  readonly queue: Queue;
  readonly deadLetters: DeadLetterQueue;

  constructor(scope: Construct, id: string, props: QueueWithDeadLettersProps) {
    super(scope, id);
    this.deadLetters = new DeadLetterQueue(this, "DeadLetters", {
      queueName: props.deadLetterQueueName,
      runbook: props.runbook,
      alarmTopicArn: props.alarmTopicArn,
    });
    this.queue = new Queue(this, "Queue", {
      queueName: props.queueName,
      visibilityTimeout: Duration.seconds(props.consumerTimeout.toSeconds() * VISIBILITY_PER_TIMEOUT),
      retentionPeriod: MESSAGE_RETENTION,
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      deadLetterQueue: { queue: this.deadLetters.queue, maxReceiveCount: props.maxReceiveCount },
    });
  }

  /**
   * Has a function read it. There is no filter: what a filter does not match, Lambda deletes from the queue.
   *
   * @param maxConcurrency most invocations at once, 2 to 1000. Default: as many as Lambda gives.
   */
  feed(reader: GeoFunction<EnvironmentSchema>, maxConcurrency?: number): void {
    reader.function.addEventSource(
      new SqsEventSource(this.queue, {
        batchSize: BATCH_SIZE,
        reportBatchItemFailures: true,
        ...(maxConcurrency === undefined ? {} : { maxConcurrency }),
      }),
    );
  }

  /** Receives what a topic of the same region publishes, as it was published; what can not be delivered is put aside. */
  subscribeTo(topicName: string, topicArn: string): void {
    Topic.fromTopicArn(this, topicName, topicArn).addSubscription(
      new SqsSubscription(this.queue, { rawMessageDelivery: true, deadLetterQueue: this.deadLetters.queue }),
    );
  }
}
