import type { Hono } from "hono";
import { parseUsageDays } from "../../shared/geo/daily-usage.ts";
import { readUsage, type UsedSite } from "../../shared/services/daily-usage.ts";
import { allowOnly, type ApiEnv, notThisSite, type SitesPath } from "./site-paths.ts";

/**
 * The usage of a site: `GET …/:id/usage?days=30` tells of each of the last days, today included, how much was done of which type
 * (`UsageAnswer`). As far as the site's ledger goes back; 400 for a number of days that it can not have.
 */
export const addUsage = (app: Hono<ApiEnv>, sites: SitesPath, used: UsedSite): void => {
  const path = `${sites}/:id/usage` as const;

  app.get(path, async (context) => {
    const refusal = notThisSite(used.site, context, context.req.param("id"));
    if (refusal !== undefined) return refusal;
    const asked = parseUsageDays(context.req.query("days"));
    if ("problem" in asked) return context.json({ message: `400 Bad request - ${asked.problem}` }, 400);
    return context.json(await readUsage(used, asked.days));
  });

  app.all(path, allowOnly("GET, HEAD"));
};
