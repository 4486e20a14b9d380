import { randomBytes } from "node:crypto";
import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import {
  BatchGetCommand,
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  UpdateCommand,
} from "@aws-sdk/lib-dynamodb";
import { unmarshall } from "@aws-sdk/util-dynamodb";
import { type GeoError, TableRequestError, TableUnavailableError } from "../geo/errors.ts";
import type {
  AttributeValue,
  DeleteOutcome,
  DeleteRequest,
  Item,
  ItemKey,
  ManyReader,
  QueryPage,
  QueryRequest,
  Table,
  UpdateRequest,
  WriteOutcome,
} from "../ports/table.ts";

interface Expressions {
  readonly condition?: string;
  readonly names?: UpdateRequest["names"];
  readonly values?: UpdateRequest["values"];
}

const expressions = ({ condition, names, values }: Expressions) => ({
  ...(condition === undefined ? {} : { ConditionExpression: condition }),
  ...placeholders(names, values),
});

// DynamoDB refuses an empty map of placeholders.
const placeholders = (names: UpdateRequest["names"] = {}, values: UpdateRequest["values"] = {}) => ({
  ...(Object.keys(names).length === 0 ? {} : { ExpressionAttributeNames: names }),
  ...(Object.keys(values).length === 0 ? {} : { ExpressionAttributeValues: values }),
});

/**
 * R14. Who made the last write of an item. The SDK sends a write again whose answer was lost, and when the first one was
 * carried out its condition is false for the second: then the refused item bears the write's own id, and was written.
 * Nobody but this adapter sees the attribute.
 */
const WRITE_ID = "write_id";

/** 48 random bits: it only has to differ from the writes of one item within a retry or two. */
const newWriteId = (): string => randomBytes(6).toString("base64url");

const BEAR = `#${WRITE_ID} = :${WRITE_ID}`;

/** The clause that sets, to where the next one begins. These are reserved words, so they can be nothing else. */
const SET_CLAUSE = /(?<=^|\s)SET\s.*?(?=\s+(?:REMOVE|ADD|DELETE)\s|$)/is;

/** The update, bearing the id as well. */
const bearing = ({ update, condition, names, values }: Omit<UpdateRequest, "key">, id: string) => ({
  UpdateExpression: SET_CLAUSE.test(update)
    ? update.replace(SET_CLAUSE, (clause) => `${clause}, ${BEAR}`)
    : `${update} SET ${BEAR}`,
  ...expressions({
    ...(condition === undefined ? {} : { condition }),
    names: { ...names, [`#${WRITE_ID}`]: WRITE_ID },
    values: { ...values, [`:${WRITE_ID}`]: id },
  }),
});

/** An item as it was written. */
const withoutId = ({ [WRITE_ID]: _id, ...item }: Record<string, AttributeValue>): Item => item;

/** DynamoDB reads at most this many items in one request (API reference, BatchGetItem). */
const BATCH_KEYS_MAX = 100;

/** How often keys that DynamoDB left out are asked for again, all in all. */
const BATCH_ROUNDS_MAX = 20;

/** A table of DynamoDB, through the document client. */
export class DynamoTable implements Table, ManyReader {
  readonly name: string;
  readonly #client: DynamoDBDocumentClient;

  constructor(client: DynamoDBDocumentClient, name: string) {
    this.name = name;
    this.#client = client;
  }

  async get({ pk, sk }: ItemKey): Promise<Item | undefined> {
    return this.#answered("get", async () => {
      const { Item: item } = await this.#client.send(
        new GetCommand({ TableName: this.name, Key: { pk, sk }, ConsistentRead: true }),
      );
      return item === undefined ? undefined : withoutId(item);
    });
  }

  async getMany(keys: readonly ItemKey[]): Promise<readonly Item[]> {
    const items: Item[] = [];
    let left = keys.map(({ pk, sk }) => ({ pk, sk }));
    for (let rounds = 0; left.length > 0; rounds += 1) {
      // Each round has to bring something; DynamoDB leaves keys out when it is short of capacity.
      if (rounds > BATCH_ROUNDS_MAX + Math.ceil(keys.length / BATCH_KEYS_MAX)) {
        throw new TableUnavailableError(
          `${this.name}: ${left.length} of ${keys.length} items were not read; try again`,
        );
      }
      const batch = left.slice(0, BATCH_KEYS_MAX);
      const answer = await this.#answered("get many", () =>
        this.#client.send(new BatchGetCommand({ RequestItems: { [this.name]: { Keys: batch } } })),
      );
      items.push(...(answer.Responses?.[this.name] ?? []).map(withoutId));
      const unread = (answer.UnprocessedKeys?.[this.name]?.Keys ?? []) as { pk: string; sk: string }[];
      left = [...left.slice(BATCH_KEYS_MAX), ...unread];
    }
    return items;
  }

  async update({ key: { pk, sk }, ...write }: UpdateRequest): Promise<WriteOutcome> {
    const id = newWriteId();
    return this.#written("update", id, async () => {
      const { Attributes = {} } = await this.#client.send(
        new UpdateCommand({
          TableName: this.name,
          Key: { pk, sk },
          ...bearing(write, id),
          ReturnValues: "ALL_NEW",
          ReturnValuesOnConditionCheckFailure: "ALL_OLD",
        }),
      );
      return { outcome: "written", item: withoutId(Attributes) };
    });
  }

  async put(item: Item & ItemKey, condition: Expressions = {}): Promise<WriteOutcome> {
    const id = newWriteId();
    return this.#written("put", id, async () => {
      await this.#client.send(
        new PutCommand({
          TableName: this.name,
          Item: { ...item, [WRITE_ID]: id },
          ...expressions(condition),
          ReturnValuesOnConditionCheckFailure: "ALL_OLD",
        }),
      );
      return { outcome: "written", item };
    });
  }

  async delete({ key: { pk, sk }, ...rest }: DeleteRequest): Promise<DeleteOutcome> {
    return this.#unlessRefused<DeleteOutcome>(
      "delete",
      async () => {
        await this.#client.send(
          new DeleteCommand({
            TableName: this.name,
            Key: { pk, sk },
            ...expressions(rest),
            ReturnValuesOnConditionCheckFailure: "ALL_OLD",
          }),
        );
        return { outcome: "deleted" };
      },
      // Sent twice, and there is no item: the first one took it away, or somebody else has meanwhile. It is gone.
      (item, attempts) =>
        item === undefined && attempts > 1
          ? { outcome: "deleted" }
          : { outcome: "refused", item: item === undefined ? undefined : withoutId(item) },
    );
  }

  async query(request: QueryRequest): Promise<QueryPage> {
    return this.#answered("query", async () => {
      const { index, condition, names, values, limit, startAfter, descending = false } = request;
      const { Items: items = [], LastEvaluatedKey: next } = await this.#client.send(
        new QueryCommand({
          TableName: this.name,
          KeyConditionExpression: condition,
          ...placeholders(names, values),
          Limit: limit,
          ScanIndexForward: !descending,
          // An index can only be read eventually consistently.
          ...(index === undefined ? { ConsistentRead: true } : { IndexName: index }),
          ...(startAfter === undefined ? {} : { ExclusiveStartKey: startAfter }),
        }),
      );
      const found = items.map(withoutId);
      return next === undefined ? { items: found } : { items: found, next };
    });
  }

  #written(operation: string, id: string, write: () => Promise<WriteOutcome>): Promise<WriteOutcome> {
    return this.#unlessRefused(operation, write, (item) => {
      if (item === undefined) return { outcome: "refused", item };
      return { outcome: item[WRITE_ID] === id ? "written" : "refused", item: withoutId(item) };
    });
  }

  /** @param refused makes the outcome of a false condition from the item as it stands and the number of times it was sent */
  async #unlessRefused<Outcome>(
    operation: string,
    write: () => Promise<Outcome>,
    refused: (item: Record<string, AttributeValue> | undefined, attempts: number) => Outcome,
  ): Promise<Outcome> {
    try {
      return await write();
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw this.#error(operation, error);
      const item = error.Item === undefined ? undefined : unmarshall(error.Item);
      return refused(item, error.$metadata.attempts ?? 1);
    }
  }

  async #answered<Answer>(operation: string, read: () => Promise<Answer>): Promise<Answer> {
    try {
      return await read();
    } catch (error) {
      throw this.#error(operation, error);
    }
  }

  #error(operation: string, cause: unknown): GeoError {
    const { name, message } = cause instanceof Error ? cause : { name: "Error", message: String(cause) };
    return name === "ValidationException"
      ? new TableRequestError(`${operation} on ${this.name} breaks a rule of DynamoDB: ${message}`, { cause })
      : new TableUnavailableError(
          `${operation} on ${this.name} was not answered (${name}: ${message}). It may have had its effect; it is tried again.`,
          { cause },
        );
  }
}
