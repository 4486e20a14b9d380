import type { Context } from "hono";
import { siteId, type SitesWord, type StatusSite } from "../../shared/geo/site-status.ts";
import type { CallContext } from "../../shared/lambda/http-handler.ts";

/** GitLab has both words for a site; `geo_nodes` is the older one. */
export const SITE_PATHS = ["/api/v4/geo_sites", "/api/v4/geo_nodes"] as const;
export type SitesPath = (typeof SITE_PATHS)[number];

/** The word for sites in a path. */
export const wordOf = (sites: SitesPath): SitesWord => (sites === "/api/v4/geo_nodes" ? "geo_nodes" : "geo_sites");

/** What a call brings along, in hono's words. */
export interface ApiEnv {
  readonly Bindings: CallContext;
  /** `notDone`: the call failed for a reason of ours although its status does not say so; it may be made again. */
  readonly Variables: { readonly notDone?: boolean };
}

/** Where the caller reached the API. Without a gateway in front (`app.request` in a test), links are relative. */
export const apiUrlOf = (context: Context<ApiEnv>): string => {
  const call: Partial<CallContext> | undefined = context.env;
  return call?.apiUrl ?? "";
};

const SITE_ID = /^[1-9]\d{0,9}$/;

/** The refusal of an id that can be no site's; nothing when it can be one. */
export const notAnId = (context: Context<ApiEnv>, id: string): Response | undefined =>
  SITE_ID.test(id)
    ? undefined
    : context.json({ message: "400 Bad request - id is invalid: expected a site's number" }, 400);

/** The answer about a site that nobody here knows. */
export const noSuchSite = (context: Context<ApiEnv>): Response =>
  context.json({ message: "404 GeoSite Not Found" }, 404);

/** The refusal of a call that is not about this site; nothing when it is. */
export const notThisSite = (site: StatusSite, context: Context<ApiEnv>, id: string): Response | undefined =>
  notAnId(context, id) ?? (Number(id) === siteId(site.name) ? undefined : noSuchSite(context));

/** The refusal of any other method than those. */
export const allowOnly =
  (methods: string) =>
  (context: Context<ApiEnv>): Response => {
    context.header("allow", methods);
    return context.json({ message: "405 Method Not Allowed" }, 405);
  };
