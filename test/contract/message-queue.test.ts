import { SeededChance } from "../../shared/memory/chance.ts";
import { ManualClock } from "../../shared/memory/clock.ts";
import { MemoryQueue } from "../../shared/memory/queue.ts";
import { MemoryTopic } from "../../shared/memory/topic.ts";
import { lacksNothing } from "./capability.ts";
import { messageQueueContract } from "./message-queue.contract.ts";

const memoryQueue = (): MemoryQueue =>
  new MemoryQueue({ name: "queue", clock: new ManualClock(), chance: new SeededChance(1) });

const taking = (queue: MemoryQueue) => async (): Promise<readonly string[]> => {
  const received = await queue.receive();
  await queue.acknowledge(received.map(({ id }) => id));
  return received.map(({ body }) => body);
};

messageQueueContract("A queue in memory", lacksNothing, async () => {
  const queue = memoryQueue();
  return { queue, delays: true, take: taking(queue) };
});

messageQueueContract("A topic in memory", lacksNothing, async () => {
  const queue = memoryQueue();
  const topic = new MemoryTopic("topic");
  topic.subscribe(queue);
  return { queue: topic, delays: true, take: taking(queue) };
});
