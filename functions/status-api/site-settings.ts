import type { Context, Hono } from "hono";
import { siteAnswer } from "../../shared/geo/site-answer.ts";
import type { SiteSettings } from "../../shared/geo/site-settings.ts";
import type { StatusSite } from "../../shared/geo/site-status.ts";
import { changeSiteSettings, type RecordedSite, readSettings } from "../../shared/services/change-settings.ts";
import { atMost, jsonOf } from "./json-body.ts";
import { allowOnly, type ApiEnv, apiUrlOf, notThisSite, type SitesPath } from "./site-paths.ts";

/** A thousand ids of 64 characters each, with quotes and commas, and as much again. */
const BODY_BYTES_MAX = 131_072;

/** What a site is told of and changed by. */
export interface SettledSite extends RecordedSite {
  readonly site: StatusSite;
  /** Whether it keeps replicas of objects, by what it was deployed with (`syncObjectStorage`). */
  readonly syncObjectStorage: boolean;
}

/**
 * A site and its settings (F34, F46, F51-F54).
 *
 * - `GET …/:id`: the site (`SiteAnswer`)
 * - `PUT …/:id` with any of its settings, for example `{"selective_sync_type": "namespaces",
 *   "selective_sync_namespace_ids": [7]}`: changes them while it runs, and answers the site as it is then. 400 names
 *   everything that was expected and what came; 413 for more than 131,072 bytes
 */
export const addSiteSettings = (app: Hono<ApiEnv>, sites: SitesPath, settled: SettledSite): void => {
  const path = `${sites}/:id` as const;
  const answer = (context: Context<ApiEnv>, settings: SiteSettings): Response =>
    context.json(siteAnswer(settled.site, settings, settled.syncObjectStorage, apiUrlOf(context)));

  app.get(
    path,
    async (context) =>
      notThisSite(settled.site, context, context.req.param("id")) ?? answer(context, await readSettings(settled)),
  );

  app.put(path, atMost(BODY_BYTES_MAX), async (context) => {
    const refusal = notThisSite(settled.site, context, context.req.param("id"));
    if (refusal !== undefined) return refusal;
    const sent = await jsonOf(context);
    if (sent === undefined) {
      const message = '400 Bad request - body: expected JSON such as {"files_max_capacity": 100}, got no JSON';
      return context.json({ message }, 400);
    }
    const changed = await changeSiteSettings(settled, settled.site.role, sent.json, context.env?.tokenName);
    return "problems" in changed
      ? context.json({ message: `400 Bad request - ${changed.problems.join("; ")}` }, 400)
      : answer(context, changed.settings);
  });

  app.all(path, allowOnly("GET, HEAD, PUT"));
};
