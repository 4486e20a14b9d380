import { ChangeMessageVisibilityBatchCommand, GetQueueUrlCommand, type SQSClient } from "@aws-sdk/client-sqs";
import { GeoError } from "../geo/errors.ts";
import type { MessageSource } from "../ports/message-queue.ts";
import { GIVE_BACK_MS } from "./timeouts.ts";

/** Most entries of one batch (API reference, ChangeMessageVisibilityBatch). */
const BATCH_ENTRIES_MAX = 10;

/** The queues that feed a function: Lambda receives and deletes for it, and this gives back. */
export class SqsSource implements MessageSource {
  readonly #client: SQSClient;

  /** @param client A client of the function's own region, where every queue is that feeds it. */
  constructor(client: SQSClient) {
    this.#client = client;
  }

  async giveBack(queue: string, receipts: readonly string[]): Promise<void> {
    const deadline = { abortSignal: AbortSignal.timeout(GIVE_BACK_MS) };
    const { QueueUrl } = await this.#client.send(new GetQueueUrlCommand({ QueueName: queue }), deadline);
    const batches = Array.from({ length: Math.ceil(receipts.length / BATCH_ENTRIES_MAX) }, (_, batch) =>
      receipts.slice(batch * BATCH_ENTRIES_MAX, (batch + 1) * BATCH_ENTRIES_MAX),
    );
    const answers = await Promise.all(
      batches.map((batch) =>
        this.#client.send(
          new ChangeMessageVisibilityBatchCommand({
            QueueUrl,
            Entries: batch.map((ReceiptHandle, place) => ({
              Id: String(place),
              ReceiptHandle,
              VisibilityTimeout: 0,
            })),
          }),
          deadline,
        ),
      ),
    );
    const kept = answers.flatMap(({ Failed = [] }) => Failed);
    if (kept.length === 0) return;
    const reasons = [...new Set(kept.map(({ Code, Message }) => [Code, Message].filter(Boolean).join(": ")))];
    throw new GeoError(
      "GEO_QUEUE_UNAVAILABLE",
      `${kept.length} of ${receipts.length} messages of ${queue} could not be given back: ${reasons.join("; ")}`,
    );
  }
}
