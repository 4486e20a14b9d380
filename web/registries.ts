import type { BulkUpdateState, BulkUpdateWish } from "../shared/client/contract.ts";
import { call, CallProblem, graphql } from "./api.ts";
import type { TypeNames } from "./type-names.ts";

/** The registry of the secondary that answers: its rows, and what can be done to them. */

export type RegistryState = "PENDING" | "STARTED" | "SYNCED" | "FAILED";
export type VerificationState = "PENDING" | "STARTED" | "SUCCEEDED" | "FAILED" | "DISABLED";

/** A row, as docs/api/graphql.md has it. */
export interface Registry {
  readonly id: string;
  readonly state: RegistryState | null;
  readonly verificationState: VerificationState | null;
  readonly modelRecordId: string | null;
  readonly createdAt: string | null;
  readonly lastSyncedAt: string | null;
  readonly lastSyncFailure: string | null;
  readonly retryAt: string | null;
  readonly retryCount: number | null;
  readonly missingOnPrimary: boolean | null;
  readonly verificationStartedAt: string | null;
  readonly verifiedAt: string | null;
  readonly verificationFailure: string | null;
  readonly verificationRetryAt: string | null;
  readonly verificationRetryCount: number | null;
  readonly verificationChecksum: string | null;
  readonly verificationChecksumMismatched: string | null;
  readonly checksumMismatch: boolean | null;
  readonly dataManagementDetailsPath: string | null;
}

const FIELDS =
  "id state verificationState modelRecordId createdAt lastSyncedAt lastSyncFailure retryAt retryCount missingOnPrimary " +
  "verificationStartedAt verifiedAt verificationFailure verificationRetryAt verificationRetryCount verificationChecksum " +
  "verificationChecksumMismatched checksumMismatch dataManagementDetailsPath";

export interface RegistryPage {
  readonly count: number;
  readonly nodes: readonly Registry[];
  readonly pageInfo: {
    readonly hasNextPage: boolean;
    readonly hasPreviousPage: boolean;
    readonly startCursor: string | null;
    readonly endCursor: string | null;
  };
}

/** Rows of a page: Geo's own number. */
const PAGE_ROWS = 20;

/** How far rows are counted; the API's most. */
export const COUNT_MAX = 1_000;

/** What a list is asked for by: what stands in the address of the view. */
export interface RegistryFilter {
  readonly replication: string;
  readonly verification: string;
  readonly search: string;
  readonly sort: string;
  readonly after: string;
  readonly before: string;
}

/** What is written into the search box: ids of registries, or one key or record id. */
const searched = (search: string): Readonly<Record<string, unknown>> => {
  const words = search.split(/[\s,]+/).filter((word) => word !== "");
  if (words.length === 0) return {};
  return words.every((word) => word.startsWith("gid://")) ? { ids: words } : { keyword: search.trim() };
};

/** The GraphQL type of each argument. */
const TYPES = {
  first: "Int",
  last: "Int",
  after: "String",
  before: "String",
  ids: "[ID!]",
  keyword: "String",
  replicationState: "ReplicationStateEnum",
  verificationState: "VerificationStateEnum",
  sort: "GeoRegistrySort",
} as const;

const isArgument = (name: string): name is keyof typeof TYPES => name in TYPES;

const listOf = async <Page>(
  { registriesField }: TypeNames,
  given: Readonly<Record<string, unknown>>,
  fields: string,
  signal: AbortSignal,
): Promise<Page> => {
  const named = Object.entries(given).filter(
    ([name, value]) => isArgument(name) && value !== undefined && value !== "",
  );
  const declared = named.map(([name]) => `$${name}: ${isArgument(name) ? TYPES[name] : ""}`);
  const passed = named.map(([name]) => `${name}: $${name}`);
  const query = `query (${declared.join(", ")}) { geoNode { list: ${registriesField}(${passed.join(", ")}) { ${fields} } } }`;
  return await graphql<{ readonly list: Page }>(
    query,
    Object.fromEntries(named),
    ({ geoNode }) => geoNode,
    signal,
  ).then(({ list }) => list);
};

/** A page of a type's rows. */
export const loadRegistries = (type: TypeNames, filter: RegistryFilter, signal: AbortSignal): Promise<RegistryPage> => {
  const isBackwards = filter.before !== "";
  return listOf<RegistryPage>(
    type,
    {
      ...(isBackwards ? { last: PAGE_ROWS, before: filter.before } : { first: PAGE_ROWS, after: filter.after }),
      ...searched(filter.search),
      replicationState: filter.replication,
      verificationState: filter.verification,
      sort: filter.sort,
    },
    `count(limit: ${COUNT_MAX}) pageInfo { hasNextPage hasPreviousPage startCursor endCursor } nodes { ${FIELDS} }`,
    signal,
  );
};

/** One row. @param opaque the last part of its id */
export const loadRegistry = async (type: TypeNames, opaque: string, signal: AbortSignal): Promise<Registry> => {
  const ids = [`gid://geo/${type.registryClass}/${opaque}`];
  const { nodes } = await listOf<Pick<RegistryPage, "nodes">>(type, { ids }, `nodes { ${FIELDS} }`, signal);
  const [found] = nodes;
  if (found !== undefined) return found;
  throw new CallProblem(
    "There is no such registry.",
    "The object may have been deleted at the primary, or it is outside of what this site is restricted to. Go back to the list.",
    404,
  );
};

/** The last part of a row's id, which its address names it by. */
export const opaqueOf = ({ id }: Pick<Registry, "id">): string => id.split("/").at(-1) ?? "";

/** The S3 key that the last part of an id stands for, or an identifier of the primary's records. */
export const keyOf = (opaque: string): string => {
  try {
    const binary = atob(opaque.replaceAll("-", "+").replaceAll("_", "/"));
    return new TextDecoder().decode(Uint8Array.from(binary, (character) => character.charCodeAt(0)));
  } catch {
    return opaque;
  }
};

/** The last part of an id for an S3 key. */
export const opaqueFor = (key: string): string =>
  btoa(String.fromCharCode(...new TextEncoder().encode(key)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

interface Changed {
  readonly errors: readonly string[];
}

const refusedWith = ({ errors }: Changed): void => {
  if (errors.length > 0) throw new CallProblem(errors.join(" "), "Nothing was begun.");
};

/** Has one row copied or verified again. */
export const updateRegistry = async (id: string, action: "RESYNC" | "REVERIFY"): Promise<void> => {
  const query =
    "mutation ($id: ID!, $action: GeoRegistryAction!) { geoRegistriesUpdate(input: { registryId: $id, action: $action }) { errors } }";
  refusedWith(await graphql<Changed>(query, { id, action }, (data) => data["geoRegistriesUpdate"]));
};

/** What can be asked for all rows of a type. The filters on the screen do not count: it says "all" and means it. */
export const BULK_ACTIONS = {
  resync: { title: "Resync all", wish: { action: "resync" } },
  resyncFailed: { title: "Resync all failed", wish: { action: "resync", replication_state: "failed" } },
  reverify: { title: "Reverify all", wish: { action: "reverify" } },
  reverifyFailed: { title: "Reverify all failed", wish: { action: "reverify", verification_state: "failed" } },
} as const;
export type BulkActionName = keyof typeof BULK_ACTIONS;

/**
 * Has all rows of a type copied or verified again, or those alone that have failed. Not by GraphQL's mutation, which does not
 * tell whether anything was begun.
 * @param force also when the same was done within the last hour. Default: such a request begins nothing, and `asked` is `same`
 */
export const updateAll = async (
  siteId: number,
  { name: replicable_name }: TypeNames,
  name: BulkActionName,
  { force = false }: { readonly force?: boolean } = {},
): Promise<BulkUpdateState> => {
  const wish: BulkUpdateWish = { ...BULK_ACTIONS[name].wish, replicable_name, ...(force && { force }) };
  const { json } = await call("POST", `api/v4/geo_sites/${siteId}/bulk_updates`, { body: wish });
  return json as BulkUpdateState; // BulkUpdateContract: an answer of the API that this page was deployed with
};

/** What was asked for many rows of a type, the latest first. */
export const loadBulkUpdates = async (
  siteId: number,
  typeName: string,
  signal: AbortSignal,
): Promise<readonly BulkUpdateState[]> => {
  const { json } = await call("GET", `api/v4/geo_sites/${siteId}/bulk_updates`, { signal });
  // BulkUpdatesContract: an answer of the API that this page was deployed with.
  return (json as readonly BulkUpdateState[]).filter(({ replicable_name: name }) => name === typeName);
};

export const cancelBulkUpdate = async (siteId: number, id: string): Promise<void> => {
  await call("POST", `api/v4/geo_sites/${siteId}/bulk_updates/${encodeURIComponent(id)}/cancel`);
};
