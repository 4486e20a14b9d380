import pMap from "p-map";
import { MESSAGES_IN_FLIGHT } from "../geo/limits.ts";
import type { ReceivedMessage } from "../ports/message-queue.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import type { BatchWork, Invocation } from "./sqs-handler.ts";

/** What became of one message; `done: false` has it delivered again, and `outOfTime` at once. */
type MessageOutcome =
  | { readonly done: true }
  | { readonly done: false; readonly left: number; readonly reason: string; readonly outOfTime?: true };

/** Telemetry that collects and has to be written out at the end of an invocation. */
export interface FlushableTelemetry extends Telemetry {
  flush(): void;
}

/**
 * Works on a batch message by message, a few at once. A message whose work throws is delivered again, as is one whose work
 * was not finished; neither holds up the others.
 *
 * What there was no time for is given back to the queue at once: a failure waits for the visibility of its message to end,
 * since at once it would most likely fail again, but half an hour is long for what nobody has begun. The message itself is
 * given back, and not a new one sent with the rest of its keys: a worker that dies before, in the middle or after has
 * changed nothing but when the message comes, and Lambda's guard against recursion counts what a function sends to its own
 * queue (R34). It can not loop hot, because a function has spent all its time before it gives anything back.
 */
export const eachMessage =
  (
    telemetry: FlushableTelemetry,
    work: (message: ReceivedMessage, invocation: Invocation) => Promise<MessageOutcome>,
  ): BatchWork =>
  async (messages, invocation) => {
    const again = new Set<string>();
    const atOnce = new Set<string>();
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
        if (outcome.outOfTime === true) atOnce.add(message.id);
        telemetry.warn("a message will be delivered again", {
          message_id: message.id,
          receive_count: message.receiveCount,
          keys_left: outcome.left,
          reason: outcome.reason,
        });
      },
      { concurrency: MESSAGES_IN_FLIGHT },
    );
    if (atOnce.size > 0) {
      await invocation.giveBack(atOnce).catch((error: unknown) => {
        telemetry.warn("messages could not be given back at once", { messages: atOnce.size, reason: String(error) });
      });
    }
    telemetry.flush();
    return again;
  };
