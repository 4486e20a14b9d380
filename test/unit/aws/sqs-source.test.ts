import { SQSClient } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { SqsSource } from "../../../shared/aws/sqs-source.ts";
import { type Answer, CREDENTIALS, openWire, type Wire } from "./support/wire.ts";

const answer = (body: object): Extract<Answer, { status: number }> => ({
  status: 200,
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
  wire.first.splice(0);
});

const source = (): SqsSource =>
  new SqsSource(
    new SQSClient({ region: "eu-west-1", endpoint: wire.endpoint, credentials: CREDENTIALS, maxAttempts: 1 }),
  );
const url = () => answer({ QueueUrl: `${wire.endpoint}/123456789012/events` });

describe("messages that are given back", () => {
  it("become visible at once, ten by ten", async () => {
    const asked: { readonly Entries: readonly object[] }[] = [];
    wire.first.push(url());
    wire.answer = (body) => {
      asked.push(JSON.parse(body) as (typeof asked)[number]);
      return answer({ Successful: [], Failed: [] });
    };
    await source().giveBack(
      "events",
      Array.from({ length: 12 }, (_, message) => `receipt ${message}`),
    );
    expect(wire.seen.map(({ headers }) => headers["x-amz-target"])).toEqual([
      "AmazonSQS.GetQueueUrl",
      "AmazonSQS.ChangeMessageVisibilityBatch",
      "AmazonSQS.ChangeMessageVisibilityBatch",
    ]);
    const entries = asked.flatMap(({ Entries }) => Entries);
    expect(entries).toHaveLength(12);
    expect(entries).toContainEqual({ Id: "1", ReceiptHandle: "receipt 11", VisibilityTimeout: 0 });
  });

  it("and are refused are told of", async () => {
    wire.first.push(url());
    wire.answer = answer({ Successful: [], Failed: [{ Id: "0", Code: "ReceiptHandleIsInvalid", SenderFault: true }] });
    await expect(source().giveBack("events", ["old"])).rejects.toThrow(
      /1 of 1 messages of events.*ReceiptHandleIsInvalid/,
    );
  });

  it("are not waited for when SQS does not answer: the function has little time left", async () => {
    wire.first.push(url());
    wire.answer = "say nothing";
    await expect(source().giveBack("events", ["a"])).rejects.toThrow("aborted");
  });
});
