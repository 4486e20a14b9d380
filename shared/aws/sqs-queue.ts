import {
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  SendMessageBatchCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import { GeoError, messageOf } from "../geo/errors.ts";
import type { QueueCounts, QueueGauge } from "../ports/queue-gauge.ts";
import type { MessageQueue, OutgoingMessage, SendOutcome } from "../ports/message-queue.ts";
import { entryId, namedFailures, sendInBatches } from "./message-batches.ts";

/** SQS takes at most 1 MiB in one batch (API reference, SendMessageBatch). */
const BATCH_BYTES_MAX = 1024 * 1024;

/** A queue of SQS, known by its name: its URL differs between clouds and is asked for once. */
export class SqsQueue implements MessageQueue, QueueGauge {
  readonly name: string;
  readonly #client: SQSClient;
  #url: Promise<string> | undefined;

  /** @param client A client of the queue's region. */
  constructor(client: SQSClient, name: string) {
    this.name = name;
    this.#client = client;
  }

  async send(messages: readonly OutgoingMessage[]): Promise<SendOutcome> {
    return sendInBatches(messages, BATCH_BYTES_MAX, async (batch) => {
      const { Failed = [] } = await this.#client.send(
        new SendMessageBatchCommand({
          QueueUrl: await this.#queueUrl(),
          Entries: batch.map((entry) => ({
            Id: entryId(entry),
            MessageBody: entry.message.body,
            ...(entry.message.group === undefined ? {} : { MessageGroupId: entry.message.group }),
            ...(entry.message.delaySeconds === undefined ? {} : { DelaySeconds: entry.message.delaySeconds }),
          })),
        }),
      );
      return namedFailures(Failed);
    });
  }

  /** About how many messages wait in it. */
  async backlog(): Promise<number> {
    const { Attributes = {} } = await this.#client.send(
      new GetQueueAttributesCommand({
        QueueUrl: await this.#queueUrl(),
        AttributeNames: ["ApproximateNumberOfMessages"],
      }),
    );
    return Number(Attributes["ApproximateNumberOfMessages"] ?? 0);
  }

  async measure(): Promise<QueueCounts> {
    try {
      const { Attributes = {} } = await this.#client.send(
        new GetQueueAttributesCommand({
          QueueUrl: await this.#queueUrl(),
          AttributeNames: [
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesDelayed",
          ],
        }),
      );
      return {
        waiting: Number(Attributes["ApproximateNumberOfMessages"] ?? 0),
        inFlight: Number(Attributes["ApproximateNumberOfMessagesNotVisible"] ?? 0),
        delayed: Number(Attributes["ApproximateNumberOfMessagesDelayed"] ?? 0),
      };
    } catch (error) {
      throw new GeoError("GEO_QUEUE_UNAVAILABLE", `${this.name}: ${messageOf(error)}`, { cause: error });
    }
  }

  #queueUrl(): Promise<string> {
    this.#url ??= this.#askUrl().catch((error: unknown) => {
      // The queue may be deployed a moment later; the next send asks again.
      this.#url = undefined;
      throw error;
    });
    return this.#url;
  }

  async #askUrl(): Promise<string> {
    const { QueueUrl } = await this.#client.send(new GetQueueUrlCommand({ QueueName: this.name }));
    if (QueueUrl === undefined) throw new Error(`SQS knows no URL of the queue ${this.name}`);
    return QueueUrl;
  }
}
