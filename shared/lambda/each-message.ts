import pMap from "p-map";
import { MESSAGES_IN_FLIGHT } from "../geo/limits.ts";
import type { ReceivedMessage } from "../ports/message-queue.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import type { BatchWork, Invocation } from "./sqs-handler.ts";

/** What became of one message; `done: false` has it delivered again. */
type MessageOutcome =
  { readonly done: true } | { readonly done: false; readonly left: number; readonly reason: string };

/** Telemetry that collects and has to be written out at the end of an invocation. */
export interface FlushableTelemetry extends Telemetry {
  flush(): void;
}

/**
 * Works on a batch message by message, a few at once. A message whose work throws is delivered again, as is one whose work
 * was not finished; neither holds up the others.
 */
export const eachMessage =
  (
    telemetry: FlushableTelemetry,
    work: (message: ReceivedMessage, invocation: Invocation) => Promise<MessageOutcome>,
  ): BatchWork =>
  async (messages, invocation) => {
    const again = new Set<string>();
    await pMap(
      messages,
      async (message) => {
        const outcome = await work(message, invocation).catch((error: unknown): MessageOutcome => ({
          done: false,
          left: 1,
          reason: error instanceof Error ? error.message : String(error),
        }));
        if (outcome.done) return;
        again.add(message.id);
        telemetry.warn("a message will be delivered again", {
          message_id: message.id,
          receive_count: message.receiveCount,
          keys_left: outcome.left,
          reason: outcome.reason,
        });
      },
      { concurrency: MESSAGES_IN_FLIGHT },
    );
    telemetry.flush();
    return again;
  };
