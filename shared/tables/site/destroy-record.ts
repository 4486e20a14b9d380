import * as z from "zod/mini";
import { DESTROY_STATES, type DestroyParent } from "../../geo/destroy.ts";
import { GeoError } from "../../geo/errors.ts";
import { SITE_TABLE_PARTITIONS } from "../../geo/physical-names.ts";
import type { AttributeValue, DeleteRequest, Item, ItemKey, UpdateRequest } from "../../ports/table.ts";

const PARTITION = SITE_TABLE_PARTITIONS.destroy;

/** What every reader of this file's items says of one that can not be read. */
const unreadable = (what: string, problems: readonly { readonly path: readonly PropertyKey[] }[]): GeoError =>
  new GeoError(
    "GEO_UNREADABLE_ROW",
    `${what} in the site table can not be read: ${problems.map(({ path }) => path.join(".") || "all of it").join(", ")}`,
  );

const Parent = z.discriminatedUnion("kind", [
  z.object({ kind: z.enum(["namespace", "project", "organization"]), id: z.string() }),
  z.object({ kind: z.literal("prefix"), prefix: z.string() }),
  z.object({ kind: z.literal("keys"), keys: z.readonly(z.array(z.string())) }),
]) satisfies z.ZodMiniType<DestroyParent>;

/** A destroy, as the primary's site table keeps it. Times: milliseconds since the epoch. */
const DestroyItem = z.object({
  pk: z.literal(PARTITION),
  sk: z.string(),
  rev: z.number(),
  destroy_state: z.enum(DESTROY_STATES),
  replicable_names: z.array(z.string()),
  destroy_parent: Parent,
  requested_at: z.number(),
  requested_by: z.optional(z.string()),
  confirmed_at: z.optional(z.number()),
  confirmed_by: z.optional(z.string()),
  ended_at: z.optional(z.number()),
  expires_at: z.optional(z.number()),
  /** How often its machine was started to hide it, and to bring it back: part of the executions' names. */
  destroy_runs: z.number(),
  undo_runs: z.number(),
  /** When the latest undo was written down; its execution is started next. */
  undo_requested_at: z.optional(z.number()),
  /** How far the listing has come. */
  range_index: z.number(),
  range_after: z.optional(z.string()),
  keys_done: z.number(),
  slice_count: z.number(),
  object_count: z.number(),
  byte_count: z.number(),
  /** Objects that were listed and are of another type, another owner, or of nobody. */
  left_out_count: z.number(),
  type_counts: z.record(z.string(), z.number()),
  sample_keys: z.array(z.string()),
  problem: z.optional(z.string()),
});

export type DestroyRecord = Omit<z.infer<typeof DestroyItem>, "pk" | "sk" | "rev"> & { readonly id: string };

/** A record as it was read: what is written next is refused when it has changed since. */
export interface ReadDestroy {
  readonly record: DestroyRecord;
  readonly rev: number;
}

export const destroyKey = (id: string): ItemKey => ({ pk: PARTITION, sk: id });

export const parseDestroy = (item: Item): ReadDestroy => {
  const parsed = z.safeParse(DestroyItem, item);
  if (!parsed.success) throw unreadable("a destroy", parsed.error.issues);
  const { pk: _pk, sk: id, rev, ...columns } = parsed.data;
  return { record: { ...columns, id }, rev };
};

/** What holds of an item that is replaced as a whole. */
type PutCondition = Pick<UpdateRequest, "condition" | "values">;

const asRead = (rev: number | undefined): PutCondition =>
  rev === undefined
    ? { condition: "attribute_not_exists(pk)" }
    : { condition: "rev = :seen_rev", values: { ":seen_rev": rev } };

/** Without what is undefined: an item holds only what is true of it. */
const withoutAbsent = (columns: Readonly<Record<string, unknown>>): Record<string, AttributeValue> =>
  Object.fromEntries(
    // Every column of these items is one of DynamoDB's values, or absent.
    Object.entries(columns).filter((entry): entry is [string, AttributeValue] => entry[1] !== undefined),
  );

/** The destroy's new state. @param rev of the record that it was made from; undefined makes the record */
export const putDestroy = (
  { id, ...columns }: DestroyRecord,
  rev: number | undefined,
): readonly [Item & ItemKey, PutCondition] => [
  { ...withoutAbsent(columns), ...destroyKey(id), rev: (rev ?? 0) + 1 },
  asRead(rev),
];

const UndoUpload = z.object({
  key: z.string(),
  upload_id: z.string(),
  /** How large its parts are, bytes. */
  part_bytes: z.number(),
});

/** An upload of an undo, by which an object that is too large for one copy comes back. */
export type UndoUpload = z.infer<typeof UndoUpload>;

const SliceItem = z.object({
  pk: z.string(),
  sk: z.string(),
  rev: z.number(),
  /** `frozen`: listed. `hiding`: somebody has begun. `hidden`: all answers are in. `told`: and the events are sent. */
  slice_state: z.enum(["frozen", "hiding", "hidden", "told"]),
  /**
   * When somebody last began to hide it, milliseconds since the epoch. Absent when nobody can be hiding any more: a run that
   * has begun it alone has also ended it.
   */
  hiding_since: z.optional(z.number()),
  /** Which run that was; 0 when several have. */
  hiding_run: z.optional(z.number()),
  /** Where its lines are, and what their text comes to. */
  manifest_name: z.string(),
  manifest_digest: z.string(),
  first_key: z.string(),
  last_key: z.string(),
  /** Of the first slice; others have none. */
  sample_keys: z.array(z.string()),
  object_count: z.number(),
  byte_count: z.number(),
  left_out_count: z.number(),
  type_counts: z.record(z.string(), z.number()),
  /** Where the listing goes on after this slice. */
  next_range_index: z.number(),
  next_range_after: z.optional(z.string()),
  next_keys_done: z.number(),
  results_name: z.optional(z.string()),
  hidden_count: z.number(),
  hidden_bytes: z.number(),
  kept_count: z.number(),
  gone_count: z.number(),
  failed_count: z.number(),
  event_count: z.number(),
  /** Secondaries that hold nothing of it any more. */
  followed_by: z.array(z.string()),
  undo_state: z.optional(z.enum(["begun", "done"])),
  /** Whether objects that are copied in one request may have been brought back already. */
  undo_whole_begun: z.optional(z.boolean()),
  /** The one object that is being brought back in parts. */
  undo_upload: z.optional(UndoUpload),
  restored_count: z.number(),
  not_restored_count: z.number(),
  undo_failed_count: z.number(),
});

/** A slice of a destroy: up to 1,000 objects, which are hidden together. Counts of a destroy are sums over these. */
export type DestroySlice = Omit<z.infer<typeof SliceItem>, "pk" | "sk" | "rev"> & { readonly number: number };

export interface ReadSlice {
  readonly slice: DestroySlice;
  readonly rev: number;
}

/** Slices stand in a partition of their own, so that a destroy is read without them. */
const slicePartition = (destroyId: string): string => `${SITE_TABLE_PARTITIONS.destroySlice}#${destroyId}`;

const NUMBER_DIGITS = 8;

export const sliceKey = (destroyId: string, number: number): ItemKey => ({
  pk: slicePartition(destroyId),
  sk: String(number).padStart(NUMBER_DIGITS, "0"),
});

export const parseSlice = (item: Item): ReadSlice => {
  const parsed = z.safeParse(SliceItem, item);
  if (!parsed.success) throw unreadable("a slice of a destroy", parsed.error.issues);
  const { pk: _pk, sk, rev, ...columns } = parsed.data;
  return { slice: { ...columns, number: Number(sk) }, rev };
};

export const putSlice = (
  destroyId: string,
  { number, ...columns }: DestroySlice,
  rev: number | undefined,
): readonly [Item & ItemKey, PutCondition] => [
  { ...withoutAbsent(columns), ...sliceKey(destroyId, number), rev: (rev ?? 0) + 1 },
  asRead(rev),
];

/** The slices of a destroy in their order. @param after the number of the last one that is known */
export const slicesAfter = (destroyId: string, after: number) => ({
  condition: "pk = :pk AND sk > :after",
  values: { ":pk": slicePartition(destroyId), ":after": sliceKey(destroyId, after).sk },
});

/** Who destroys a parent now: one destroy at a time. */
export const parentLockKey = (digest: string): ItemKey => ({
  pk: SITE_TABLE_PARTITIONS.destroyParent,
  sk: digest,
});

/** @param run of the machine for which it is locked: an earlier one that ends leaves it alone */
export const lockParent = (digest: string, destroyId: string, run: number): UpdateRequest => ({
  key: parentLockKey(digest),
  update: "SET destroy_id = :id, destroy_run = :run",
  condition: "attribute_not_exists(pk) OR destroy_id = :id",
  values: { ":id": destroyId, ":run": run },
});

/** @param run default: whichever it is locked for */
export const unlockParent = (digest: string, destroyId: string, run?: number): DeleteRequest => ({
  key: parentLockKey(digest),
  condition: run === undefined ? "destroy_id = :id" : "destroy_id = :id AND destroy_run = :run",
  values: { ":id": destroyId, ...(run === undefined ? {} : { ":run": run }) },
});

/** Whose destroy holds the parent, when `lockParent` was refused. */
export const lockHolder = (item: Item | undefined): string => {
  const id = item?.["destroy_id"];
  return typeof id === "string" ? id : "another";
};
