import { createHash } from "node:crypto";
import * as z from "zod/mini";
import { rowReader } from "./flat-reader.ts";
import { DUE_PARTITIONS } from "./limits.ts";
import { type ReplicationState, replicationStateOf } from "./replication-state.ts";
import { type VerificationState, verificationStateOf } from "./verification-state.ts";

/** Names one object of one type. */
export interface ObjectRef {
  readonly replicableName: string;
  /** The S3 key. */
  readonly key: string;
}

/** Keys whose shard is remembered: each is asked for at every write of an attempt, and attempts are of few keys at a time. */
const SHARDS_KEPT = 1_000;
const shards = new Map<string, number>();

const shardOf = (key: string): number => {
  const known = shards.get(key);
  if (known !== undefined) return known;
  if (shards.size >= SHARDS_KEPT) shards.clear();
  const shard = createHash("sha256").update(key, "utf8").digest().readUInt16BE(0) >>> 4;
  shards.set(key, shard);
  return shard;
};

/** Into how many partitions the rows of one type are spread. */
export const ROW_PARTITIONS = 4_096;

/** The `pk` of one of a type's partitions, counted from 0: for going through all rows of a type. */
export const rowPartition = (replicableName: string, partition: number): string =>
  `${replicableName}#${partition.toString(16).padStart(3, "0")}`;

/** Which of a type's partitions a `pk` is, counted from 0. */
export const rowPartitionNumber = (pk: string): number => Number.parseInt(pk.slice(pk.lastIndexOf("#") + 1), 16);

/**
 * Where the row of an object stands, in the registry and in the verification-state table alike. The partition is the type
 * and 12 bits of the key's SHA-256, so that a type spreads over 4,096 partitions; the sort key is the S3 key itself, which
 * may use DynamoDB's whole 1,024 bytes.
 */
export const rowKey = (ref: ObjectRef): { readonly pk: string; readonly sk: string } => ({
  pk: rowPartition(ref.replicableName, shardOf(ref.key)),
  sk: ref.key,
});

/** The partition of the due index that the row of an object appears in while it is not settled. */
export const duePartition = (ref: ObjectRef): string => `${ref.replicableName}#${shardOf(ref.key) % DUE_PARTITIONS}`;

/** Every due partition of a type. */
export const duePartitions = (replicableName: string): readonly string[] =>
  Array.from({ length: DUE_PARTITIONS }, (_, partition) => `${replicableName}#${partition}`);

/**
 * The partition of the same index that a settled state row of the primary is put into when its object will soon have to be
 * read again, at the time at which that was last verified: so the oldest can be asked for without looking at any other. No
 * type's name has a `#`.
 */
export const verifiedPartition = (ref: ObjectRef): string => `verified#${duePartition(ref)}`;

/** Every partition of a type's settled state rows. */
export const verifiedPartitions = (replicableName: string): readonly string[] =>
  duePartitions(replicableName).map((partition) => `verified#${partition}`);

const time = z.optional(z.number());
const text = z.optional(z.string());

/** Columns that primary state rows and secondary registry rows share, with Geo's names. Times: epoch milliseconds. */
const verificationColumns = {
  verification_state: z._default(z.number(), 0),
  verification_started_at: time,
  verified_at: time,
  verification_retry_at: time,
  verification_retry_count: z._default(z.number(), 0),
  /** `<scheme>:<hex>` of what was read here; `attested-…` and `size:…` of what was not read (`shared/geo/checksum.ts`). */
  verification_checksum: text,
  /** How far the bytes of a large object were read by an attempt that ran out of time (`shared/geo/read-progress.ts`). */
  verification_progress: text,
  verification_failure: text,
};

/** Attributes of both tables that serve the protocol. */
const protocolColumns = {
  pk: z.string(),
  sk: z.string(),
  created_at: time,
  src_version_id: text,
  src_etag: text,
  src_size: z.optional(z.number()),
  /** Source's `LastModified`: what lag is measured from. */
  src_last_modified: time,
  /**
   * When to look at the row again. Present while it is not settled. A settled state row of the primary whose object will
   * soon have to be read again stands in another partition of the index, at the time when it was verified.
   */
  due_at: time,
  due_pk: text,
  /** Counts every write of the row. */
  rev: z._default(z.number(), 0),
};

export const RegistryItem = z.object({
  ...protocolColumns,
  ...verificationColumns,
  state: z.number(),
  last_synced_at: time,
  retry_at: time,
  retry_count: z._default(z.number(), 0),
  last_sync_failure: text,
  /** The primary's record names the object, and its bucket does not hold it (F14). */
  missing_on_primary: z.optional(z.boolean()),
  /** An operator asked for a fresh copy: whatever the replica holds now is not taken for one (F18). */
  resync_requested: z.optional(z.boolean()),
  checksum_mismatch: z._default(z.boolean(), false),
  /** The primary's digest, while the two differ. */
  verification_checksum_mismatched: text,
  /** Counts hints: whoever claims the row settles exactly the generation it claimed. */
  gen: z._default(z.number(), 0),
  claimed_gen: z._default(z.number(), 0),
  done_gen: z._default(z.number(), 0),
  /** Present exactly while somebody may be writing to S3 for this key. */
  attempt_token: text,
  lease_until: time,
  attempt_started_at: time,
  /** Present while somebody else may still be writing: nothing is certain before this time (R10-R12). */
  taint_until: time,
  rep_version_id: text,
  rep_etag: text,
  /** What S3 says of the source, in the kind that its type declares, when that takes no reading. */
  src_checksum: text,
  /** A copy in parts that is under way, and what it is a copy of (`shared/geo/open-upload.ts`). */
  upload_id: text,
  upload_src_version_id: text,
  upload_src_etag: text,
  upload_tags: text,
  upload_part_bytes: z.optional(z.number()),
  /** The source version of which one mismatch was taken for a passing one (F32). */
  mismatch_excused: text,
  /** The present holder of the verification, and until when. */
  v_token: text,
  v_lease: time,
  /** Why a human is needed. */
  blocked_reason: text,
  last_event_at: time,
  /** When this site first heard of what it has not followed yet; present while the row is not settled. */
  waiting_since: time,
  /** The source version that the row names was never verified: what is measured as lag once it is. */
  unproven: z.optional(z.boolean()),
});

/** A secondary's record of one object. */
export type RegistryRow = Omit<z.infer<typeof RegistryItem>, "state" | "verification_state"> & {
  readonly state: ReplicationState;
  readonly verification_state: VerificationState;
};

const readRegistryItem = rowReader("registry", RegistryItem);

/** Parses a stored registry item. Throws `GEO_UNREADABLE_ROW` on one that is not a registry row. */
export const parseRegistryRow = (item: unknown): RegistryRow => {
  const columns = readRegistryItem(item);
  return {
    ...columns,
    state: replicationStateOf(columns.state),
    verification_state: verificationStateOf(columns.verification_state),
  };
};

export const StateItem = z.object({
  ...protocolColumns,
  ...verificationColumns,
  /** `absent` in the tombstone of an object that the primary does not hold any more; else there is none. */
  state: z.optional(z.number()),
  /** What the bytes came to, while that is not what was recorded of the same version. */
  verification_checksum_found: text,
});

/** The primary's record of one object's checksum. */
export type VerificationStateRow = Omit<z.infer<typeof StateItem>, "state" | "verification_state"> & {
  /** The row is a tombstone. */
  readonly tombstone: boolean;
  readonly verification_state: VerificationState;
};

const readStateItem = rowReader("verification-state", StateItem);

/** Parses a stored verification-state item. Throws `GEO_UNREADABLE_ROW` on one that is not. */
export const parseVerificationStateRow = (item: unknown): VerificationStateRow => {
  const { state, verification_state: verificationState, ...columns } = readStateItem(item);
  return {
    ...columns,
    tombstone: state !== undefined && replicationStateOf(state) === "absent",
    verification_state: verificationStateOf(verificationState),
  };
};
