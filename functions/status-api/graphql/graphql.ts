import { createHandler } from "graphql-http";
import type { Context, Hono } from "hono";
import { GRAPHQL_PATH } from "../../../shared/geo/tokens.ts";
import type { Table, ManyReader } from "../../../shared/ports/table.ts";
import type { BulkAsking } from "../../../shared/services/bulk-update/ask-for-bulk-update.ts";
import { readSettings } from "../../../shared/services/change-settings.ts";
import { CursorKey } from "../../../shared/services/cursor-key.ts";
import { readKnownSites, readReports } from "../../../shared/services/known-sites.ts";
import { REGISTRY_ROWS } from "../../../shared/services/find-rows/row-kind.ts";
import { sharingSearch } from "../../../shared/services/find-rows/sharing-search.ts";
import { keyMatcher } from "../../../shared/services/key-matcher.ts";
import { CachedSwitches } from "../../../shared/services/type-switches.ts";
import type { SiteAnswer } from "../../../shared/geo/site-answer.ts";
import { atMost } from "../json-body.ts";
import { otherAnswer, ownAnswer, type SitesServed } from "../known-sites.ts";
import { allowOnly, type ApiEnv, apiUrlOf } from "../site-paths.ts";
import type { GraphQLCall } from "./call.ts";
import { expectationOf, refusalBody, toldError } from "./answer.ts";
import { checkedQuery, variablesProblem } from "./limits.ts";
import { graphqlSchema } from "./schema.ts";

/** Most bytes of a request, query and variables together. */
export const BODY_BYTES_MAX = 65_536;

/** Batches would get around every limit of a query. */
const LIST = /^\s*\[/;

/** What a request that is none is answered with. */
const REFUSED = {
  status: 400,
  statusText: "Bad Request",
  headers: { "content-type": "application/json; charset=utf-8" },
} as const;

/**
 * What stands in an answer of which something was not done, or of which nobody knows, for a reason of ours. Inside of a text
 * that an answer tells, quotes have a backslash.
 */
const FAILED = /"code":"(UNAVAILABLE|INTERNAL)"/;

/** A site, as far as GraphQL answers for it. */
export interface GraphQLServed extends BulkAsking, SitesServed {
  readonly site: SitesServed["site"];
  readonly replicables: BulkAsking["replicables"];
  readonly siteTable: BulkAsking["siteTable"] & SitesServed["siteTable"];
  /** The registry, or the primary's verification state. */
  readonly rows: Pick<Table, "query"> & ManyReader;
  /** Of a cryptographic source. */
  randomBytes(size: number): Uint8Array;
}

const findSite = async (served: GraphQLServed, name: string, apiUrl: string): Promise<SiteAnswer | undefined> => {
  const told = { apiUrl, word: "geo_sites" } as const;
  const { own, others } = await readKnownSites(served);
  if (name === served.site.name) return ownAnswer(served, await readSettings(served), own, told);
  const known = others.find((one) => one.name === name);
  if (known === undefined) return undefined;
  return otherAnswer(known, (await readReports(served, [known])).get(name), told);
};

/** `POST /api/graphql`: the registries of this site, as GitLab Geo shows them (F71-F74, F76-F78). */
export const addGraphQL = (app: Hono<ApiEnv>, served: GraphQLServed): void => {
  const { site, replicables, siteTable, telemetry } = served;
  const switches = new CachedSwitches(served.primarySiteTable, replicables, served.clock);
  const cursorKey = new CursorKey(served);
  const callOf = (context: Context<ApiEnv>): GraphQLCall => ({
    site,
    isAdmin: context.env?.tokenScope === "admin_geo",
    tokenName: context.env?.tokenName,
    caller: context.env?.tokenId ?? context.env?.tokenName ?? "",
    replicables,
    switches,
    cursorKey,
    registry:
      site.role === "secondary"
        ? sharingSearch({ kind: REGISTRY_ROWS, rows: served.rows, siteTable, telemetry })
        : undefined,
    asking: served,
    findSite: (name) => findSite(served, name, apiUrlOf(context)),
    match: async (key) => (await keyMatcher(replicables, switches))(key),
  });
  const handle = createHandler<Context<ApiEnv>, undefined, GraphQLCall & Record<PropertyKey, unknown>>({
    formatError: toldError(telemetry),
    onSubscribe: (request, { query, operationName, variables }) => {
      const values = variables ?? {};
      const problem = variablesProblem(values);
      if (problem !== undefined) return [refusalBody(400, problem), REFUSED];
      const schema = graphqlSchema(replicables); // at the first query, so that other calls need not wait for it
      const call = callOf(request.raw);
      const checked = checkedQuery(schema, { query, operationName, variables: values }, call);
      if ("errors" in checked) return checked.errors;
      return {
        schema,
        document: checked.document,
        variableValues: values,
        contextValue: { ...call },
        hideSuggestions: !call.isAdmin,
        ...(operationName ? { operationName } : {}),
      };
    },
  });

  app.post(GRAPHQL_PATH, atMost(BODY_BYTES_MAX), async (context) => {
    const header = (name: string): string => context.req.header(name) ?? "";
    const text = await context.req.text();
    if (LIST.test(text)) return new Response(refusalBody(400, "body: expected one query, got a list of them"), REFUSED);
    const [body, { status, headers = {} }] = await handle({
      method: "POST",
      url: context.req.url,
      headers: { get: (name) => context.req.header(name) ?? null },
      body: () => text, // a text that is no JSON is refused there, in words
      raw: context,
      context: undefined,
    });
    if (FAILED.test(body ?? "")) context.set("notDone", true);
    // In GraphQL's own media type a query that is refused has a status of 400, and says why like any other.
    const isAnswer = headers["content-type"]?.startsWith("application/graphql-response+json") === true;
    if (status < 400 || isAnswer || headers === REFUSED.headers) return new Response(body, { status, headers });
    const problem = expectationOf(status, body, { accept: header("accept"), type: header("content-type") });
    return new Response(refusalBody(status, problem), { ...REFUSED, status });
  });
  app.all(GRAPHQL_PATH, allowOnly("POST"));
};
