import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import {
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
  DeleteOutcome,
  DeleteRequest,
  Item,
  ItemKey,
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

/** A table of DynamoDB, through the document client. */
export class DynamoTable implements Table {
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
      return item;
    });
  }

  async update({ key: { pk, sk }, update, ...rest }: UpdateRequest): Promise<WriteOutcome> {
    return this.#written("update", async () => {
      const { Attributes = {} } = await this.#client.send(
        new UpdateCommand({
          TableName: this.name,
          Key: { pk, sk },
          UpdateExpression: update,
          ...expressions(rest),
          ReturnValues: "ALL_NEW",
          ReturnValuesOnConditionCheckFailure: "ALL_OLD",
        }),
      );
      return { outcome: "written", item: Attributes };
    });
  }

  async put(item: Item & ItemKey, condition: Expressions = {}): Promise<WriteOutcome> {
    return this.#written("put", async () => {
      await this.#client.send(
        new PutCommand({
          TableName: this.name,
          Item: item,
          ...expressions(condition),
          ReturnValuesOnConditionCheckFailure: "ALL_OLD",
        }),
      );
      return { outcome: "written", item };
    });
  }

  async delete({ key: { pk, sk }, ...rest }: DeleteRequest): Promise<DeleteOutcome> {
    return this.#written("delete", async () => {
      await this.#client.send(
        new DeleteCommand({
          TableName: this.name,
          Key: { pk, sk },
          ...expressions(rest),
          ReturnValuesOnConditionCheckFailure: "ALL_OLD",
        }),
      );
      return { outcome: "deleted" };
    });
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
      return next === undefined ? { items } : { items, next };
    });
  }

  async #written<Outcome>(
    operation: string,
    write: () => Promise<Outcome>,
  ): Promise<Outcome | { readonly outcome: "refused"; readonly item: Item | undefined }> {
    try {
      return await write();
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw this.#error(operation, error);
      // R14: when the SDK sent the write more than once, the condition may be false because the first one was carried out
      // and its answer lost. Whether it was is not known.
      if ((error.$metadata.attempts ?? 1) > 1) throw this.#error(operation, error);
      return { outcome: "refused", item: error.Item === undefined ? undefined : unmarshall(error.Item) };
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
