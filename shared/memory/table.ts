import { TableRequestError } from "../geo/errors.ts";
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
import { fitsInto, itemBytes, sameItem, unstorable } from "./attribute-values.ts";
import { compile, compileKeyCondition } from "./expression.ts";
import { interfered, type Interference } from "./interference.ts";
import { identityOf, type KeyedItem, SortedItems } from "./table-index.ts";

/** Limits of DynamoDB (developer guide, "Quotas"). */
const ITEM_BYTES_MAX = 400 * 1024;
const PARTITION_KEY_BYTES_MAX = 2_048;
const SORT_KEY_BYTES_MAX = 1_024;

/** A secondary index. Sparse: an item without both of its key attributes is not in it. */
interface MemoryIndex {
  readonly name: string;
  /** Attribute that partitions it; a string. */
  readonly pk: string;
  /** Attribute that sorts it. */
  readonly sk: string;
  /** Type of `sk`. Default `number`, as in the due index. */
  readonly sortType?: "number" | "string";
  /** Attributes that it carries beside the keys. Default: all of them. */
  readonly include?: readonly string[];
}

/** One change of one item, as a stream with new and old images reports it. */
export interface StreamRecord {
  /** Increases with every change of the table. */
  readonly sequenceNumber: number;
  readonly event: "INSERT" | "MODIFY" | "REMOVE";
  readonly key: ItemKey;
  readonly before: KeyedItem | undefined;
  readonly after: KeyedItem | undefined;
}

/** A call to the table, as its interference sees it. */
export type TableOperation =
  | { readonly kind: "get"; readonly key: ItemKey }
  | { readonly kind: "update"; readonly request: UpdateRequest }
  | { readonly kind: "put"; readonly item: KeyedItem }
  | { readonly kind: "delete"; readonly request: DeleteRequest }
  | { readonly kind: "query"; readonly request: QueryRequest };

/** Everything that a table holds; plain data. */
export interface TableState {
  readonly items: readonly KeyedItem[];
  readonly sequenceNumber: number;
}

export interface MemoryTableOptions {
  readonly name: string;
  readonly indexes?: readonly MemoryIndex[];
  readonly interference?: Interference<TableOperation>;
}

const NOTHING: Item = {};

interface IndexData {
  readonly definition: MemoryIndex;
  readonly items: SortedItems;
}

/**
 * A DynamoDB table in memory: it takes the same requests, interprets the same expressions and refuses what DynamoDB
 * would refuse. Its indexes are up to date at once, which DynamoDB does not promise.
 */
export class MemoryTable implements Table, ManyReader {
  readonly name: string;
  /** Replaceable at any time; undefined lets every call through. */
  interference: Interference<TableOperation> | undefined;
  #items = new Map<string, KeyedItem>();
  #byKey = new SortedItems("pk", "sk");
  #indexes: readonly IndexData[];
  readonly #listeners = new Set<(record: StreamRecord) => void>();
  #sequenceNumber = 0;

  constructor(options: MemoryTableOptions) {
    this.name = options.name;
    this.interference = options.interference;
    this.#indexes = (options.indexes ?? []).map(emptyIndex);
  }

  get(key: ItemKey): Promise<Item | undefined> {
    return interfered(this.interference, { kind: "get", key }, () => {
      checkKey(key);
      return this.#items.get(identityOf(key));
    });
  }

  update(request: UpdateRequest): Promise<WriteOutcome> {
    return interfered(this.interference, { kind: "update", request }, () => {
      const { key, values = {} } = request;
      checkKey(key);
      const compiled = compile(request, values);
      for (const name of ["pk", "sk"]) {
        if (compiled.touched.has(name))
          throw new TableRequestError(`${name} is part of the key and can not be updated`);
      }
      const before = this.#items.get(identityOf(key));
      if (!compiled.holds(before ?? NOTHING, values)) return { outcome: "refused", item: before };
      const applied = compiled.apply(before ?? NOTHING, values);
      // No update touches the key, so what had one still has it.
      const after = before === undefined ? { ...applied, pk: key.pk, sk: key.sk } : (applied as KeyedItem);
      this.#write(before, after);
      return { outcome: "written", item: after };
    });
  }

  put(item: KeyedItem, condition: Pick<UpdateRequest, "condition" | "names" | "values"> = {}): Promise<WriteOutcome> {
    return interfered(this.interference, { kind: "put", item }, () => {
      checkKey(item);
      const bad = unstorable(item);
      if (bad !== undefined) throw new TableRequestError(`The item can not be stored: it holds ${bad}`);
      const { values = {} } = condition;
      const compiled = compile(condition, values);
      const before = this.#items.get(identityOf(item));
      if (!compiled.holds(before ?? {}, values)) return { outcome: "refused", item: before };
      const after: KeyedItem = { ...item };
      this.#write(before, after);
      return { outcome: "written", item: after };
    });
  }

  delete(request: DeleteRequest): Promise<DeleteOutcome> {
    return interfered(this.interference, { kind: "delete", request }, () => {
      const { key, values = {} } = request;
      checkKey(key);
      const compiled = compile(withoutKey(request), values);
      const before = this.#items.get(identityOf(key));
      if (!compiled.holds(before ?? {}, values)) return { outcome: "refused", item: before };
      this.#write(before, undefined);
      return { outcome: "deleted" };
    });
  }

  async getMany(keys: readonly ItemKey[]): Promise<readonly Item[]> {
    const items = await Promise.all(keys.map((key) => this.get(key)));
    return items.filter((item) => item !== undefined);
  }

  query(request: QueryRequest): Promise<QueryPage> {
    return interfered(this.interference, { kind: "query", request }, () => this.#query(request));
  }

  /**
   * Calls `listener` with every change from now on, in order, before the write that made it returns. A write that
   * changes nothing is not reported, as in DynamoDB.
   * @returns a function that ends it.
   */
  onChange(listener: (record: StreamRecord) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Every item, in no particular order; for tests and oracles. */
  items(): readonly KeyedItem[] {
    return [...this.#items.values()];
  }

  /** A snapshot. Items are never changed in place, so taking one is cheap. */
  export(): TableState {
    return { items: this.items(), sequenceNumber: this.#sequenceNumber };
  }

  /** Goes back to a snapshot; listeners stay and hear nothing of it. */
  import(state: TableState): void {
    this.#items = new Map();
    this.#byKey = new SortedItems("pk", "sk");
    this.#indexes = this.#indexes.map(({ definition }) => emptyIndex(definition));
    for (const item of state.items) this.#store(undefined, item);
    this.#sequenceNumber = state.sequenceNumber;
  }

  #write(before: KeyedItem | undefined, after: KeyedItem | undefined): void {
    if (after !== undefined) {
      for (const { definition } of this.#indexes) checkIndexKey(definition, after);
      checkSize(after);
    }
    if (before === after || (before !== undefined && after !== undefined && sameItem(before, after))) return;
    const source = after ?? before;
    if (source === undefined) return;
    this.#store(before, after);
    this.#sequenceNumber += 1;
    const record: StreamRecord = {
      sequenceNumber: this.#sequenceNumber,
      event: before === undefined ? "INSERT" : after === undefined ? "REMOVE" : "MODIFY",
      key: { pk: source.pk, sk: source.sk },
      before,
      after,
    };
    for (const listener of this.#listeners) listener(record);
  }

  #store(before: KeyedItem | undefined, after: KeyedItem | undefined): void {
    const source = after ?? before;
    if (source === undefined) return;
    const id = identityOf(source);
    if (after === undefined) this.#items.delete(id);
    else this.#items.set(id, after);
    this.#byKey.replace(id, before, after);
    for (const { items } of this.#indexes) items.replace(id, before, after);
  }

  #query(request: QueryRequest): QueryPage {
    const index = request.index === undefined ? undefined : this.#index(request.index);
    const keys = index?.definition ?? { pk: "pk", sk: "sk" };
    const sorted = index?.items ?? this.#byKey;
    if (!Number.isInteger(request.limit) || request.limit < 1) {
      throw new TableRequestError(`A query's limit is a whole number from 1, got ${request.limit}`);
    }
    const condition = compileKeyCondition(request.condition, keys, request.names ?? {}, request.values);
    const inOrder = sorted.partition(condition.partition(request.values));
    const { startAfter, descending = false, limit } = request;
    const found: KeyedItem[] = [];
    for (let at = 0; at < inOrder.length && found.length < limit; at += 1) {
      const item = inOrder[descending ? inOrder.length - 1 - at : at] as KeyedItem;
      if (startAfter !== undefined && sorted.compare(item, startAfter as KeyedItem) * (descending ? -1 : 1) <= 0)
        continue;
      if (condition.wants(item, request.values)) found.push(item);
    }
    const items = index === undefined ? found : found.map((item) => projected(index.definition, item));
    const last = found.at(-1);
    // DynamoDB, too, names a place to go on from whenever a page came out full.
    if (last === undefined || found.length < limit) return { items };
    return { items, next: pick(last, ["pk", "sk", keys.pk, keys.sk]) };
  }

  #index(name: string): IndexData {
    const found = this.#indexes.find(({ definition }) => definition.name === name);
    if (found !== undefined) return found;
    throw new TableRequestError(`The table ${this.name} has no index ${name}`);
  }
}

const emptyIndex = (definition: MemoryIndex): IndexData => ({
  definition,
  items: new SortedItems(definition.pk, definition.sk),
});

const withoutKey = ({ condition, names }: DeleteRequest): Pick<DeleteRequest, "condition" | "names"> => ({
  ...(condition === undefined ? {} : { condition }),
  ...(names === undefined ? {} : { names }),
});

const checkKeyPart = (name: string, value: unknown, bytesMax: number): void => {
  if (typeof value !== "string" || value === "") {
    throw new TableRequestError(
      `The key attribute ${name} takes a string that is not empty, got ${JSON.stringify(value)}`,
    );
  }
  // Three bytes is the most that one UTF-16 unit takes.
  if (value.length * 3 <= bytesMax) return;
  const bytes = Buffer.byteLength(value);
  if (bytes > bytesMax) {
    throw new TableRequestError(`The key attribute ${name} takes at most ${bytesMax} bytes, got ${bytes}`);
  }
};

const checkKey = (key: ItemKey): void => {
  checkKeyPart("pk", key.pk, PARTITION_KEY_BYTES_MAX);
  checkKeyPart("sk", key.sk, SORT_KEY_BYTES_MAX);
};

/** An item may lack an index's keys, but what it has there must be of the index's type. */
const checkIndexKey = (index: MemoryIndex, item: Item): void => {
  const { pk, sk, sortType = "number" } = index;
  for (const [name, type] of [
    [pk, "string"],
    [sk, sortType],
  ] as const) {
    const value: AttributeValue | undefined = item[name];
    if (value !== undefined && (typeof value !== type || value === "")) {
      throw new TableRequestError(
        `${name} is a key of the index ${index.name} and takes a ${type}, got ${JSON.stringify(value)}`,
      );
    }
  }
};

const checkSize = (item: Item): void => {
  if (fitsInto(item, ITEM_BYTES_MAX)) return;
  throw new TableRequestError(`An item takes at most ${ITEM_BYTES_MAX} bytes, got ${itemBytes(item)}`);
};

const pick = (item: Item, names: readonly string[]): Item =>
  Object.fromEntries(
    [...new Set(names)].flatMap((name) => {
      const value = item[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );

const projected = (index: MemoryIndex, item: Item): Item =>
  index.include === undefined ? item : pick(item, ["pk", "sk", index.pk, index.sk, ...index.include]);
