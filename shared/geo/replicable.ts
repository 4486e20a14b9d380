import { GeoError } from "./errors.ts";
import type { GeoEventName } from "./geo-message.ts";
import { parseKeyPattern, type KeyPattern } from "./key-pattern.ts";
import { deriveNames, type ReplicableNames } from "./naming.ts";
import type { SelectiveSyncScope } from "./replicable-scope.ts";
import { supportedEvents, type StrategyName } from "./replicable-strategy.ts";

/** What a type's objects belong to in GitLab's tables; `none` for data of the whole instance. */
export const SHARDING_KEYS = ["namespace_id", "project_id", "organization_id", "none"] as const;
export type ShardingKey = (typeof SHARDING_KEYS)[number];

/**
 * What a replica's bytes are compared with.
 * - `stored_or_sha256`: the full-object checksum that S3 stores with the source if it has at least 64 bits, else a
 *   SHA-256 which the primary computes
 * - `sha256`: always a SHA-256
 */
export const CHECKSUM_POLICIES = ["stored_or_sha256", "sha256"] as const;
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
  readonly shardingKey: ShardingKey;
  /** Where the objects are. Default: `<table>/{<sharding key>}/{id}/{filename+}`. */
  readonly keyPattern?: string;
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
  readonly shardingKey: ShardingKey;
  readonly keyPattern: KeyPattern;
  /** Named in deleted events. */
  readonly uploader: string;
  /** All of them, `uploader` first. */
  readonly uploaders: readonly string[];
  readonly strategy: StrategyName;
  readonly scope: SelectiveSyncScope;
  readonly milestone: string;
  readonly enabledByDefault: boolean;
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
  const uploaders = typeof declaration.uploader === "string" ? [declaration.uploader] : declaration.uploader;
  return {
    name: declaration.name,
    names: deriveNames(declaration),
    model: declaration.model,
    table: declaration.table,
    shardingKey: declaration.shardingKey,
    keyPattern: parseKeyPattern(declaration.keyPattern ?? defaultKeyPattern(declaration)),
    uploader: uploaders[0] ?? "",
    uploaders,
    strategy: declaration.strategy,
    scope: declaration.scope,
    milestone: declaration.milestone,
    enabledByDefault: declaration.enabledByDefault,
    immutable: declaration.immutable ?? false,
    checksumPolicy: declaration.verification?.checksum ?? "stored_or_sha256",
  };
};

const defaultKeyPattern = ({ table, shardingKey }: ReplicableDeclaration): string =>
  shardingKey === "none" ? `${table}/{id}/{filename+}` : `${table}/{${shardingKey}}/{id}/{filename+}`;

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
