/** What an attribute may hold. DynamoDB's number, string, boolean, map and list; binary and sets are not used. */
export type AttributeValue =
  string | number | boolean | readonly AttributeValue[] | { readonly [name: string]: AttributeValue };

/** One stored item, as the table returns it. Parse it with a schema before use. */
export type Item = Readonly<Record<string, AttributeValue>>;

/** Every table of the product has a string partition key `pk` and a string sort key `sk`. */
export interface ItemKey {
  readonly pk: string;
  readonly sk: string;
}

/**
 * One conditional write, in DynamoDB's own expression language. A request is plain data: the same value is sent to
 * DynamoDB and interpreted by the in-memory table, so that what is explored and simulated is what ships.
 */
export interface UpdateRequest {
  readonly key: ItemKey;
  /** `SET … REMOVE … ADD …` */
  readonly update: string;
  /** Refused, with the item as it stands, when this is false. */
  readonly condition?: string;
  /** `#name` placeholders. */
  readonly names?: Readonly<Record<string, string>>;
  /** `:value` placeholders. */
  readonly values?: Readonly<Record<string, AttributeValue>>;
}

/** A conditional delete. */
export interface DeleteRequest {
  readonly key: ItemKey;
  readonly condition?: string;
  readonly names?: Readonly<Record<string, string>>;
  readonly values?: Readonly<Record<string, AttributeValue>>;
}

/** A query of the table or of one of its indexes; a page at a time. */
export interface QueryRequest {
  readonly index?: string;
  /** For example `due_pk = :pk AND due_at <= :now`. */
  readonly condition: string;
  readonly names?: Readonly<Record<string, string>>;
  readonly values: Readonly<Record<string, AttributeValue>>;
  /** Most items on a page. */
  readonly limit: number;
  /** Where the last page ended. */
  readonly startAfter?: Item;
  /** Newest (greatest sort key) first. Default false. */
  readonly descending?: boolean;
}

export interface QueryPage {
  readonly items: readonly Item[];
  /** Present when there may be more; hand it back as `startAfter`. */
  readonly next?: Item;
}

/**
 * `written` carries the item as the write left it. `refused` says that the item does not hold this write, and carries the
 * item as it stood when the condition was false (absent when there was none).
 *
 * A write may be sent again because its answer was lost, and the second one be refused because the first was carried out
 * (R14). An implementation tells that from the item and answers `written`, unless somebody has written over it since: to
 * the caller that is a refusal like any other. So a refusal is proof of what the item is now, and not that this write never
 * was: a claim looks for its own token in the item, and whoever wrote to S3 and does not find the row to be theirs says so
 * in it, whatever the reason (rule 15).
 */
export type WriteOutcome =
  | { readonly outcome: "written"; readonly item: Item }
  | { readonly outcome: "refused"; readonly item: Item | undefined };

/** `deleted`: there is no such item any more. `refused` carries the item as it stands; absent when there never was one to delete. */
export type DeleteOutcome =
  { readonly outcome: "deleted" } | { readonly outcome: "refused"; readonly item: Item | undefined };

/**
 * A DynamoDB table. Failures other than a refused condition are thrown as `TableUnavailableError`; the write may or may
 * not have happened, and the caller's protocol has to hold either way.
 */
export interface Table {
  readonly name: string;
  /** Strongly consistent. */
  get(key: ItemKey): Promise<Item | undefined>;
  update(request: UpdateRequest): Promise<WriteOutcome>;
  /** Replaces the whole item, on a condition. */
  put(item: Item & ItemKey, condition?: Pick<UpdateRequest, "condition" | "names" | "values">): Promise<WriteOutcome>;
  delete(request: DeleteRequest): Promise<DeleteOutcome>;
  /** Strongly consistent on the table, eventually consistent on an index. */
  query(request: QueryRequest): Promise<QueryPage>;
}

/** A table, asked for many items at once: for comparing rows with a listing, where an answer may be a moment old. */
export interface ManyReader {
  /**
   * The items of these keys that there are, in no particular order; any number of different keys. Eventually consistent, at
   * half the price of `get`.
   */
  getMany(keys: readonly ItemKey[]): Promise<readonly Item[]>;
}
