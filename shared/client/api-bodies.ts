import * as z from "zod/mini";
import type { BulkUpdateWish, NewSiteWish, SiteChange } from "./contract.ts";
import type { DestroyWish } from "./destroy-contract.ts";

/**
 * What calls of the API take, for its description. The API itself reads bodies with parsers of its own, which name everything
 * that is wrong together; what may be sent in all is said here.
 */

const Ids = z.union([z.array(z.union([z.number(), z.string()])), z.string()]);
const Id = z.union([z.number(), z.string()]);

export const NewSiteBody = z.object({
  name: z.string(),
  url: z.string(),
  internal_url: z.optional(z.nullable(z.string())),
  enabled: z.optional(z.boolean()),
}) satisfies z.ZodMiniType<{ -readonly [Key in keyof NewSiteWish]: unknown }>;

export const SiteChangeBody = z.partial(
  z.object({
    name: z.string(),
    url: z.string(),
    internal_url: z.nullable(z.string()),
    enabled: z.boolean(),
    files_max_capacity: z.number(),
    repos_max_capacity: z.number(),
    verification_max_capacity: z.number(),
    container_repositories_max_capacity: z.number(),
    selective_sync_type: z.nullable(z.enum(["namespaces", "shards", "organizations"])),
    selective_sync_shards: z.union([z.array(z.string()), z.string()]),
    selective_sync_namespace_ids: Ids,
    selective_sync_organization_ids: Ids,
    minimum_reverification_interval: z.number(),
    sync_object_storage: z.boolean(),
  }),
) satisfies z.ZodMiniType<{ -readonly [Key in keyof SiteChange]: unknown }>;

export const FeatureBody = z.object({ value: z.boolean() });

export const ReleaseBody = z.object({ removals: z.number(), minutes: z.optional(z.number()) });

export const RedriveBody = z.object({ messages: z.optional(z.number()), parked: z.optional(z.boolean()) });

export const BulkUpdateBody = z.object({
  action: z.enum(["resync", "reconcile", "reverify", "retry_now", "checksum"]),
  replicable_name: z.optional(z.string()),
  keys: z.optional(z.array(z.string())),
  replication_state: z.optional(z.string()),
  verification_state: z.optional(z.string()),
  failure: z.optional(z.string()),
  force: z.optional(z.boolean()),
}) satisfies z.ZodMiniType<{ -readonly [Key in keyof BulkUpdateWish]: unknown }>;

export const DestroyBody = z.partial(
  z.object({
    replicable_name: z.string(),
    namespace_id: Id,
    project_id: Id,
    organization_id: Id,
    prefix: z.string(),
    keys: z.array(z.string()),
  }),
) satisfies z.ZodMiniType<{ -readonly [Key in keyof DestroyWish]: unknown }>;

export const ConfirmBody = z.object({ object_count: z.number() });

export const ChecksumsBody = z.object({
  checksum_state: z.optional(z.string()),
  identifiers: z.optional(z.array(z.string())),
});

export const GraphQLBody = z.object({
  query: z.string(),
  operationName: z.optional(z.nullable(z.string())),
  variables: z.optional(z.nullable(z.record(z.string(), z.unknown()))),
});
