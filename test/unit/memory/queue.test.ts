import { describe, expect, it } from "vitest";
import { SeededChance } from "../../../shared/memory/chance.ts";
import { ManualClock } from "../../../shared/memory/clock.ts";
import { MemoryQueue } from "../../../shared/memory/queue.ts";
import { MemoryTopic } from "../../../shared/memory/topic.ts";

const makeQueues = () => {
  const clock = new ManualClock();
  const chance = new SeededChance(1);
  const dead = new MemoryQueue({ name: "dead", clock, chance });
  const queue = new MemoryQueue({
    name: "queue",
    clock,
    chance,
    visibilityTimeoutSeconds: 60,
    deadLetters: { queue: dead, maxReceiveCount: 2 },
  });
  return { clock, dead, queue };
};

describe("a queue in memory", () => {
  it("hides a received message until it times out, and counts how often it was received", async () => {
    const { clock, queue } = makeQueues();
    await queue.send([{ body: "a" }]);
    expect(await queue.receive()).toMatchObject([{ body: "a", receiveCount: 1 }]);
    clock.advance(59_999);
    expect(await queue.receive()).toEqual([]);
    clock.advance(1);
    expect(await queue.receive()).toMatchObject([{ body: "a", receiveCount: 2 }]);
  });

  it("forgets what was acknowledged", async () => {
    const { clock, queue } = makeQueues();
    await queue.send([{ body: "a" }, { body: "b" }]);
    const [first] = await queue.receive();
    await queue.acknowledge([first?.id ?? ""]);
    clock.advance(60_000);
    expect(queue.bodies).toEqual(["b"]);
  });

  it("moves a message to the dead letters instead of handing it over once too often", async () => {
    const { queue, dead } = makeQueues();
    await queue.send([{ body: "poison" }]);
    for (const _round of [1, 2]) queue.release((await queue.receive()).map(({ id }) => id));
    expect(await queue.receive()).toEqual([]);
    expect(dead.bodies).toEqual(["poison"]);
    expect(await dead.receive()).toMatchObject([{ receiveCount: 1 }]);
  });

  it("delivers a delayed message when its time has come", async () => {
    const { clock, queue } = makeQueues();
    await queue.send([{ body: "late", delaySeconds: 10 }]);
    expect(queue.nextVisibleAt).toBe(clock.now() + 10_000);
    expect(await queue.receive()).toEqual([]);
    clock.advance(10_000);
    expect(await queue.receive()).toMatchObject([{ body: "late" }]);
  });

  it.each(["\u0000", "a\u001f", "\uFFFE", "\uFFFF", "half \uD800 a pair"])(
    "refuses what SQS refuses: %j",
    async (body) => {
      const { queue } = makeQueues();
      expect(await queue.send([{ body: "fine" }, { body }])).toMatchObject({ outcome: "failed", failed: [1] });
      expect(queue.bodies).toEqual(["fine"]);
    },
  );

  it("reports a send that was interfered with as failed, although it may have happened", async () => {
    const { queue } = makeQueues();
    queue.interference = {
      after: () => {
        throw new Error("no answer");
      },
    };
    expect(await queue.send([{ body: "a" }])).toEqual({ outcome: "failed", failed: [0], reason: "no answer" });
    expect(queue.bodies).toEqual(["a"]);
  });

  it("goes back to a snapshot", async () => {
    const { queue } = makeQueues();
    await queue.send([{ body: "a" }]);
    const state = queue.export();
    await queue.receive();
    await queue.send([{ body: "b" }]);
    queue.import(state);
    expect(await queue.receive()).toMatchObject([{ body: "a", receiveCount: 1 }]);
  });
});

describe("a topic in memory", () => {
  it("sends every message to every queue, and stops when a subscription ends", async () => {
    const { queue, dead: other } = makeQueues();
    const topic = new MemoryTopic("topic");
    topic.subscribe(queue);
    const unsubscribe = topic.subscribe(other);
    await topic.send([{ body: "a" }]);
    unsubscribe();
    await topic.send([{ body: "b" }]);
    expect(queue.bodies).toEqual(["a", "b"]);
    expect(other.bodies).toEqual(["a"]);
  });
});
