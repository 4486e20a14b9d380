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

/** `refused` carries the item as it stood when the condition was false (absent when there was none). */
export type WriteOutcome =
  | { readonly outcome: "written"; readonly item: Item }
  | { readonly outcome: "refused"; readonly item: Item | undefined };

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
