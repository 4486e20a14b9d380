import type { SQSEvent, SQSRecord } from "aws-lambda";
import { expect, test } from "vitest";
import { STOP_BEFORE_TIMEOUT_MS } from "../../../shared/geo/limits.ts";
import { type BatchWork, sqsHandler } from "../../../shared/lambda/sqs-handler.ts";

/** As much of a record as the handler looks at. */
const aRecord = (messageId: string, queue = "events"): SQSRecord =>
  ({
    messageId,
    body: `body of ${messageId}`,
    receiptHandle: `receipt of ${messageId}`,
    eventSourceARN: `arn:aws:sqs:eu-west-1:123456789012:${queue}`,
    attributes: { ApproximateReceiveCount: "3" },
  }) as SQSRecord;

const handling = (work: BatchWork) => {
  const givenBack: unknown[] = [];
  const source = {
    giveBack: (queue: string, receipts: readonly string[]) => Promise.resolve(void givenBack.push([queue, receipts])),
  };
  const handle = sqsHandler({ timeoutMs: 60_000, now: () => 1_000, source }, work);
  const event: SQSEvent = { Records: [aRecord("1"), aRecord("2"), aRecord("3")] };
  return { givenBack, handle: () => handle(event) };
};

test("messages are handed on with how often they came, and with the time to stop at", async () => {
  const { handle } = handling((messages, { stopAt }) => {
    expect(messages[0]).toEqual({ id: "1", body: "body of 1", receiveCount: 3 });
    expect(stopAt).toBe(61_000 - STOP_BEFORE_TIMEOUT_MS);
    return Promise.resolve(new Set(["2"]));
  });
  expect(await handle()).toEqual({ batchItemFailures: [{ itemIdentifier: "2" }] });
});

test("a message that is given back goes to the queue it came from, by its receipt, and is still named as failed", async () => {
  const { handle, givenBack } = handling(async (_messages, { giveBack }) => {
    await giveBack(new Set(["1", "3"]));
    return new Set(["1", "3"]);
  });
  expect(await handle()).toEqual({ batchItemFailures: [{ itemIdentifier: "1" }, { itemIdentifier: "3" }] });
  expect(givenBack).toEqual([["events", ["receipt of 1", "receipt of 3"]]]);
});
