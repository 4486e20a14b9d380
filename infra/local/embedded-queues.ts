import { systemChance, systemClock } from "../../shared/aws/system-clock.ts";
import { MemoryQueue } from "../../shared/memory/queue.ts";
import type { ReceivedMessage } from "../../shared/ports/message-queue.ts";
import type { WorkedThrough } from "../../shared/services/work-through.ts";

/** The queues of the embedded world, and what feeds them to handlers as Lambda does. */

/** As the deployed functions have it, so that leases and quarantines are as long as there. */
export const FUNCTION_TIMEOUT_MS = 120_000;
const MAX_RECEIVE_COUNT = 5;
const IDLE_POLL_MS = 20;

/** How many messages a queue holds, as a service asks it. */
export const backlogOf = (queue: MemoryQueue) => (): Promise<number> => Promise.resolve(queue.size);

type Work = (messages: readonly ReceivedMessage[], stopAt: number) => Promise<ReadonlySet<string>>;

/** Turns a handler of one message into one of a batch; a message that throws has to come again. */
export const each =
  (work: (message: ReceivedMessage, stopAt: number) => Promise<WorkedThrough>): Work =>
  async (messages, stopAt) => {
    const again = new Set<string>();
    await Promise.all(
      messages.map(async (message) => {
        const { done } = await work(message, stopAt).catch(() => ({ done: false }));
        if (!done) again.add(message.id);
      }),
    );
    return again;
  };

/** Feeds a queue to a handler, as an event source mapping does, until `isOver`. */
export const poll = async (queue: MemoryQueue, isOver: () => boolean, work: Work): Promise<void> => {
  while (!isOver()) {
    const messages = await queue.receive();
    if (messages.length === 0) {
      await new Promise((tick) => setTimeout(tick, IDLE_POLL_MS));
      continue;
    }
    const again = await work(messages, systemClock.now() + FUNCTION_TIMEOUT_MS).catch(() => undefined);
    // What failed stays hidden until its visibility timeout, as in SQS.
    if (again !== undefined) await queue.acknowledge(messages.flatMap(({ id }) => (again.has(id) ? [] : [id])));
    await new Promise((tick) => setImmediate(tick)); // the API is served by this very process
  }
};

/** A queue with its dead letters, as deployed. */
export const queueWithDeadLetters = (name: string, deadLettersName: string) => {
  const common = { clock: systemClock, chance: systemChance };
  const deadLetters = new MemoryQueue({ name: deadLettersName, ...common });
  const queue = new MemoryQueue({
    name,
    ...common,
    visibilityTimeoutSeconds: (6 * FUNCTION_TIMEOUT_MS) / 1_000,
    deadLetters: { queue: deadLetters, maxReceiveCount: MAX_RECEIVE_COUNT },
  });
  return { queue, deadLetters };
};
