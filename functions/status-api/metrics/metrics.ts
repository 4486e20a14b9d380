import type { Hono } from "hono";
import { GeoError } from "../../../shared/geo/errors.ts";
import type { Replicable } from "../../../shared/geo/replicable.ts";
import { reportedStatus } from "../../../shared/geo/told-status.ts";
import type { SiteStatus } from "../../../shared/geo/site-status.ts";
import { isEnabled, readKnownSites, readReports, type SitesKeeper } from "../../../shared/services/known-sites.ts";
import { readTotals, type TypeTotals } from "../../../shared/services/read-totals.ts";
import { readSiteStatus, type StatusReader } from "../../../shared/services/site-status.ts";
import { allowOnly, type ApiEnv, apiUrlOf } from "../site-paths.ts";
import { exposition } from "./exposition.ts";

/** What the metrics are made from. */
export type MeasuredSite = StatusReader & SitesKeeper & { readonly replicables: readonly Replicable[] };

/** What secondaries last reported; nothing of them when it can not be read: the site's own is worth telling alone. */
const reportsOf = async (measured: MeasuredSite, apiUrl: string): Promise<readonly SiteStatus[]> => {
  const now = measured.clock.now();
  try {
    const { others } = await readKnownSites(measured);
    const reports = await readReports(
      measured,
      others.filter(({ reportedAt }) => reportedAt !== undefined),
    );
    // As in Geo, a site that is disabled exports nothing.
    const enabled = others.flatMap((known) => {
      const stored = reports.get(known.name);
      return stored !== undefined && isEnabled(known, stored) ? [stored] : [];
    });
    return enabled.map((stored) => reportedStatus(stored, { now, apiUrl, word: "geo_sites" }));
  } catch (error) {
    if (!(error instanceof GeoError)) throw error;
    measured.telemetry.error("reports_unreadable", { code: error.code, message: error.message });
    return [];
  }
};

const totalsOf = async (measured: MeasuredSite): Promise<ReadonlyMap<string, TypeTotals> | undefined> => {
  try {
    return await readTotals(measured);
  } catch (error) {
    if (!(error instanceof GeoError)) throw error;
    measured.telemetry.error("totals_unreadable", { code: error.code, message: error.message });
    return undefined;
  }
};

/**
 * `GET /metrics` for Prometheus (F62): text format 0.0.4. Any token may read it; Prometheus sends one as
 * `Authorization: Bearer`. The site's own numbers are those of this moment; the primary also tells what each secondary last
 * reported. What can not be read is left out, as whatever was not gathered is: a number that nobody knows is not 0.
 */
export const addMetrics = (app: Hono<ApiEnv>, measured: MeasuredSite): void => {
  app.get("/metrics", async (context) => {
    const apiUrl = apiUrlOf(context);
    const [own, reports, totals] = await Promise.all([
      readSiteStatus(measured, apiUrl),
      reportsOf(measured, apiUrl),
      totalsOf(measured),
    ]);
    const { contentType, text } = await exposition({
      replicables: measured.replicables,
      statuses: [own, ...reports],
      siteName: own.name,
      totals,
    });
    return context.body(text, 200, { "content-type": contentType });
  });
  app.all("/metrics", allowOnly("GET, HEAD"));
};
