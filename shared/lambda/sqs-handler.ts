import type { Context, SQSBatchResponse, SQSEvent } from "aws-lambda";
import { STOP_BEFORE_TIMEOUT_MS } from "../geo/limits.ts";
import type { ReceivedMessage } from "../ports/message-queue.ts";

/** What a handler is told about the invocation. */
export interface Invocation {
  /** When to stop starting new work, milliseconds since the epoch. */
  readonly stopAt: number;
}

/** Works on a batch and names the messages that have to be delivered again. */
export type BatchWork = (messages: readonly ReceivedMessage[], invocation: Invocation) => Promise<ReadonlySet<string>>;

/**
 * The skin of a function that an SQS queue feeds: a batch fails message by message, never as a whole.
 *
 * The time that is left is reckoned from the configured timeout and the start of the invocation: a local cloud may
 * report a remaining time that means nothing.
 */
export const sqsHandler =
  (options: { readonly timeoutMs: number; readonly now: () => number }, work: BatchWork) =>
  async (event: SQSEvent, _context?: Context): Promise<SQSBatchResponse> => {
    const startedAt = options.now();
    const messages = event.Records.map((record) => ({
      id: record.messageId,
      body: record.body,
      receiveCount: Number(record.attributes.ApproximateReceiveCount),
    }));
    const failed = await work(messages, { stopAt: startedAt + options.timeoutMs - STOP_BEFORE_TIMEOUT_MS });
    return { batchItemFailures: [...failed].map((id) => ({ itemIdentifier: id })) };
  };
