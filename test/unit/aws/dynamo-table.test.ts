import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { DynamoTable } from "../../../shared/aws/dynamo-table.ts";
import { TableRequestError, TableUnavailableError } from "../../../shared/geo/errors.ts";
import type { UpdateRequest } from "../../../shared/ports/table.ts";
import { type Answer, CREDENTIALS, openWire, type Wire } from "./support/wire.ts";

const answer = (status: number, body: object): Extract<Answer, { status: number }> => ({
  status,
  body: JSON.stringify(body),
  headers: { "content-type": "application/x-amz-json-1.0" },
});

const STORED = { pk: { S: "p" }, sk: { S: "s" }, gen: { N: "3" }, mpu: { M: { parts: { L: [{ N: "1" }] } } } };
const ITEM = { pk: "p", sk: "s", gen: 3, mpu: { parts: [1] } };

const refusedWith = (Item: object | undefined): Extract<Answer, { status: number }> =>
  answer(400, {
    __type: "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
    message: "The conditional request failed",
    ...(Item === undefined ? {} : { Item }),
  });
const refused = refusedWith(STORED);

/** By what the table knows its own write again: whatever the request has added to what was asked for. */
const markOf = (body: string): object => {
  const { ExpressionAttributeValues = {}, Item = {} } = JSON.parse(body) as Record<string, Record<string, object>>;
  return ExpressionAttributeValues[":write_id"] ?? Item["write_id"] ?? {};
};

const LOST: Answer = answer(500, { __type: "InternalServerError" });

/** The first request is carried out and its answer lost; the second is refused by what the first has left. */
const carriedOutTwice = (): void => {
  let left = {};
  wire.first.push(
    (body) => {
      left = { ...STORED, write_id: markOf(body) };
      return LOST;
    },
    () => refusedWith(left),
  );
};

const CLAIM: UpdateRequest = {
  key: { pk: "p", sk: "s" },
  update: "SET gen = :one",
  condition: "attribute_not_exists(gen)",
  values: { ":one": 1 },
};

let wire: Wire;
beforeAll(async () => {
  wire = await openWire();
});
afterAll(() => wire.close());
beforeEach(() => void wire.seen.splice(0));

const table = (): DynamoTable =>
  new DynamoTable(
    DynamoDBDocumentClient.from(
      new DynamoDBClient({ region: "eu-west-1", endpoint: wire.endpoint, credentials: CREDENTIALS }),
    ),
    "registry",
  );

describe("a conditional write", () => {
  it("that is refused shows the item as it stands, in plain values", async () => {
    wire.answer = refused;
    expect(await table().update(CLAIM)).toEqual({ outcome: "refused", item: ITEM });
  });

  it("that is refused when it is sent again was written, if the item is as the first one left it (R14)", async () => {
    carriedOutTwice();
    expect(await table().update(CLAIM)).toEqual({ outcome: "written", item: ITEM });
    expect(wire.seen).toHaveLength(2);
    carriedOutTwice();
    expect(await table().update({ key: CLAIM.key, update: "REMOVE gen", condition: "gen = :two" })).toMatchObject({
      outcome: "written",
    });
    carriedOutTwice();
    expect(await table().put({ ...CLAIM.key, gen: 3 }, { condition: "attribute_not_exists(pk)" })).toMatchObject({
      outcome: "written",
    });
  });

  it("that is refused when it is sent again is refused, if somebody else has written since or instead", async () => {
    for (const by of [{ write_id: { S: "another" } }, {}]) {
      wire.first.push(LOST, refusedWith({ ...STORED, ...by }));
      expect(await table().update(CLAIM)).toEqual({ outcome: "refused", item: ITEM });
    }
    wire.first.push(LOST, refusedWith(undefined));
    expect(await table().update(CLAIM)).toEqual({ outcome: "refused", item: undefined });
  });

  it("is known by a mark that no two writes share", async () => {
    const marks: object[] = [];
    wire.answer = (body) => {
      marks.push(markOf(body));
      return answer(200, {});
    };
    await table().update(CLAIM);
    await table().update(CLAIM);
    await table().put({ ...CLAIM.key });
    expect(new Set(marks.map((mark) => JSON.stringify(mark))).size).toBe(3);
  });

  it("that deletes has done it when it is sent again and finds nothing, and not when it was sent once", async () => {
    wire.first.push(LOST, refusedWith(undefined));
    expect(await table().delete({ key: CLAIM.key, condition: "gen = :one" })).toEqual({ outcome: "deleted" });
    wire.first.push(refusedWith(undefined));
    expect(await table().delete({ key: CLAIM.key, condition: "gen = :one" })).toEqual({
      outcome: "refused",
      item: undefined,
    });
    wire.first.push(LOST, refused);
    expect(await table().delete({ key: CLAIM.key, condition: "gen = :one" })).toEqual({
      outcome: "refused",
      item: ITEM,
    });
  });
});

it("nobody sees the mark of a write in an item", async () => {
  const marked = { ...STORED, write_id: { S: "mark" } };
  wire.first.push(
    answer(200, { Attributes: marked }),
    answer(200, { Item: marked }),
    answer(200, { Items: [marked] }),
    refusedWith(marked),
  );
  const subject = table();
  expect(await subject.update(CLAIM)).toEqual({ outcome: "written", item: ITEM });
  expect(await subject.get(CLAIM.key)).toEqual(ITEM);
  expect(await subject.query({ condition: "pk = :p", values: { ":p": "p" }, limit: 1 })).toEqual({ items: [ITEM] });
  expect(await subject.delete({ key: CLAIM.key, condition: "gen = :one" })).toEqual({ outcome: "refused", item: ITEM });
});

it.each([
  ["SET a = :a", "SET a = :a, #write_id = :write_id"],
  ["SET a = :a REMOVE b", "SET a = :a, #write_id = :write_id REMOVE b"],
  [
    "REMOVE b SET a = if_not_exists(a, :b), c = :c",
    "REMOVE b SET a = if_not_exists(a, :b), c = :c, #write_id = :write_id",
  ],
  ["SET #ADD = :ADD\n  ADD n :one", "SET #ADD = :ADD, #write_id = :write_id\n  ADD n :one"],
  ["REMOVE #SET, b", "REMOVE #SET, b SET #write_id = :write_id"],
  ["ADD n :one", "ADD n :one SET #write_id = :write_id"],
])("%s is marked by %s", async (update, marked) => {
  let asked = "";
  wire.first.push((body) => {
    asked = (JSON.parse(body) as { UpdateExpression: string }).UpdateExpression;
    return answer(200, {});
  });
  await table().update({ key: CLAIM.key, update });
  expect(asked).toBe(marked);
});

describe("a failure", () => {
  it("that no repetition will cure is told apart from one that passes", async () => {
    wire.answer = answer(400, { __type: "com.amazon.coral.validate#ValidationException", message: "Invalid" });
    await expect(table().update(CLAIM)).rejects.toThrow(TableRequestError);
    await expect(table().query({ condition: "pk = :p", values: { ":p": "p" }, limit: 1 })).rejects.toThrow(
      TableRequestError,
    );
    wire.answer = answer(400, { __type: "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException" });
    await expect(table().get(CLAIM.key)).rejects.toThrow(TableUnavailableError);
  });

  it("says which table, and that the write may have happened", async () => {
    wire.answer = answer(400, { __type: "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException" });
    await expect(table().put({ ...CLAIM.key })).rejects.toThrow(/registry.*may have had its effect/);
  });
});
