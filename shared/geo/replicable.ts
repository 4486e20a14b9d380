import { GeoError } from "./errors.ts";
import type { GeoEventName } from "./geo-message.ts";
import { NO_KEYS, parseKeyPattern, type KeyPattern } from "./key-pattern.ts";
import { deriveNames, type ReplicableNames } from "./naming.ts";
import type { SelectiveSyncScope } from "./replicable-scope.ts";
import { supportedEvents, type StrategyName } from "./replicable-strategy.ts";

/** What a type's objects belong to in GitLab's tables (a group is a namespace); `none` for data of the whole instance. */
export const SHARDING_KEYS = [
  "namespace_id",
  "group_id",
  "project_id",
  "organization_id",
  "uploaded_by_user_id",
  "none",
] as const;
export type ShardingKey = (typeof SHARDING_KEYS)[number];

/**
 * What a replica is compared with, and how. Each value is recorded with its scheme (`shared/geo/checksum.ts`).
 * - `stored_or_sha256`: the bytes, with the full-object checksum that S3 stores with the source if it has at least 64
 *   bits, else with a SHA-256 that the primary computes
 * - `sha256`: the bytes, with a SHA-256 that the primary always computes itself, whatever S3 stores
 * - `sha256-tree-64m`: the bytes, with the SHA-256 over the SHA-256 digests of pieces of 64 MiB, which the primary
 *   computes: a cryptographic digest whose pieces can be read at the same time
 * - `crc64nvme`: the bytes, with the CRC64NVME that S3 stores with the source, else with one that the primary computes
 * - `size`: Geo's own check in object storage. No byte is read: a replica of the same size passes, whatever is in it
 * - `attested`: what S3 stores and says of both versions. No byte is read: a copy carries the source's checksum over, so
 *   this proves that the right version was copied, and not that it arrived or is still whole. A source of which S3 stores
 *   no checksum of the whole content is read as for `stored_or_sha256`
 */
export const CHECKSUM_POLICIES = [
  "stored_or_sha256",
  "sha256",
  "sha256-tree-64m",
  "crc64nvme",
  "size",
  "attested",
] as const;
export type ChecksumPolicy = (typeof CHECKSUM_POLICIES)[number];

/** Everything that is said about a type by hand. */
export interface ReplicableDeclaration {
  /** Snake case, singular; the type's name everywhere. It never changes: rows are kept under it. */
  readonly name: string;
  /** Only where English is irregular: `cool_leaves`. */
  readonly plural?: string;
  /** For people. Default: the name, capitalized. */
  readonly title?: string;
  readonly titlePlural?: string;
  /** The GitLab class whose files these are. */
  readonly model: string;
  /** The table that the records are in. */
  readonly table: string;
  /**
   * Of several, each record has one, and its key could not tell which: the default place then names none of them, and the
   * scope has to be `metadataScope`.
   */
  readonly shardingKey: ShardingKey | readonly [ShardingKey, ShardingKey, ...ShardingKey[]];
  /** Where the objects are. Default: `<table>/{<sharding key>}/{id}/{filename+}`, or without a single one `<table>/{id}/{filename+}`. */
  readonly keyPattern?: string;
  /**
   * Which of the keys at that place count (Geo's `available_replicables`): one that does not is nobody's, so that no event,
   * row or count knows of it. Called with what the placeholders find, the names of an overridden pattern included. Has to
   * answer the same for the same key for ever. Default: all.
   */
  readonly available?: (attributes: Readonly<Record<string, string>>) => boolean;
  /**
   * The type whose objects these are too, as long as that one is replicated: they are one type or the other, never both
   * (shared/geo/upload-partitions.ts). That type says `partitioned`.
   */
  readonly partitionOf?: string;
  /** True when its objects are those of the types that are `partitionOf` it; it has no place of its own. Default: false. */
  readonly partitioned?: boolean;
  /** The class that wrote the files; the first of several is the one named in deleted events. */
  readonly uploader: string | readonly [string, ...string[]];
  readonly strategy: StrategyName;
  /** How selective sync finds an object's owners. */
  readonly scope: SelectiveSyncScope;
  /** The version that introduced it, `18.11`. */
  readonly milestone: string;
  /** Default of its feature flags: false while a type is new, true once it is released. */
  readonly enabledByDefault: boolean;
  /** True when a key is never written twice, so that equal data on the replica may be adopted. Default: false. */
  readonly immutable?: boolean;
  readonly verification?: {
    /** Default: `stored_or_sha256`. */
    readonly checksum?: ChecksumPolicy;
  };
}

/** A kind of S3 object that is replicated: a declaration with all that follows from it. */
export interface Replicable {
  readonly name: string;
  readonly names: ReplicableNames;
  readonly model: string;
  readonly table: string;
  /** The first of several. */
  readonly shardingKey: ShardingKey;
  /** All of them, `shardingKey` first. */
  readonly shardingKeys: readonly ShardingKey[];
  /** Of a type that is partitioned: `NO_KEYS`. */
  readonly keyPattern: KeyPattern;
  readonly available: ((attributes: Readonly<Record<string, string>>) => boolean) | undefined;
  readonly partitionOf: string | undefined;
  readonly partitioned: boolean;
  /** Named in deleted events. */
  readonly uploader: string;
  /** All of them, `uploader` first. */
  readonly uploaders: readonly string[];
  readonly strategy: StrategyName;
  readonly scope: SelectiveSyncScope;
  readonly milestone: string;
  readonly enabledByDefault: boolean;
  /** Marks a type that is not released: it is off by default, and what it shows may still change. */
  readonly experiment: { readonly milestone: string } | undefined;
  readonly immutable: boolean;
  readonly checksumPolicy: ChecksumPolicy;
}

/**
 * Declares a type. Never throws, so that a start can report what is wrong with all types together: see
 * `assertReplicables`.
 *
 * @example
 * export const coolWidget = defineReplicable({
 *   name: "cool_widget",
 *   model: "CoolWidget",
 *   table: "cool_widgets",
 *   shardingKey: "project_id",
 *   uploader: "CoolWidgetUploader",
 *   strategy: "blob",
 *   scope: projectScope(),
 *   milestone: "19.4",
 *   enabledByDefault: false,
 * });
 */
export const defineReplicable = (declaration: ReplicableDeclaration): Replicable => {
  const { milestone, enabledByDefault, partitioned = false } = declaration;
  const uploaders = listed(declaration.uploader);
  const shardingKeys = listed(declaration.shardingKey);
  const place = declaration.keyPattern ?? (partitioned ? undefined : defaultPlace(declaration.table, shardingKeys));
  return {
    name: declaration.name,
    names: deriveNames(declaration),
    model: declaration.model,
    table: declaration.table,
    shardingKey: shardingKeys[0] ?? "none",
    shardingKeys,
    keyPattern: place === undefined ? NO_KEYS : parseKeyPattern(place),
    available: declaration.available,
    partitionOf: declaration.partitionOf,
    partitioned,
    uploader: uploaders[0] ?? "",
    uploaders,
    strategy: declaration.strategy,
    scope: declaration.scope,
    milestone,
    enabledByDefault,
    experiment: enabledByDefault ? undefined : { milestone },
    immutable: declaration.immutable ?? false,
    checksumPolicy: declaration.verification?.checksum ?? "stored_or_sha256",
  };
};

const listed = <One extends string>(oneOrMore: One | readonly One[]): readonly One[] =>
  typeof oneOrMore === "object" ? oneOrMore : [oneOrMore];

const defaultPlace = (table: string, shardingKeys: readonly ShardingKey[]): string => {
  const [only, ...others] = shardingKeys;
  return only === undefined || only === "none" || others.length > 0
    ? `${table}/{id}/{filename+}`
    : `${table}/{${only}}/{id}/{filename+}`;
};

/**
 * Refuses an event that the type's strategy does not have, such as `updated` for blobs.
 * @throws GeoError GEO_UNSUPPORTED_EVENT
 */
export const assertEventSupported = (replicable: Replicable, eventName: GeoEventName): void => {
  const supported = supportedEvents(replicable.strategy);
  if (supported.includes(eventName)) return;
  throw new GeoError(
    "GEO_UNSUPPORTED_EVENT",
    `${replicable.name} has the ${replicable.strategy} strategy, which has no event "${eventName}"; it has ${supported.join(", ")}`,
  );
};
