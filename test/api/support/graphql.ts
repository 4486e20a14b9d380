import { expect } from "vitest";
import { countedTable, type RowChange } from "../../../shared/geo/counters.ts";
import { parseGlobalId } from "../../../shared/geo/global-id.ts";
import { duePartition, rowKey } from "../../../shared/geo/registry-row.ts";
import { REPLICATION_STATE, type ReplicationState } from "../../../shared/geo/replication-state.ts";
import type { SiteRole } from "../../../shared/geo/site-status.ts";
import { VERIFICATION_STATE, type VerificationState } from "../../../shared/geo/verification-state.ts";
import type { AttributeValue } from "../../../shared/ports/table.ts";
import { countChanges } from "../../../shared/services/count-changes.ts";
import { apiSite } from "./site.ts";

/** What a test says of a row; all else is as a synced and verified one has it. */
export interface GivenRow {
  readonly replicableName: string;
  readonly key: string;
  readonly state?: ReplicationState;
  readonly verification?: VerificationState;
  /** Further columns, or others. */
  readonly columns?: Readonly<Record<string, AttributeValue>>;
}

const SETTLED: ReadonlySet<string> = new Set(["synced succeeded", "synced disabled"]);

/** When the rows of tests were synced and verified, and when they are due: some time in 2026. */
export const SYNCED_AT = Date.UTC(2026, 4, 1, 12);
export const VERIFIED_AT = Date.UTC(2026, 4, 1, 13);

const itemOf = ({ replicableName, key, state = "synced", verification = "succeeded", columns }: GivenRow) => ({
  ...rowKey({ replicableName, key }),
  state: REPLICATION_STATE[state],
  verification_state: VERIFICATION_STATE[verification],
  created_at: Date.UTC(2026, 4, 1, 11),
  ...(state === "synced" ? { last_synced_at: SYNCED_AT } : {}),
  ...(verification === "succeeded" ? { verified_at: VERIFIED_AT } : {}),
  src_size: 1,
  rev: 1,
  ...(SETTLED.has(`${state} ${verification}`)
    ? {}
    : { due_pk: duePartition({ replicableName, key }), due_at: SYNCED_AT }),
  ...columns,
});

/** A site's API, asked in GraphQL; its rows are counted as they come and go. */
export const graphqlSite = (role: SiteRole = "secondary", given: Parameters<typeof apiSite>[1] = {}) => {
  const api = apiSite(role, given);
  let changes: RowChange[] = [];
  api.rowTable.onChange(({ sequenceNumber, before, after }) => {
    const images = { ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) };
    changes.push({ sequenceNumber: String(sequenceNumber), ...images });
  });

  const tokens = new Map<string, string>();
  const tokenOf = async (name: string, scope: "admin_geo" | "read_geo"): Promise<string> => {
    const token = tokens.get(name) ?? (await api.token({ name, scope }));
    tokens.set(name, token);
    return token;
  };

  const send = async (body: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> =>
    api.call("/api/graphql", {
      method: "POST",
      headers: {
        "content-type": "application/json",
        ...("PRIVATE-TOKEN" in headers ? {} : { "PRIVATE-TOKEN": await tokenOf("alice", "admin_geo") }),
        ...headers,
      },
      body,
    });

  return {
    ...api,
    tokenOf,
    /** Sends a body as it is; as an administrator, unless the headers say otherwise. */
    send,

    /** Puts rows into the site's table, and has them counted. */
    put: async (...rows: readonly GivenRow[]): Promise<void> => {
      for (const row of rows) await api.rowTable.put(itemOf(row));
      const counted = changes;
      changes = [];
      await countChanges(api.siteTable, { table: countedTable(role), shard: "rows", changes: counted });
    },

    /** Asks, and has the answer whatever it is. */
    ask: async (
      query: string,
      variables: Readonly<Record<string, unknown>> = {},
      headers: Readonly<Record<string, string>> = {},
    ): Promise<{ readonly data?: unknown; readonly errors?: readonly { readonly message: string }[] }> => {
      const response = await send(JSON.stringify({ query, variables }), headers);
      expect(response.status).toBe(200);
      return (await response.json()) as { readonly data?: unknown };
    },
  };
};
export type GraphQLSite = ReturnType<typeof graphqlSite>;

/** What a page of a list says. */
export interface ListedPage {
  readonly keys: readonly string[];
  readonly pageInfo: {
    readonly hasNextPage: boolean;
    readonly hasPreviousPage: boolean;
    readonly startCursor: string | null;
    readonly endCursor: string | null;
  };
}

/** The S3 key that a registry's id stands for. */
export const keyOf = (id: string): string => {
  const parsed = parseGlobalId(id);
  if ("problem" in parsed) throw new Error(parsed.problem);
  return parsed.key;
};

/** Asks for a page of LFS objects. @param args as GraphQL has them: `first: 2, sort: ID_DESC` */
export const listLfsObjects = async (
  site: GraphQLSite,
  args: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<ListedPage & { readonly error: string | undefined }> => {
  const fields = "nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }";
  const list = args === "" ? "lfsObjectRegistries" : `lfsObjectRegistries(${args})`;
  const { data, errors } = await site.ask(`{ geoNode { ${list} { ${fields} } } }`, {}, headers);
  // What the query above asks for; nothing of it when there was an error.
  const found = (data as { geoNode?: { lfsObjectRegistries?: unknown } } | undefined)?.geoNode?.lfsObjectRegistries as
    | { readonly nodes: readonly { readonly id: string }[] | null; readonly pageInfo: ListedPage["pageInfo"] }
    | null
    | undefined;
  const nowhere = { hasNextPage: false, hasPreviousPage: false, startCursor: null, endCursor: null };
  return {
    keys: (found?.nodes ?? []).map(({ id }) => keyOf(id)),
    pageInfo: found?.pageInfo ?? nowhere,
    error: errors?.[0]?.message,
  };
};

/** The key of the LFS object of a number. */
export const lfsKey = (number: number): string => `lfs_objects/${number}/ab/cd/ef${number}`;

/** Rows of LFS objects, numbered from `first` on. */
export const lfsRows = (count: number, given: Partial<GivenRow> = {}, first = 1): readonly GivenRow[] =>
  Array.from({ length: count }, (_, index) => ({ replicableName: "lfs_object", key: lfsKey(first + index), ...given }));
