import type { Context, SQSBatchResponse, SQSEvent } from "aws-lambda";
import { STOP_BEFORE_TIMEOUT_MS } from "../geo/limits.ts";
import type { MessageSource, ReceivedMessage } from "../ports/message-queue.ts";

/** What a handler is told about the invocation. */
export interface Invocation {
  /** When to stop starting new work, milliseconds since the epoch. */
  readonly stopAt: number;
  /**
   * Has messages of this batch delivered again at once, by their ids, and not only when their visibility ends. They have to
   * be named as failed as well, or Lambda deletes them.
   *
   * @throws when some of them are not known to have been given back: they come later
   */
  readonly giveBack: (ids: ReadonlySet<string>) => Promise<void>;
}

/** Works on a batch and names the messages that have to be delivered again. */
export type BatchWork = (messages: readonly ReceivedMessage[], invocation: Invocation) => Promise<ReadonlySet<string>>;

export interface SqsHandlerOptions {
  /** The function's timeout, milliseconds. */
  readonly timeoutMs: number;
  readonly now: () => number;
  /** Undefined for a function that never gives a message back before its time. */
  readonly source: MessageSource | undefined;
}

/** `arn:aws:sqs:eu-west-1:123456789012:events` → `events`. */
const queueNameOf = (arn: string): string => arn.slice(arn.lastIndexOf(":") + 1);

/**
 * The skin of a function that an SQS queue feeds: a batch fails message by message, never as a whole.
 *
 * The time that is left is reckoned from the configured timeout and the start of the invocation: a local cloud may
 * report a remaining time that means nothing.
 */
export const sqsHandler =
  (options: SqsHandlerOptions, work: BatchWork) =>
  async (event: SQSEvent, _context?: Context): Promise<SQSBatchResponse> => {
    const startedAt = options.now();
    const messages = event.Records.map((record) => ({
      id: record.messageId,
      body: record.body,
      receiveCount: Number(record.attributes.ApproximateReceiveCount),
    }));
    const giveBack = async (ids: ReadonlySet<string>): Promise<void> => {
      const records = event.Records.filter(({ messageId }) => ids.has(messageId));
      for (const [arn, ofQueue] of Map.groupBy(records, ({ eventSourceARN }) => eventSourceARN)) {
        const receipts = ofQueue.map(({ receiptHandle }) => receiptHandle);
        await options.source?.giveBack(queueNameOf(arn), receipts);
      }
    };
    const stopAt = startedAt + options.timeoutMs - STOP_BEFORE_TIMEOUT_MS;
    const failed = await work(messages, { stopAt, giveBack });
    return { batchItemFailures: [...failed].map((id) => ({ itemIdentifier: id })) };
  };
