import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { DynamoTable } from "../../../shared/aws/dynamo-table.ts";
import { TableRequestError, TableUnavailableError } from "../../../shared/geo/errors.ts";
import type { UpdateRequest } from "../../../shared/ports/table.ts";
import { type Answer, CREDENTIALS, openWire, type Wire } from "./support/wire.ts";

const answer = (status: number, body: object): Answer => ({
  status,
  body: JSON.stringify(body),
  headers: { "content-type": "application/x-amz-json-1.0" },
});

const refused = answer(400, {
  __type: "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
  message: "The conditional request failed",
  Item: { pk: { S: "p" }, sk: { S: "s" }, gen: { N: "3" }, mpu: { M: { parts: { L: [{ N: "1" }] } } } },
});

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
    expect(await table().update(CLAIM)).toEqual({
      outcome: "refused",
      item: { pk: "p", sk: "s", gen: 3, mpu: { parts: [1] } },
    });
  });

  it("that is refused when it is sent again proves nothing: the first one may have done it (R14)", async () => {
    wire.first.push(answer(500, { __type: "InternalServerError" }));
    wire.answer = refused;
    await expect(table().update(CLAIM)).rejects.toThrow(TableUnavailableError);
    expect(wire.seen).toHaveLength(2);
  });
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
