import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { S3Client } from "@aws-sdk/client-s3";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { dynamoClient, s3Reader, s3Writer, snsClient, sqsClient } from "../../../shared/aws/clients.ts";
import { DynamoTable } from "../../../shared/aws/dynamo-table.ts";
import { S3Bucket } from "../../../shared/aws/s3-bucket.ts";
import { S3ReplicaBucket } from "../../../shared/aws/s3-replica-bucket.ts";
import { SnsTopic } from "../../../shared/aws/sns-topic.ts";
import { SqsQueue } from "../../../shared/aws/sqs-queue.ts";
import { ASKING, type Timeouts, WRITING } from "../../../shared/aws/timeouts.ts";
import { StoreUnavailableError, TableUnavailableError } from "../../../shared/geo/errors.ts";
import type { CopyRequest } from "../../../shared/ports/object-store.ts";
import { CREDENTIALS, openWire, type Wire } from "./support/wire.ts";

/** As the product's own, but soon over. */
const SOON: Timeouts = { connectMs: 2_000, answerMs: 100, idleMs: 100 };

/** Sockets that the SDK opens per client. */
const SOCKETS = 50;

const REGION = "eu-west-1";
const ACCOUNT = "123456789012";

const COPY: CopyRequest = {
  key: "key",
  sourceVersionId: "v1",
  sourceEtag: '"source"',
  size: 7,
  storageClass: "STANDARD",
  headers: {},
  metadata: {},
  replica: { expect: "nothing" },
};

let wire: Wire;
beforeAll(async () => {
  wire = await openWire();
  wire.answer = "say nothing";
});
afterAll(() => wire.close());
beforeEach(() => {
  wire.seen.splice(0);
  vi.stubEnv("AWS_ENDPOINT_URL", wire.endpoint);
  vi.stubEnv("AWS_ACCESS_KEY_ID", CREDENTIALS.accessKeyId);
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", CREDENTIALS.secretAccessKey);
});
afterEach(() => void vi.unstubAllEnvs());

const reading = (client: S3Client): S3Bucket => new S3Bucket({ client, bucket: "bucket", accountId: ACCOUNT });

const replica = (writer: S3Client, timeLimitMs: number): S3ReplicaBucket =>
  new S3ReplicaBucket({
    client: writer,
    writer,
    copier: writer,
    bucket: "replica",
    primaryBucket: "primary",
    accountId: ACCOUNT,
    timeLimitMs: () => timeLimitMs,
  });

describe("a service that takes a request and never answers", () => {
  it("fails a look at a bucket, after the SDK has asked again", async () => {
    const seen = await reading(s3Reader(REGION, SOON)).head("key");
    expect(seen).toMatchObject({ outcome: "failed", failure: { kind: "unavailable" } });
    expect(wire.seen).toHaveLength(3);
  });

  it("makes a table unavailable, for reads and for writes", async () => {
    const table = new DynamoTable(dynamoClient(REGION, SOON), "registry");
    await expect(table.get({ pk: "p", sk: "s" })).rejects.toThrow(TableUnavailableError);
    await expect(table.put({ pk: "p", sk: "s" })).rejects.toThrow(TableUnavailableError);
  });

  it("leaves what goes to a queue or a topic not known to be sent", async () => {
    const queue = new SqsQueue(sqsClient(REGION, SOON), "events");
    expect(await queue.send([{ body: "a" }])).toMatchObject({ outcome: "failed", failed: [0] });
    const topic = new SnsTopic(snsClient(REGION, SOON), "arn:aws:sns:eu-west-1:123456789012:topic");
    expect(await topic.send([{ body: "a" }])).toMatchObject({ outcome: "failed", failed: [0] });
  });

  it("is waited for when it copies, until the copy's own deadline", async () => {
    const writer = s3Writer(REGION);
    expect(await replica(writer, 300).copyFromPrimary(COPY)).toMatchObject({ outcome: "unknown" });
    expect(wire.seen).toHaveLength(1);
    expect(WRITING).toMatchObject({ answerMs: undefined, idleMs: undefined });
  });
});

it("a body that stops in the middle is an error, and one that goes on is read to its end however long it takes", async () => {
  const CHUNKS = 8;
  const idleMs = 400;
  let stopAfter = Number.POSITIVE_INFINITY;
  const server = createServer((_request, response) => {
    response.writeHead(200, { "content-length": CHUNKS });
    let sent = 0;
    const next = (): void => {
      if (sent === stopAfter) return;
      response.write("x");
      sent += 1;
      if (sent === CHUNKS) response.end();
      else setTimeout(next, idleMs / 4);
    };
    next();
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  vi.stubEnv("AWS_ENDPOINT_URL", `http://127.0.0.1:${port}`);
  const bucket = reading(s3Reader(REGION, { ...SOON, idleMs }));
  const bytesOf = async (): Promise<number> => {
    const outcome = await bucket.read("key", "v");
    if (outcome.outcome !== "reading") throw new Error(JSON.stringify(outcome));
    let bytes = 0;
    for await (const chunk of outcome.body) bytes += chunk.byteLength;
    return bytes;
  };
  expect(await bytesOf()).toBe(CHUNKS);
  stopAfter = 2;
  await expect(bytesOf()).rejects.toThrow(StoreUnavailableError);
  server.closeAllConnections();
  server.close();
});

it("a write that finds no connection in time failed for certain: it was never sent", async () => {
  const subject = replica(s3Writer(REGION, { ...WRITING, connectMs: 1_000 }), 5_000);
  const copies = Array.from({ length: SOCKETS + 1 }, () => subject.copyFromPrimary(COPY));
  // Whichever came last to the sockets; the others have theirs, and wait for an answer.
  expect(await Promise.race(copies)).toMatchObject({ outcome: "failed", failure: { kind: "unavailable" } });
  expect(wire.seen).toHaveLength(SOCKETS);
});

describe("a client as functions make it", () => {
  /** A request that is refused, and the client's handler: it knows its configuration once it has had one. */
  const made = {
    s3Reader: async () => {
      const client = s3Reader(REGION);
      await reading(client).tags("key", "v");
      return client;
    },
    s3Writer: async () => {
      const client = s3Writer(REGION);
      await replica(client, 5_000).remove("key", "e");
      return client;
    },
    dynamoClient: async () => {
      const client = dynamoClient(REGION);
      await new DynamoTable(client, "registry").get({ pk: "p", sk: "s" }).catch(() => undefined);
      return client;
    },
    sqsClient: async () => {
      const client = sqsClient(REGION);
      await new SqsQueue(client, "events").send([{ body: "a" }]);
      return client;
    },
    snsClient: async () => {
      const client = snsClient(REGION);
      await new SnsTopic(client, "arn:topic").send([{ body: "a" }]);
      return client;
    },
  };

  it.each([
    ["s3Reader", ASKING],
    ["s3Writer", WRITING],
    ["dynamoClient", ASKING],
    ["sqsClient", ASKING],
    ["snsClient", ASKING],
  ] as const)("waits as it is written down: %s", async (name, { connectMs, answerMs, idleMs }) => {
    wire.first.push({ status: 400 });
    const { config } = await made[name]();
    expect(wire.seen).toHaveLength(1);
    // The clients' types say only that a handler handles; on Node it is the SDK's own.
    const handler = config.requestHandler as unknown as { readonly httpHandlerConfigs: () => object };
    expect(handler.httpHandlerConfigs()).toMatchObject({
      connectionTimeout: connectMs,
      requestTimeout: answerMs,
      throwOnRequestTimeout: true,
      socketTimeout: idleMs ?? 0,
    });
  });
});
