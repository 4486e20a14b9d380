import { describe, expect, test } from "vitest";
import { eachMessage } from "../../../shared/lambda/each-message.ts";
import type { Invocation } from "../../../shared/lambda/sqs-handler.ts";
import { MemoryTelemetry } from "../../../shared/memory/telemetry.ts";
import type { ReceivedMessage } from "../../../shared/ports/message-queue.ts";

const MESSAGES: readonly ReceivedMessage[] = ["a", "b", "c", "d"].map((id) => ({ id, body: "", receiveCount: 1 }));

/** A batch of four: done, thrown, not finished, and not begun for want of time. */
const working = async (giveBack: Invocation["giveBack"]) => {
  const lines = new MemoryTelemetry();
  const telemetry = Object.assign(lines, { flush: () => undefined });
  const work = eachMessage(telemetry, ({ id }) => {
    switch (id) {
      case "a":
        return Promise.resolve({ done: true });
      case "b":
        return Promise.reject(new Error("the table does not answer"));
      case "c":
        return Promise.resolve({ done: false, left: 1, reason: "the table does not answer" });
      default:
        return Promise.resolve({ done: false, left: 1, reason: "the time is up", outOfTime: true });
    }
  });
  return { again: await work(MESSAGES, { stopAt: 0, giveBack }), telemetry: lines };
};

describe("a batch", () => {
  test("has those messages delivered again that were not done, and those at once that there was no time for", async () => {
    const givenBack: string[][] = [];
    const { again } = await working((ids) => Promise.resolve(void givenBack.push([...ids])));
    expect([...again].sort()).toEqual(["b", "c", "d"]);
    expect(givenBack).toEqual([["d"]]);
  });

  test("is reported as it went although nothing could be given back", async () => {
    const { again, telemetry } = await working(() => Promise.reject(new Error("SQS does not answer")));
    expect([...again].sort()).toEqual(["b", "c", "d"]);
    expect(telemetry.linesOf("messages could not be given back at once")).toHaveLength(1);
  });
});
