import { SQSClient } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { SqsDeadLetters } from "../../../shared/aws/sqs-dead-letters.ts";
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
beforeEach(() => {
  wire.seen.splice(0);
  wire.first.splice(0, wire.first.length, answer(200, { QueueUrl: `${wire.endpoint}/123456789012/letters` }));
});

const letters = (): SqsDeadLetters =>
  new SqsDeadLetters(
    new SQSClient({
      region: "eu-west-1",
      endpoint: wire.endpoint,
      credentials: CREDENTIALS,
      maxAttempts: 1,
      md5: false,
    }),
    "letters",
  );

let sent: unknown;
/** Answers so, and remembers what was sent last. */
const answering =
  (body: object): Answer =>
  (request) => {
    sent = JSON.parse(request);
    return { status: 200, body: JSON.stringify(body), headers: { "content-type": "application/x-amz-json-1.0" } };
  };

describe("a dead-letter queue of SQS", () => {
  it("counts what lies in it, and what somebody looks at", async () => {
    wire.answer = answer(200, {
      Attributes: { ApproximateNumberOfMessages: "7", ApproximateNumberOfMessagesNotVisible: "2" },
    });
    expect(await letters().count()).toBe(9);
  });

  it("shows messages with the group that they were sent with, and hides them for as long as asked", async () => {
    wire.answer = answering({
      Messages: [
        { MessageId: "m1", ReceiptHandle: "r1", Body: "one", Attributes: { MessageGroupId: "cool_widget" } },
        { MessageId: "m2", ReceiptHandle: "r2", Body: "two" },
        { MessageId: "m3" },
      ],
    });
    expect(await letters().receive(60)).toEqual([
      { id: "m1", receipt: "r1", body: "one", group: "cool_widget" },
      { id: "m2", receipt: "r2", body: "two" },
    ]);
    expect(sent).toMatchObject({ VisibilityTimeout: 60, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 });
  });

  it("takes away what is named by its receipt, and asks nothing when nothing is", async () => {
    wire.answer = answering({ Successful: [], Failed: [] });
    const subject = letters();
    await subject.remove([]);
    expect(wire.seen).toEqual([]);
    await subject.remove(["r1", "r2"]);
    expect(sent).toMatchObject({
      Entries: [
        { Id: "0", ReceiptHandle: "r1" },
        { Id: "1", ReceiptHandle: "r2" },
      ],
    });
  });

  it("that is not there, or does not answer, says which and why", async () => {
    wire.first.splice(0, 1, answer(400, { __type: "com.amazonaws.sqs#QueueDoesNotExist", message: "no such queue" }));
    await expect(letters().count()).rejects.toMatchObject({ code: "GEO_QUEUE_UNAVAILABLE", message: /^letters: / });
    wire.answer = answer(500, {});
    await expect(letters().receive(1)).rejects.toMatchObject({ code: "GEO_QUEUE_UNAVAILABLE" });
  });
});
