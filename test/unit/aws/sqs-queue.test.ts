import { SQSClient } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { SqsQueue } from "../../../shared/aws/sqs-queue.ts";
import { type Answer, CREDENTIALS, openWire, type Wire } from "./support/wire.ts";

const answer = (status: number, body: object): Answer => ({
  status,
  body: JSON.stringify(body),
  headers: { "content-type": "application/x-amz-json-1.0" },
});

let wire: Wire;
beforeAll(async () => {
  wire = await openWire();
});
afterAll(() => wire.close());
beforeEach(() => void wire.seen.splice(0));

const queue = (): SqsQueue =>
  new SqsQueue(
    new SQSClient({
      region: "eu-west-1",
      endpoint: wire.endpoint,
      credentials: CREDENTIALS,
      maxAttempts: 1,
      md5: false,
    }),
    "events",
  );
const url = () => answer(200, { QueueUrl: `${wire.endpoint}/123456789012/events` });

describe("a queue of SQS", () => {
  it("asks for its URL once", async () => {
    const subject = queue();
    wire.first.push(url());
    wire.answer = answer(200, { Successful: [], Failed: [] });
    await subject.send([{ body: "a" }]);
    await subject.send([{ body: "b" }]);
    expect(wire.seen.map(({ headers }) => headers["x-amz-target"])).toEqual([
      "AmazonSQS.GetQueueUrl",
      "AmazonSQS.SendMessageBatch",
      "AmazonSQS.SendMessageBatch",
    ]);
  });

  it("asks for its URL again when it was not told", async () => {
    const subject = queue();
    wire.first.push(answer(400, { __type: "com.amazonaws.sqs#QueueDoesNotExist" }), url());
    wire.answer = answer(200, { Successful: [], Failed: [] });
    expect(await subject.send([{ body: "a" }])).toMatchObject({ outcome: "failed", failed: [0] });
    expect(await subject.send([{ body: "a" }])).toEqual({ outcome: "sent" });
  });

  it("reports the entries that SQS refused out of a batch", async () => {
    wire.first.push(url());
    wire.answer = answer(200, { Successful: [], Failed: [{ Id: "1", Code: "InternalError", SenderFault: false }] });
    expect(await queue().send([{ body: "a" }, { body: "b" }])).toEqual({
      outcome: "failed",
      failed: [1],
      reason: "InternalError",
    });
  });

  it("tells how much waits, is under way and comes later", async () => {
    wire.first.push(url());
    wire.answer = answer(200, {
      Attributes: {
        ApproximateNumberOfMessages: "7",
        ApproximateNumberOfMessagesNotVisible: "2",
        ApproximateNumberOfMessagesDelayed: "1",
      },
    });
    expect(await queue().measure()).toEqual({ waiting: 7, inFlight: 2, delayed: 1 });
  });

  it("takes what is not told for nothing, and says so when there is no such queue", async () => {
    const subject = queue();
    wire.first.push(url());
    wire.answer = answer(200, {});
    expect(await subject.measure()).toEqual({ waiting: 0, inFlight: 0, delayed: 0 });
    wire.answer = answer(400, { __type: "com.amazonaws.sqs#QueueDoesNotExist" });
    await expect(subject.measure()).rejects.toMatchObject({ code: "GEO_QUEUE_UNAVAILABLE" });
  });

  it("counts every message as not sent when no answer comes", async () => {
    wire.first.push(url());
    wire.answer = "hang up";
    expect(await queue().send([{ body: "a" }, { body: "b" }])).toMatchObject({ outcome: "failed", failed: [0, 1] });
  });
});
