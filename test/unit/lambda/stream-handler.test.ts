import type { DynamoDBRecord } from "aws-lambda";
import { expect, test } from "vitest";
import { type StreamBatch, streamHandler } from "../../../shared/lambda/stream-handler.ts";

const aRecord = (
  sequenceNumber: string | undefined,
  more: NonNullable<DynamoDBRecord["dynamodb"]> = {},
): DynamoDBRecord => ({
  eventID: "e1",
  dynamodb: { SequenceNumber: sequenceNumber, ...more },
});

/** A handler that notes its batches. */
const noting = () => {
  const batches: StreamBatch[] = [];
  const handle = streamHandler((batch) => {
    batches.push(batch);
    return Promise.resolve();
  });
  return { batches, handle };
};

test("records become changes in plain form, in their order, with the shard they are from", async () => {
  const { batches, handle } = noting();
  const NewImage = {
    pk: { S: "cool_widget#0aa" },
    state: { N: "2" },
    missing_on_primary: { BOOL: false },
    parts: { L: [{ N: "1" }, { M: { etag: { S: "x" } } }] },
  };
  await handle({
    shardId: "shardId-1",
    Records: [
      aRecord("100000000000000000000000000000001", { ApproximateCreationDateTime: 1_795_219_200, NewImage }),
      aRecord("100000000000000000000000000000002", { OldImage: { pk: { S: "cool_widget#0aa" } } }),
    ],
  });
  expect(batches).toEqual([
    {
      shard: "shardId-1",
      changes: [
        {
          sequenceNumber: "100000000000000000000000000000001",
          changedAt: 1_795_219_200_000,
          after: { pk: "cool_widget#0aa", state: 2, missing_on_primary: false, parts: [1, { etag: "x" }] },
        },
        { sequenceNumber: "100000000000000000000000000000002", before: { pk: "cool_widget#0aa" } },
      ],
    },
  ]);
});

test("records without a shard are all of one", async () => {
  const { batches, handle } = noting();
  await handle({ Records: [aRecord("1")] });
  await handle({ Records: [aRecord("2")] });
  expect(new Set(batches.map(({ shard }) => shard)).size).toBe(1);
});

test("the call that closes a window has no records and is no batch", async () => {
  const { batches, handle } = noting();
  expect(await handle({ shardId: "shardId-1", Records: [] })).toEqual({ state: {} });
  expect(batches).toEqual([]);
});

test("a failure fails the invocation, so that the whole batch comes again", async () => {
  const handle = streamHandler(() => Promise.reject(new Error("the table did not answer")));
  await expect(handle({ Records: [aRecord("1")] })).rejects.toThrow("the table did not answer");
});

test.each([undefined, "", "12a", "-1"])(
  "a record with sequence number %j is refused: it can not be counted once",
  async (number) => {
    const { batches, handle } = noting();
    await expect(handle({ Records: [aRecord("1"), aRecord(number)] })).rejects.toThrow("expected decimal digits");
    expect(batches).toEqual([]);
  },
);
