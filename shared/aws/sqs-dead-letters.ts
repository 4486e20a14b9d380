import {
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import { GeoError, messageOf } from "../geo/errors.ts";
import type { DeadLetter, DeadLetters } from "../ports/dead-letters.ts";

/** Most messages of one answer (API reference, ReceiveMessage). */
const RECEIVE_MAX = 10;

/** Asks all of SQS's servers: a short poll asks a few, and finds nothing in a queue of few messages. Seconds. */
const WAIT_SECONDS = 1;

/** A dead-letter queue of SQS, known by its name. Each call throws `GEO_QUEUE_UNAVAILABLE` when SQS refuses or does not answer. */
export class SqsDeadLetters implements DeadLetters {
  readonly name: string;
  readonly #client: SQSClient;
  #url: string | undefined;

  /** @param client of the queue's region */
  constructor(client: SQSClient, name: string) {
    this.name = name;
    this.#client = client;
  }

  async count(): Promise<number> {
    return this.#answered(async (QueueUrl) => {
      const { Attributes = {} } = await this.#client.send(
        new GetQueueAttributesCommand({
          QueueUrl,
          AttributeNames: ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        }),
      );
      return Object.values(Attributes).reduce((sum, value) => sum + Number(value), 0);
    });
  }

  async receive(hiddenSeconds: number): Promise<readonly DeadLetter[]> {
    return this.#answered(async (QueueUrl) => {
      const { Messages = [] } = await this.#client.send(
        new ReceiveMessageCommand({
          QueueUrl,
          MaxNumberOfMessages: RECEIVE_MAX,
          VisibilityTimeout: hiddenSeconds,
          WaitTimeSeconds: WAIT_SECONDS,
          MessageSystemAttributeNames: ["MessageGroupId"],
        }),
      );
      return Messages.flatMap(({ MessageId: id, ReceiptHandle: receipt, Body: body, Attributes = {} }) => {
        if (id === undefined || receipt === undefined || body === undefined) return [];
        const group = Attributes.MessageGroupId;
        return [{ id, receipt, body, ...(group === undefined ? {} : { group }) }];
      });
    });
  }

  async remove(receipts: readonly string[]): Promise<void> {
    if (receipts.length === 0) return;
    await this.#answered((QueueUrl) =>
      this.#client.send(
        new DeleteMessageBatchCommand({
          QueueUrl,
          Entries: receipts.map((ReceiptHandle, place) => ({ Id: String(place), ReceiptHandle })),
        }),
      ),
    );
  }

  async #answered<T>(ask: (url: string) => Promise<T>): Promise<T> {
    try {
      this.#url ??= (await this.#client.send(new GetQueueUrlCommand({ QueueName: this.name }))).QueueUrl ?? "";
      return await ask(this.#url);
    } catch (error) {
      throw new GeoError("GEO_QUEUE_UNAVAILABLE", `${this.name}: ${messageOf(error)}`, { cause: error });
    }
  }
}
