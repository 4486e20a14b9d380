import { PublishBatchCommand, type SNSClient } from "@aws-sdk/client-sns";
import type { MessageQueue, OutgoingMessage, SendOutcome } from "../ports/message-queue.ts";
import { entryId, namedFailures, sendInBatches } from "./message-batches.ts";

/** SNS takes at most 256 KiB in one batch unless a topic is set otherwise (API reference, PublishBatch). */
const BATCH_BYTES_MAX = 256 * 1024;

/** A standard topic of SNS, as something to send to. A topic has no delay: `delaySeconds` above 0 is refused. */
export class SnsTopic implements MessageQueue {
  /** The topic's ARN. */
  readonly name: string;
  readonly #client: SNSClient;

  /** @param client A client of the topic's region. */
  constructor(client: SNSClient, topicArn: string) {
    this.name = topicArn;
    this.#client = client;
  }

  async send(messages: readonly OutgoingMessage[]): Promise<SendOutcome> {
    const delayed = messages.flatMap(({ delaySeconds = 0 }, position) => (delaySeconds > 0 ? [position] : []));
    if (delayed.length > 0) {
      return {
        outcome: "failed",
        failed: messages.map((_message, position) => position),
        reason: `a topic can not delay messages; a delay was given at ${delayed.join(", ")}; nothing was sent`,
      };
    }
    return sendInBatches(messages, BATCH_BYTES_MAX, async (batch) => {
      const { Failed = [] } = await this.#client.send(
        new PublishBatchCommand({
          TopicArn: this.name,
          PublishBatchRequestEntries: batch.map((entry) => ({
            Id: entryId(entry),
            Message: entry.message.body,
            // Passed on to standard queues, where it makes them fair.
            ...(entry.message.group === undefined ? {} : { MessageGroupId: entry.message.group }),
          })),
        }),
      );
      return namedFailures(Failed);
    });
  }
}
