import * as z from "zod/mini";
import type { ReplicableNames } from "../geo/naming.ts";

/** Registries of a secondary, as its GraphQL API tells them. */

const text = z.nullable(z.string());
const count = z.nullable(z.number());

const RegistryContract = z.looseObject({
  /** Global id: `gid://geo/CoolWidgetRegistry/…`, which holds the S3 key (`parseGlobalId`). */
  id: z.string(),
  state: z.nullable(z.enum(["PENDING", "STARTED", "SYNCED", "FAILED"])),
  lastSyncedAt: text,
  lastSyncFailure: text,
  retryCount: count,
  retryAt: text,
  createdAt: text,
  missingOnPrimary: z.nullable(z.boolean()),
  modelRecordId: text,
  verificationState: z.nullable(z.enum(["PENDING", "STARTED", "SUCCEEDED", "FAILED", "DISABLED"])),
  verifiedAt: text,
  verificationChecksum: text,
  verificationChecksumMismatched: text,
  verificationFailure: text,
  verificationRetryCount: count,
  verificationRetryAt: text,
});
export type Registry = z.infer<typeof RegistryContract>;

/** What is asked of each registry: the fields of the contract. */
const FIELDS = Object.keys(RegistryContract.shape).join(" ");

const PageContract = z.object({
  nodes: z.array(RegistryContract),
  pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: text }),
});

/** The answer to `registriesQuery`. Without a `geoNode`: the token may not see registries. */
export const RegistriesContract = z.looseObject({
  data: z.optional(z.nullable(z.object({ geoNode: z.nullable(z.object({ registries: z.nullable(PageContract) })) }))),
  errors: z.optional(
    z.array(
      z.looseObject({ message: z.string(), extensions: z.optional(z.looseObject({ code: z.optional(z.string()) })) }),
    ),
  ),
});

/** What a list is asked for by; rows have to fit all that is named. Enums as GraphQL spells them. */
export interface RegistriesWish {
  /** 1 to 100. */
  readonly first: number;
  /** Only rows behind this cursor, which the page before has told. */
  readonly after?: string | undefined;
  /** Global ids, at most 100. */
  readonly ids?: readonly string[] | undefined;
  readonly replicationState?: string | undefined;
  readonly verificationState?: string | undefined;
  /** The whole S3 key, or the id of the record. */
  readonly keyword?: string | undefined;
  readonly sort?: string | undefined;
}

/** A page of registries. It may hold fewer than were asked for, or none, and have more behind it all the same. */
export interface RegistryPage {
  readonly registries: readonly Registry[];
  /** Where the next page begins; null when there is none. */
  readonly next: string | null;
}

/** The query for a page of a type's registries, as it is sent. */
export const registriesQuery = (
  { registriesField }: Pick<ReplicableNames, "registriesField">,
  variables: RegistriesWish,
) => ({
  query:
    "query Registries($first: Int, $after: String, $ids: [ID!], $replicationState: ReplicationStateEnum, " +
    "$verificationState: VerificationStateEnum, $keyword: String, $sort: GeoRegistrySort) { geoNode { registries: " +
    `${registriesField}(first: $first, after: $after, ids: $ids, replicationState: $replicationState, ` +
    "verificationState: $verificationState, keyword: $keyword, sort: $sort) " +
    `{ nodes { ${FIELDS} } pageInfo { hasNextPage endCursor } } } }`,
  variables,
});
