import type { GraphQLSchema } from "graphql";
import { createHandler } from "graphql-http";
import type { Context, Hono } from "hono";
import { GRAPHQL_PATH } from "../../../shared/geo/tokens.ts";
import type { Table, ManyReader } from "../../../shared/ports/table.ts";
import type { BulkAsking } from "../../../shared/services/bulk-update/ask-for-bulk-update.ts";
import { readSettings } from "../../../shared/services/change-settings.ts";
import { CursorKey } from "../../../shared/services/cursor-key.ts";
import { REGISTRY_ROWS } from "../../../shared/services/find-rows/row-kind.ts";
import { keyMatcher } from "../../../shared/services/key-matcher.ts";
import { CachedSwitches } from "../../../shared/services/type-switches.ts";
import type { StatusSite } from "../../../shared/geo/site-status.ts";
import { atMost } from "../json-body.ts";
import { allowOnly, type ApiEnv, apiUrlOf } from "../site-paths.ts";
import type { GraphQLCall } from "./call.ts";
import { graphqlSchema } from "./schema.ts";

/** Most bytes of a request, query and variables together. */
const BODY_BYTES_MAX = 65_536;

/** A site, as far as GraphQL answers for it. */
export interface GraphQLServed extends BulkAsking {
  readonly site: StatusSite;
  /** The registry, or the primary's verification state. */
  readonly rows: Pick<Table, "query"> & ManyReader;
  readonly syncObjectStorage: boolean;
  /** Of a cryptographic source. */
  randomBytes(size: number): Uint8Array;
}

/** `POST /api/graphql`: the registries of this site, as GitLab Geo shows them (F71-F74, F76-F78). */
export const addGraphQL = (app: Hono<ApiEnv>, served: GraphQLServed): void => {
  let schema: GraphQLSchema | undefined;
  const { site, replicables, siteTable, telemetry } = served;
  const switches = new CachedSwitches(served.primarySiteTable, replicables, served.clock);
  const cursorKey = new CursorKey(served);
  const callOf = (context: Context<ApiEnv>): GraphQLCall => ({
    site,
    isAdmin: context.env?.tokenScope === "admin_geo",
    caller: context.env?.tokenId ?? context.env?.tokenName ?? "",
    apiUrl: apiUrlOf(context),
    replicables,
    switches,
    cursorKey,
    registry: site.role === "secondary" ? { kind: REGISTRY_ROWS, rows: served.rows, siteTable, telemetry } : undefined,
    asking: served,
    settings: () => readSettings(served),
    keepsObjects: served.syncObjectStorage,
    match: async (key) => (await keyMatcher(replicables, switches))(key),
  });
  const handle = createHandler<Context<ApiEnv>, undefined, GraphQLCall & Record<PropertyKey, unknown>>({
    schema: () => (schema ??= graphqlSchema(replicables)),
    context: ({ raw }) => ({ ...callOf(raw) }),
  });

  app.post(GRAPHQL_PATH, atMost(BODY_BYTES_MAX), async (context) => {
    const [body, { status, headers = {} }] = await handle({
      method: "POST",
      url: context.req.url,
      headers: { get: (name) => context.req.header(name) ?? null },
      body: () => context.req.text(),
      raw: context,
      context: undefined,
    });
    return new Response(body, { status, headers });
  });
  app.all(GRAPHQL_PATH, allowOnly("POST"));
};
