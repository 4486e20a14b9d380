import { describe, expect, it } from "vitest";
import { billedRequest } from "../../bench/billed-request.ts";
import { DynamoMeter } from "../../bench/dynamo-meter.ts";
import { callerOf, type Exchange } from "../../support/wire/exchange.ts";

const exchange = (service: string, parts: Partial<Exchange> = {}): Exchange => ({
  method: "POST",
  path: "/",
  requestBody: Buffer.alloc(0),
  status: 200,
  responseBody: Buffer.alloc(0),
  ...parts,
  headers: {
    authorization: `AWS4-HMAC-SHA256 Credential=test/20261121/eu-west-1/${service}/aws4_request, SignedHeaders=host, Signature=0`,
    "user-agent": "aws-sdk-js/3 lang/js app/s3-geo-ireland-event-consumer",
    ...parts.headers,
  },
});

const classify = (one: Exchange) => billedRequest(new DynamoMeter(), one);

const s3 = (method: string, path: string, headers: Exchange["headers"] = {}) =>
  classify(exchange("s3", { method, path, headers }));

describe("a request to S3", () => {
  it("is told by its method and its query, for the bucket that its path begins with", () => {
    expect(s3("HEAD", "/source/a/b%20c")).toMatchObject({ operation: "HeadObject", target: "source" });
    expect(s3("GET", "/replica/a?versionId=1&x-id=GetObject")).toMatchObject({ operation: "GetObject" });
    expect(s3("GET", "/replica/a?tagging=&versionId=1")).toMatchObject({ operation: "GetObjectTagging" });
    expect(s3("GET", "/replica?list-type=2")).toMatchObject({ operation: "ListObjectsV2" });
    expect(s3("HEAD", "/replica")).toMatchObject({ operation: "HeadBucket", target: "replica" });
    expect(s3("DELETE", "/replica/a")).toMatchObject({ operation: "DeleteObject" });
  });

  it("is a copy when it names a source, and costs what a PUT costs", () => {
    const copy = s3("PUT", "/replica/a?x-id=CopyObject", { "x-amz-copy-source": "source/a?versionId=1" });
    expect(copy).toMatchObject({ operation: "CopyObject", charges: [{ item: "s3_write_request", units: 1 }] });
    expect(s3("PUT", "/replica/a")).toMatchObject({ operation: "PutObject" });
  });

  it.each([
    ["POST", "/replica/a?uploads=", {}, "CreateMultipartUpload", "s3_write_request"],
    [
      "PUT",
      "/replica/a?partNumber=1&uploadId=u",
      { "x-amz-copy-source": "source/a" },
      "UploadPartCopy",
      "s3_write_request",
    ],
    ["POST", "/replica/a?uploadId=u", {}, "CompleteMultipartUpload", "s3_write_request"],
    ["GET", "/replica/a?uploadId=u&x-id=ListParts", {}, "ListParts", "s3_write_request"],
    ["GET", "/replica?uploads=", {}, "ListMultipartUploads", "s3_write_request"],
    ["DELETE", "/replica/a?uploadId=u", {}, "AbortMultipartUpload", "s3_free_request"],
  ])("of a copy in parts, %s %s, is known and charged", (method, path, headers, operation, item) => {
    expect(s3(method, path, headers)).toMatchObject({ operation, charges: [{ item, units: 1 }] });
  });

  it("is free when it deletes, and cheap when it reads", () => {
    expect(s3("DELETE", "/replica/a").charges).toEqual([{ item: "s3_free_request", units: 1 }]);
    expect(s3("HEAD", "/source/a").charges).toEqual([{ item: "s3_read_request", units: 1 }]);
    expect(s3("GET", "/source?list-type=2").charges).toEqual([{ item: "s3_write_request", units: 1 }]);
  });

  it("is refused when nobody knows what it is", () => {
    expect(() => s3("PATCH", "/replica/a")).toThrow(/PATCH/);
  });
});

const send = (bodies: readonly string[]) =>
  classify(
    exchange("sqs", {
      headers: { "x-amz-target": "AmazonSQS.SendMessageBatch" },
      requestBody: Buffer.from(
        JSON.stringify({
          QueueUrl: "http://127.0.0.1:4566/000000000000/geo-events",
          Entries: bodies.map((MessageBody, index) => ({ Id: String(index), MessageBody })),
        }),
      ),
    }),
  );

describe("a batch that is sent", () => {
  it("is one request to its queue however many messages it has", () => {
    expect(send(["a", "b", "c"])).toMatchObject({
      operation: "SendMessageBatch",
      target: "geo-events",
      messages: 3,
      charges: [{ item: "sqs_request", units: 1 }],
    });
  });

  it("is charged for every 64 KB begun", () => {
    expect(send(["x".repeat(64 * 1_024)]).charges).toEqual([{ item: "sqs_request", units: 1 }]);
    expect(send(["x".repeat(64 * 1_024), "y"]).charges).toEqual([{ item: "sqs_request", units: 2 }]);
  });

  it("is read from a form when it goes to a topic", () => {
    const form = new URLSearchParams({
      Action: "PublishBatch",
      TopicArn: "arn:aws:sns:us-east-1:000000000000:announcements",
      "PublishBatchRequestEntries.member.1.Id": "0",
      "PublishBatchRequestEntries.member.1.Message": "hello",
      "PublishBatchRequestEntries.member.2.Message": "again",
    });
    expect(classify(exchange("sns", { requestBody: Buffer.from(form.toString()) }))).toMatchObject({
      operation: "PublishBatch",
      target: "announcements",
      messages: 2,
      charges: [{ item: "sns_request", units: 1 }],
    });
  });

  it("is one request, and no message, when it gives back what there was no time for", () => {
    const givenBack = exchange("sqs", {
      headers: { "x-amz-target": "AmazonSQS.ChangeMessageVisibilityBatch" },
      requestBody: Buffer.from(
        JSON.stringify({
          QueueUrl: "http://127.0.0.1:4566/000000000000/geo-events",
          Entries: [{ Id: "0", ReceiptHandle: "receipt", VisibilityTimeout: 0 }],
        }),
      ),
    });
    expect(classify(givenBack)).toMatchObject({
      operation: "ChangeMessageVisibilityBatch",
      target: "geo-events",
      messages: 0,
      charges: [{ item: "sqs_request", units: 1 }],
    });
  });

  it("is not taken for a message when it only asks where the queue is", () => {
    const asked = exchange("sqs", {
      headers: { "x-amz-target": "AmazonSQS.GetQueueUrl" },
      requestBody: Buffer.from('{"QueueName":"geo-events"}'),
    });
    expect(classify(asked)).toMatchObject({ operation: "GetQueueUrl", target: "geo-events", messages: 0 });
  });
});

const named = (agent: string): string => callerOf(exchange("s3", { headers: { "user-agent": agent } }));

describe("who made a request", () => {
  it("is the function, although Powertools writes itself behind its name", () => {
    expect(named("aws-sdk-js/3 app/s3-geo-ireland-event-consumer")).toBe("s3-geo-ireland-event-consumer");
    expect(named("aws-sdk-js/3 app/s3-geo-ireland-counters-PT-NO-OP-2.35.0-PTEnv-NA m/E")).toBe(
      "s3-geo-ireland-counters",
    );
    expect(named("aws-sdk-js/3 app/s3-geo-PT-site-counters")).toBe("s3-geo-PT-site-counters");
  });

  it("is unknown when it does not say", () => {
    expect(named("curl/8")).toBe("unknown");
  });
});

it("says when the cloud refused a request", () => {
  const head = { method: "HEAD", path: "/source/a" };
  expect(classify(exchange("s3", { ...head, status: 404 })).refused).toBe(true);
  expect(classify(exchange("s3", head)).refused).toBe(false);
});

it("refuses a request to a service that has no price here", () => {
  expect(() => classify(exchange("kms"))).toThrow(/kms/);
});
