import type { Hono } from "hono";
import { reportedStatus } from "../../shared/geo/told-status.ts";
import { usageData } from "../../shared/geo/usage-data.ts";
import { isEnabled, readKnownSites, readReports, type SitesKeeper } from "../../shared/services/known-sites.ts";
import { allowOnly, type ApiEnv, apiUrlOf } from "./site-paths.ts";

const USAGE = "/api/v4/usage_data/geo";

const AT_PRIMARY_ONLY = "409 Conflict - usage data is the primary's, which knows all sites; ask the primary's API";

/**
 * The usage object (F70): `GET /api/v4/usage_data/geo`, at the primary. Beneath GitLab's own path of usage data, of which it is
 * the part about Geo.
 */
export const addUsageData = (app: Hono<ApiEnv>, served: SitesKeeper): void => {
  app.get(USAGE, async (context) => {
    if (served.site.role !== "primary") return context.json({ message: AT_PRIMARY_ONLY }, 409);
    const { others } = await readKnownSites(served);
    const reports = await readReports(served, others);
    const enabled = others.filter((known) => isEnabled(known, reports.get(known.name)));
    const asked = { now: served.clock.now(), apiUrl: apiUrlOf(context), word: "geo_sites" } as const;
    const told = enabled.flatMap(({ name }) => reports.get(name) ?? []);
    const statuses = told.map((stored) => reportedStatus(stored, asked));
    return context.json(usageData(enabled.length + 1, statuses, served.replicables));
  });
  app.all(USAGE, allowOnly("GET, HEAD"));
};
