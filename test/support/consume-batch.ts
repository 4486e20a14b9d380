import type { MemoryQueue } from "../../shared/memory/queue.ts";
import { consumeEvents } from "../../shared/services/consume.ts";
import type { TwoSites } from "./two-sites.ts";

/**
 * The event-consumer is given a batch of a queue, ten messages or less; false when there is none to be received. The clock
 * stands still meanwhile.
 */
export const consumeBatch = async (world: TwoSites, queue: MemoryQueue): Promise<boolean> => {
  const messages = await queue.receive();
  const stopAt = world.clock.now() + world.secondary.functionTimeoutMs - 5_000;
  const parking = world.queues.events.deadLetters;
  for (const message of messages) {
    const consuming = { site: world.secondary, replicables: world.replicables, parking, stopAt };
    if ((await consumeEvents(consuming, message)).done) await queue.acknowledge([message.id]);
  }
  return messages.length > 0;
};
