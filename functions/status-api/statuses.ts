import type { Hono } from "hono";
import { GeoError } from "../../shared/geo/errors.ts";
import type { StoredStatus } from "../../shared/geo/gathered-status.ts";
import { onPage, type Page } from "../../shared/geo/pagination.ts";
import { siteId, type SiteStatus } from "../../shared/geo/site-status.ts";
import { reportedStatus } from "../../shared/geo/told-status.ts";
import { readKnownSites, readReports, type SitesKeeper } from "../../shared/services/known-sites.ts";
import { readSiteStatus, type StatusReader } from "../../shared/services/site-status.ts";
import type { KnownSite } from "../../shared/tables/site/known-site.ts";
import { paged } from "./paged.ts";
import { allowOnly, type ApiEnv, apiUrlOf, noSuchSite, notAnId, type SitesPath, wordOf } from "./site-paths.ts";

const REFRESH = new Set([undefined, "true", "false"]);

/** The sites of a page with what they reported; undefined stands for the site that answers, which is the first. */
interface Reports {
  readonly chosen: readonly (KnownSite | undefined)[];
  readonly reports: ReadonlyMap<string, StoredStatus>;
  /** On all pages. */
  readonly total: number;
}

/** What the sites of a page have reported. A site that can not find out which there are tells of itself: that it can. */
const reportsOn = async (served: SitesKeeper, page: Page): Promise<Reports> => {
  try {
    const { others } = await readKnownSites(served);
    const reporting = others.filter(({ reportedAt }) => reportedAt !== undefined);
    const chosen = onPage([undefined, ...reporting], page);
    const named = chosen.flatMap((known) => known ?? []);
    return { chosen, reports: await readReports(served, named), total: reporting.length + 1 };
  } catch (error) {
    if (!(error instanceof GeoError)) throw error;
    served.telemetry.error("reports_unreadable", { code: error.code, message: error.message });
    return { chosen: onPage([undefined], page), reports: new Map(), total: 1 };
  }
};

/**
 * Statuses (F56-F61, F65).
 *
 * - `GET …/status`: of all sites that this site knows, a page at a time, its own first. The primary knows itself and every
 *   secondary that has reported, as it last did; a secondary knows itself. While what they reported can not be read, itself alone
 * - `GET …/:id/status`: one of them; 404 for a site that is unknown or has never reported. `refresh` is taken for Geo's
 *   sake: a site's own counts are always those of the moment
 */
export const addStatuses = (app: Hono<ApiEnv>, sites: SitesPath, served: StatusReader & SitesKeeper): void => {
  const all = `${sites}/status` as const;
  const one = `${sites}/:id/status` as const;
  const word = wordOf(sites);

  app.get(all, async (context) =>
    paged(context, all, async (page) => {
      const apiUrl = apiUrlOf(context);
      const { chosen, reports, total } = await reportsOn(served, page);
      const entries: SiteStatus[] =
        chosen[0] === undefined && chosen.length > 0 ? [await readSiteStatus(served, apiUrl, word)] : [];
      const now = served.clock.now();
      for (const stored of reports.values()) entries.push(reportedStatus(stored, { now, apiUrl, word }));
      return { entries, total };
    }),
  );

  app.get(one, async (context) => {
    const id = context.req.param("id");
    const refresh = context.req.query("refresh");
    const refusal = notAnId(context, id);
    if (refusal !== undefined) return refusal;
    if (!REFRESH.has(refresh)) {
      const message = `400 Bad request - refresh: expected true or false, got ${JSON.stringify(refresh).slice(0, 100)}`;
      return context.json({ message }, 400);
    }
    const apiUrl = apiUrlOf(context);
    if (Number(id) === siteId(served.site.name)) return context.json(await readSiteStatus(served, apiUrl, word));
    const { others } = await readKnownSites(served);
    const known = others.find(({ name }) => siteId(name) === Number(id));
    const stored = known && (await readReports(served, [known])).get(known.name);
    if (stored === undefined) return noSuchSite(context);
    return context.json(reportedStatus(stored, { now: served.clock.now(), apiUrl, word }));
  });

  app.all(all, allowOnly("GET, HEAD"));
  app.all(one, allowOnly("GET, HEAD"));
};
