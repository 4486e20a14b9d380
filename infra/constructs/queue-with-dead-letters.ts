import { Duration } from "aws-cdk-lib";
import { SqsEventSource } from "aws-cdk-lib/aws-lambda-event-sources";
import { Topic } from "aws-cdk-lib/aws-sns";
import { SqsSubscription } from "aws-cdk-lib/aws-sns-subscriptions";
import { Queue, QueueEncryption, type IQueue } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";

import { DeadLetterQueue, MESSAGE_RETENTION } from "./dead-letter-queue.ts";
import type { AlarmSection } from "./alarm-names.ts";
import type { EnvironmentSchema, GeoFunction } from "./geo-function.ts";
import { waitedTooLong, waitingAlarm } from "./work-alarms.ts";

/** AWS's own advice for a queue that feeds a Lambda: room for throttled and retried batches. */
const VISIBILITY_PER_TIMEOUT = 6;

/** Most messages in one invocation: what one function can hold in flight within its memory and time. */
const BATCH_SIZE = 10;

/**
 * Receives after which a message is put aside that a function works through key by key. A row that fails is due again by
 * itself, so what comes back so often breaks its worker, which is a day or two of work that is ended in the middle. Not
 * fewer: of the ten messages of a batch three are begun at a time, and while copies are slow the others are given back for
 * want of time, three times or so for each time that one is begun.
 */
export const RECEIVES_OF_WORK_MAX = 30;

/** How Lambda hands a queue's messages to a function. */
export interface Feeding {
  /** Most invocations at once, 2 to 1000. Default: as many as Lambda gives. */
  readonly maxConcurrency?: number;
  /** Most messages in one invocation, up to 10, or to 10,000 with a window. Default 10. */
  readonly batchSize?: number;
  /** How long Lambda may collect messages for one invocation, up to five minutes. Default: not at all. */
  readonly batchingWindow?: Duration;
}

/** Has a function read a queue. There is no filter: what a filter does not match, Lambda deletes from the queue. */
export const feedFunction = (
  queue: IQueue,
  reader: GeoFunction<EnvironmentSchema>,
  { maxConcurrency, batchSize = BATCH_SIZE, batchingWindow }: Feeding = {},
): void =>
  reader.function.addEventSource(
    new SqsEventSource(queue, {
      batchSize,
      reportBatchItemFailures: true,
      ...(maxConcurrency === undefined ? {} : { maxConcurrency }),
      ...(batchingWindow === undefined ? {} : { maxBatchingWindow: batchingWindow }),
    }),
  );

export interface QueueWithDeadLettersProps {
  readonly queueName: string;
  readonly deadLetterQueueName: string;
  /** Timeout of the function that reads it; a message stays hidden six times as long, and for the batching window. */
  readonly consumerTimeout: Duration;
  /** The `batchingWindow` that it is fed with. Default: none. */
  readonly batchingWindow?: Duration;
  /** How long each message waits before it can be received, up to 15 minutes. Default: not at all. */
  readonly deliveryDelay?: Duration;
  /** Receives after which a message is put aside, 1 to 1000. */
  readonly maxReceiveCount: number;
  /** From which age of its oldest message on somebody is told. Default: two visibility timeouts, and 15 minutes at least. */
  readonly waitsAtMost?: Duration;
  /** The function that reads it, which is also the section of the runbook. */
  readonly runbook: AlarmSection;
  readonly alarmTopicArn?: string | undefined;
}

/** A standard queue that one function reads, its dead letters, the alarm on them and on what waits for too long. */
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
    const visibilityTimeout = Duration.seconds(
      props.consumerTimeout.toSeconds() * VISIBILITY_PER_TIMEOUT + (props.batchingWindow?.toSeconds() ?? 0),
    );
    this.queue = new Queue(this, "Queue", {
      queueName: props.queueName,
      visibilityTimeout,
      ...(props.deliveryDelay === undefined ? {} : { deliveryDelay: props.deliveryDelay }),
      retentionPeriod: MESSAGE_RETENTION,
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      deadLetterQueue: { queue: this.deadLetters.queue, maxReceiveCount: props.maxReceiveCount },
    });
    waitingAlarm(this, {
      queueName: props.queueName,
      queue: this.queue,
      after: props.waitsAtMost ?? waitedTooLong(visibilityTimeout),
      runbook: props.runbook,
      alarmTopicArn: props.alarmTopicArn,
    });
  }

  /**
   * Has a function read it, ten messages at a time.
   *
   * @param maxConcurrency most invocations at once, 2 to 1000. Default: as many as Lambda gives.
   */
  feed(reader: GeoFunction<EnvironmentSchema>, maxConcurrency?: number): void {
    feedFunction(this.queue, reader, maxConcurrency === undefined ? {} : { maxConcurrency });
  }

  /** Receives what a topic of the same region publishes, as it was published; what can not be delivered is put aside. */
  subscribeTo(topicName: string, topicArn: string): void {
    Topic.fromTopicArn(this, topicName, topicArn).addSubscription(
      new SqsSubscription(this.queue, { rawMessageDelivery: true, deadLetterQueue: this.deadLetters.queue }),
    );
  }
}
