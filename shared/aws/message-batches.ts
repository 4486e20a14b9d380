import type { OutgoingMessage, SendOutcome } from "../ports/message-queue.ts";

/** A message with its position in the list that the caller gave. */
export interface PositionedMessage {
  readonly position: number;
  readonly message: OutgoingMessage;
}

/** A message that is not known to be durable. */
export interface FailedMessage {
  readonly position: number;
  readonly reason: string;
}

/** Most entries of one batch, for SQS and SNS alike. */
const BATCH_ENTRIES_MAX = 10;

/** Cuts a list into batches that keep both limits. A message that is too large by itself gets a batch of its own. */
export const packBatches = (
  messages: readonly OutgoingMessage[],
  batchBytesMax: number,
): readonly (readonly PositionedMessage[])[] => {
  const batches: PositionedMessage[][] = [];
  let bytes = 0;
  for (const [position, message] of messages.entries()) {
    const size = Buffer.byteLength(message.body);
    const batch = batches.at(-1);
    if (batch === undefined || batch.length === BATCH_ENTRIES_MAX || bytes + size > batchBytesMax) {
      batches.push([{ position, message }]);
      bytes = size;
    } else {
      batch.push({ position, message });
      bytes += size;
    }
  }
  return batches;
};

/** Names an entry of a batch. Unique within the batch, and tells the position when the service names it back. */
export const entryId = ({ position }: PositionedMessage): string => String(position);

/** Makes the failures of a batch from the entries that the service names in its answer. */
export const namedFailures = (
  failed: readonly {
    readonly Id?: string | undefined;
    readonly Code?: string | undefined;
    readonly Message?: string | undefined;
  }[],
): readonly FailedMessage[] =>
  failed.map(({ Id, Code, Message }) => ({ position: Number(Id), reason: [Code, Message].filter(Boolean).join(": ") }));

/**
 * Sends all batches and reports every message whose fate is not known. `sendBatch` may throw: then its whole batch counts
 * as failed.
 */
export const sendInBatches = async (
  messages: readonly OutgoingMessage[],
  batchBytesMax: number,
  sendBatch: (batch: readonly PositionedMessage[]) => Promise<readonly FailedMessage[]>,
): Promise<SendOutcome> => {
  const results = await Promise.all(
    packBatches(messages, batchBytesMax).map(async (batch) => {
      try {
        return await sendBatch(batch);
      } catch (error) {
        const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
        return batch.map(({ position }) => ({ position, reason }));
      }
    }),
  );
  const failed = results.flat();
  if (failed.length === 0) return { outcome: "sent" };
  return {
    outcome: "failed",
    failed: failed.map(({ position }) => position).sort((a, b) => a - b),
    reason: [...new Set(failed.map(({ reason }) => reason))].join("; "),
  };
};
