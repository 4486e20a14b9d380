import * as z from "zod/mini";
import { itemSize, WireItem } from "./item-size.ts";

/** The sparse index as the tables declare it (infra/constructs/registry-table.ts): what it is sorted by and what it holds. */
const INDEX_KEY = ["due_pk", "due_at"] as const;
const INDEX_ATTRIBUTES = ["pk", "sk", ...INDEX_KEY, "state", "verification_state", "taint_until"] as const;

/** A write is charged per KiB begun, a read per 4 KiB begun; half for a read that may be stale. */
const WRITE_UNIT_BYTES = 1_024;
const READ_UNIT_BYTES = 4_096;

/** What one request to DynamoDB is charged. */
export interface DynamoUnits {
  readonly tableWrites: number;
  readonly indexWrites: number;
  readonly reads: number;
}

const NOTHING: DynamoUnits = { tableWrites: 0, indexWrites: 0, reads: 0 };

const Request = z.object({
  /** All but a batch name one. */
  TableName: z.optional(z.string()),
  IndexName: z.optional(z.string()),
  ConsistentRead: z.optional(z.boolean()),
  Key: z.optional(WireItem),
  Item: z.optional(WireItem),
  ReturnValues: z.optional(z.string()),
  RequestItems: z.optional(z.record(z.string(), z.object({ ConsistentRead: z.optional(z.boolean()) }))),
});

const Response = z.object({
  Attributes: z.optional(WireItem),
  Item: z.optional(WireItem),
  Items: z.optional(z.array(WireItem)),
  Responses: z.optional(z.record(z.string(), z.array(WireItem))),
});

/** An operation that is not metered here: the bench must learn it before its figures can be believed. */
class UnmeteredOperationError extends Error {
  override readonly name = "UnmeteredOperationError";
}

const writeUnits = (bytes: number): number => Math.max(1, Math.ceil(bytes / WRITE_UNIT_BYTES));

const readUnits = (bytes: number, consistent: boolean): number =>
  Math.max(1, Math.ceil(bytes / READ_UNIT_BYTES)) * (consistent ? 1 : 0.5);

const pick = (item: WireItem, names: readonly string[]): WireItem =>
  Object.fromEntries(Object.entries(item).filter(([name]) => names.includes(name)));

const indexEntry = (item: WireItem | undefined): WireItem | undefined =>
  item !== undefined && INDEX_KEY.every((name) => name in item) ? pick(item, INDEX_ATTRIBUTES) : undefined;

const same = (left: WireItem, right: WireItem): boolean =>
  Object.keys(left).length === Object.keys(right).length &&
  Object.entries(left).every(([name, value]) => JSON.stringify(value) === JSON.stringify(right[name]));

/**
 * What a change of an item costs in its index (developer guide, "Provisioned throughput considerations for global
 * secondary indexes"): one write for an entry that comes, goes or changes, two for one that moves.
 */
const indexWriteUnits = (before: WireItem | undefined, after: WireItem | undefined): number => {
  const old = indexEntry(before);
  const now = indexEntry(after);
  if (old === undefined || now === undefined) {
    const entry = old ?? now;
    return entry === undefined ? 0 : writeUnits(itemSize(entry));
  }
  if (same(old, now)) return 0;
  const moved = !same(pick(old, INDEX_KEY), pick(now, INDEX_KEY));
  return moved
    ? writeUnits(itemSize(old)) + writeUnits(itemSize(now))
    : writeUnits(Math.max(itemSize(old), itemSize(now)));
};

/**
 * Reckons what requests to DynamoDB cost, from what goes over the wire. A write is charged by the larger of what was and
 * what is, and what was is in no message: the meter remembers every item it has seen. An item that it sees for the first
 * time in the answer to a write is taken to be new, so the meter has to watch from an object's beginning.
 */
export class DynamoMeter {
  readonly #items = new Map<string, WireItem>();

  /**
   * @param operation without its version, for example `UpdateItem`
   * @throws {UnmeteredOperationError} for one that is not known here
   */
  measure(operation: string, request: unknown, response: unknown, status: number): DynamoUnits {
    const asked = Request.parse(request);
    // Refused before anything was read or written; a condition that was false is charged like a write.
    const refused = status >= 400 && !/ConditionalCheckFailed/.test(JSON.stringify(response));
    if (refused) return NOTHING;
    const answered = Response.parse(response);
    switch (operation) {
      case "UpdateItem": {
        if (status < 400 && asked.ReturnValues !== "ALL_NEW") {
          throw new UnmeteredOperationError(
            "an UpdateItem without ReturnValues ALL_NEW does not show what was written",
          );
        }
        return this.#write(asked, status < 400 ? answered.Attributes : undefined, answered, status);
      }
      case "PutItem":
        return this.#write(asked, status < 400 ? asked.Item : undefined, answered, status);
      case "DeleteItem":
        return this.#write(asked, undefined, answered, status);
      case "GetItem":
        return {
          ...NOTHING,
          reads: readUnits(answered.Item === undefined ? 0 : itemSize(answered.Item), asked.ConsistentRead === true),
        };
      case "Query": {
        const bytes = (answered.Items ?? []).reduce((sum, item) => sum + itemSize(item), 0);
        return { ...NOTHING, reads: readUnits(bytes, asked.ConsistentRead === true) };
      }
      // Each item is rounded up by itself.
      case "BatchGetItem": {
        const reads = Object.entries(answered.Responses ?? {}).flatMap(([table, items]) =>
          items.map((item) => readUnits(itemSize(item), asked.RequestItems?.[table]?.ConsistentRead === true)),
        );
        return { ...NOTHING, reads: reads.reduce((sum, units) => sum + units, 0) };
      }
      default:
        throw new UnmeteredOperationError(`DynamoDB's ${operation} is not metered`);
    }
  }

  #write(
    asked: z.infer<typeof Request>,
    after: WireItem | undefined,
    answered: z.infer<typeof Response>,
    status: number,
  ): DynamoUnits {
    const key = pick(asked.Key ?? asked.Item ?? {}, ["pk", "sk"]);
    const id = `${asked.TableName ?? ""} ${JSON.stringify([key["pk"], key["sk"]])}`;
    if (status >= 400) {
      // The answer to a false condition shows the item that made it false, if there is one.
      if (answered.Item !== undefined) this.#items.set(id, answered.Item);
      return { ...NOTHING, tableWrites: writeUnits(itemSize(answered.Item ?? this.#items.get(id) ?? {})) };
    }
    const before = this.#items.get(id);
    if (after === undefined) this.#items.delete(id);
    else this.#items.set(id, after);
    return {
      ...NOTHING,
      tableWrites: writeUnits(Math.max(itemSize(before ?? {}), itemSize(after ?? {}))),
      indexWrites: indexWriteUnits(before, after),
    };
  }
}
