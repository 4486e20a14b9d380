import { quoted } from "./key-codec.ts";
import type { Replicable, ShardingKey } from "./replicable.ts";

/**
 * Selective sync (F51-F53): which objects a secondary wants. Geo's four types; the ids are those of GitLab's records, as
 * they stand in keys and in the objects' user metadata.
 */
export const SELECTIVE_SYNC_TYPES = ["none", "namespaces", "shards", "organizations"] as const;
export type SelectiveSyncType = (typeof SELECTIVE_SYNC_TYPES)[number];

/** A secondary's rule. `none` wants everything. */
export type SelectiveSync =
  | { readonly type: "none" }
  /** These namespaces with all their descendants. */
  | { readonly type: "namespaces"; readonly ids: readonly string[] }
  | { readonly type: "shards"; readonly ids: readonly string[] }
  | { readonly type: "organizations"; readonly ids: readonly string[] };

/** What a site has that nobody has restricted. */
export const EVERYTHING: SelectiveSync = { type: "none" };

/** Most ids in one rule: the site's record is read with each message. */
export const SELECTIVE_SYNC_IDS_MAX = 1_000;

/** One id as it may stand in a key, in metadata and in a rule. */
const ID = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

/** User metadata that names owners; S3 adds `x-amz-meta-` in front. */
export const OWNER_METADATA = {
  /** The owner with its ancestors, the outermost first: `1/7/42`. */
  namespace: "geo-namespace",
  organization: "geo-organization",
  /** One shard, or several joined by commas: a group's data lies on those of its projects. */
  shard: "geo-shard",
} as const;

/**
 * User metadata of an upload that names the object of the record that it was uploaded to, by its key in the same bucket.
 * When that object is gone the upload belongs to nobody any more, and is not copied (F91).
 */
export const OWNER_KEY_METADATA = "geo-owner";

/** The key of an upload's owner; undefined when it names none, or is no upload. */
export const ownerKeyOf = (
  { partitionOf, partitioned }: Pick<Replicable, "partitionOf" | "partitioned">,
  metadata: Readonly<Record<string, string>>,
): string | undefined => {
  const key = partitionOf === undefined && !partitioned ? undefined : metadata[OWNER_KEY_METADATA];
  return key === "" ? undefined : key;
};

/** To whom an object belongs, as far as its key and metadata say. */
export interface Owners {
  /** The owning namespace and its ancestors. */
  readonly namespaces: readonly string[];
  readonly organizations: readonly string[];
  readonly shards: readonly string[];
  /** What could not be read, in words; the rest counts all the same. */
  readonly problems: readonly string[];
}

const readList = (
  metadata: Readonly<Record<string, string>>,
  header: string,
  separator: string,
): { readonly ids: readonly string[]; readonly problem: string | undefined } => {
  const text = metadata[header];
  if (text === undefined || text === "") return { ids: [], problem: undefined };
  const ids = text.split(separator);
  return ids.every((id) => ID.test(id))
    ? { ids, problem: undefined }
    : {
        ids: [],
        problem: `the metadata ${header} is ${quoted(text)}, expected ids of letters, digits, _ . - (a letter or digit first) joined by "${separator}"`,
      };
};

/**
 * To whom an object belongs.
 * @param attributes what the type's key pattern finds in the key
 * @param metadata the object's user metadata, names without `x-amz-meta-`
 */
export const ownersOf = (
  { scope }: Pick<Replicable, "scope">,
  attributes: Readonly<Record<string, string>>,
  metadata: Readonly<Record<string, string>>,
): Owners => {
  const namespaces = readList(metadata, OWNER_METADATA.namespace, "/");
  const organizations = readList(metadata, OWNER_METADATA.organization, ",");
  const shards = readList(metadata, OWNER_METADATA.shard, ",");
  const inKey = scope.from === "key" ? attributes[scope.placeholder] : undefined;
  const ofKey = (owner: "namespace" | "organization"): readonly string[] =>
    scope.from === "key" && scope.owner === owner && inKey !== undefined ? [inKey] : [];
  return {
    namespaces: [...new Set([...namespaces.ids, ...ofKey("namespace")])],
    organizations: [...new Set([...organizations.ids, ...ofKey("organization")])],
    shards: shards.ids,
    problems: [namespaces.problem, organizations.problem, shards.problem].filter((problem) => problem !== undefined),
  };
};

/**
 * Whether a site with this rule wants an object. One whose owner nobody can tell is not wanted by a rule that asks for
 * owners: restricting a site and sending it what is not known to be meant for it do not go together.
 */
export const wants = (rule: SelectiveSync, { scope }: Pick<Replicable, "scope">, owners: Owners): boolean => {
  // Data of the whole instance is wanted everywhere (F53).
  if (rule.type === "none" || scope.from === "nothing") return true;
  const owned = owners[rule.type];
  return owned.some((id) => rule.ids.includes(id));
};

/** Sharding keys of what belongs to a group or to a project. */
const OF_GROUPS_AND_PROJECTS: ReadonlySet<ShardingKey> = new Set(["namespace_id", "group_id", "project_id"]);

/**
 * Whether an upload goes everywhere as one of GitLab's type of all uploads: by namespaces and by shards that type tells only
 * the uploads of groups and projects apart, and wants all others. The partitions go by owners, each for itself.
 */
export const isWantedAmongAllUploads = (
  rule: SelectiveSync,
  { shardingKeys }: Pick<Replicable, "shardingKeys">,
): boolean =>
  (rule.type === "namespaces" || rule.type === "shards") &&
  !shardingKeys.some((shardingKey) => OF_GROUPS_AND_PROJECTS.has(shardingKey));

/**
 * Whether the key alone says that a site with this rule wants its object. Metadata may add owners to those of the key, so
 * that a key alone never says that an object is not wanted.
 */
export const wantedByKey = (
  rule: SelectiveSync,
  replicable: Pick<Replicable, "scope">,
  attributes: Readonly<Record<string, string>>,
): boolean => wants(rule, replicable, ownersOf(replicable, attributes, {}));

/** All that is wrong with a rule, for whoever wrote it; empty when it can be used. */
export const findSelectiveSyncProblems = (type: string, ids: readonly string[]): readonly string[] => {
  if (!(SELECTIVE_SYNC_TYPES as readonly string[]).includes(type)) {
    return [`selective_sync_type is ${quoted(type)}, expected ${SELECTIVE_SYNC_TYPES.join(", ")}`];
  }
  if (type === "none") {
    return ids.length === 0 ? [] : [`selective sync of type none takes no ids, got ${ids.length}`];
  }
  return [
    ...(ids.length === 0
      ? [`selective sync by ${type} needs at least one id: an empty list would remove every replica that has an owner`]
      : []),
    ...(ids.length > SELECTIVE_SYNC_IDS_MAX
      ? [`selective sync takes at most ${SELECTIVE_SYNC_IDS_MAX} ids, got ${ids.length}`]
      : []),
    ...ids
      .filter((id) => !ID.test(id))
      .slice(0, 10)
      .map((id) => `${quoted(id)} is no id; expected up to 64 letters, digits, _ . -`),
  ];
};
