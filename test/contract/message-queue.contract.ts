import { beforeAll, describe, expect, it } from "vitest";
import type { MessageQueue } from "../../shared/ports/message-queue.ts";
import { type Lacks, needs } from "./capability.ts";

/** A queue (or what leads to one) with what the suite needs to see what arrived. */
export interface QueueUnderTest {
  readonly queue: MessageQueue;
  /** Whether it can delay messages; a topic can not. */
  readonly delays: boolean;
  /** Takes whatever has arrived by now off the queue. */
  take(): Promise<readonly string[]>;
}

/**
 * What every `MessageQueue` does.
 * @param make an empty one. Called once.
 */
export const messageQueueContract = (name: string, lacks: Lacks, make: () => Promise<QueueUnderTest>): void => {
  describe(`${name} to send to`, () => {
    let subject: QueueUnderTest;
    beforeAll(async () => {
      subject = await make();
    });

    /** Waits until exactly `expected` has arrived, in any order. */
    const arrives = async (expected: readonly string[]): Promise<void> => {
      const arrived: string[] = [];
      await expect
        .poll(async () => (arrived.push(...(await subject.take())), arrived.toSorted()), { timeout: 15_000 })
        .toEqual(expected.toSorted());
    };

    it("delivers one message, unchanged", async () => {
      const body = JSON.stringify({ text: 'ünï "quoted" \u{1F600}\t\n' });
      expect(await subject.queue.send([{ body }])).toEqual({ outcome: "sent" });
      await arrives([body]);
    });

    it("delivers more messages than fit into one batch", async () => {
      const bodies = Array.from({ length: 23 }, (_none, index) => `message ${index}`);
      expect(await subject.queue.send(bodies.map((body) => ({ body, group: "g" })))).toEqual({ outcome: "sent" });
      await arrives(bodies);
    });

    it("delivers messages that are too large to share a batch", async () => {
      const bodies = ["a", "b", "c"].map((letter) => letter.repeat(200 * 1024));
      expect(await subject.queue.send(bodies.map((body) => ({ body })))).toEqual({ outcome: "sent" });
      await arrives(bodies);
    });

    it("has sent nothing when there is nothing to send", async () => {
      expect(await subject.queue.send([])).toEqual({ outcome: "sent" });
    });

    it("names the one message that is too large, and delivers the others", async () => {
      const bodies = ["small", "x".repeat(1024 * 1024 + 1), "also small"];
      const outcome = await subject.queue.send(bodies.map((body) => ({ body })));
      expect(outcome).toMatchObject({ outcome: "failed", failed: [1] });
      await arrives(["small", "also small"]);
    });

    it("refuses a delay of more than 15 minutes", async (context) => {
      needs(context, lacks, "message-delay-limit");
      const outcome = await subject.queue.send([{ body: "late", delaySeconds: 901 }]);
      expect(outcome).toMatchObject({ outcome: "failed", failed: [0] });
    });

    it("does not deliver a delayed message at once", async (context) => {
      context.skip(!subject.delays, "a topic has no delay");
      expect(await subject.queue.send([{ body: "delayed", delaySeconds: 900 }, { body: "prompt" }])).toEqual({
        outcome: "sent",
      });
      await arrives(["prompt"]);
    });
  });
};
