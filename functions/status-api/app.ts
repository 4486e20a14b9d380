import { Hono } from "hono";
import { TableUnavailableError, WorkflowUnavailableError } from "../../shared/geo/errors.ts";
import type { Replicable } from "../../shared/geo/replicable.ts";
import type { FlagChanging } from "../../shared/services/change-flags.ts";
import type { GuardedTable } from "../../shared/services/release-removals.ts";
import type { Redriving } from "../../shared/services/redrive.ts";
import type { StatusReader } from "../../shared/services/site-status.ts";
import type { ManyReader, Table } from "../../shared/ports/table.ts";
import type { Workflow } from "../../shared/ports/workflows.ts";
import { addBulkUpdates } from "./bulk-updates.ts";
import { addDataManagement } from "./data-management.ts";
import { addDeadLetters } from "./dead-letters.ts";
import { addDestroys, type DestroysServed } from "./destroys.ts";
import { addFeatures } from "./features.ts";
import { addGraphQL } from "./graphql/graphql.ts";
import { idempotentCalls } from "./idempotent-calls.ts";
import { addMetrics } from "./metrics/metrics.ts";
import { addObjects } from "./objects.ts";
import { addQueues } from "./queues.ts";
import { addRemovalGuards } from "./removal-guards.ts";
import { addKnownSites } from "./known-sites.ts";
import { type ApiEnv, SITE_PATHS } from "./site-paths.ts";
import { addSiteSettings, type SettledSite } from "./site-settings.ts";
import { addStatuses } from "./statuses.ts";
import { addUsage } from "./usage.ts";
import { addUsageData } from "./usage-data.ts";
import { addWalks } from "./walks.ts";

/** A site with all that its API reads and changes. */
export interface ServedSite extends StatusReader, GuardedTable, FlagChanging, SettledSite, DestroysServed, Redriving {
  readonly replicables: readonly Replicable[];
  /** This site's own table. */
  readonly siteTable: Pick<Table, "get" | "query" | "put" | "update" | "delete"> & ManyReader;
  /** The primary's, where the flags of all sites are: at a primary, its own. */
  readonly primarySiteTable: Pick<Table, "get" | "update">;
  /** The site's rows: its registry, or the primary's verification state. */
  readonly rows: Pick<Table, "get" | "query"> & ManyReader;
  /** Bytes of a cryptographic source. */
  readonly randomBytes: (size: number) => Uint8Array;
  /** Lets so many milliseconds pass. Default: the runtime's own. */
  readonly pause?: (milliseconds: number) => Promise<unknown>;
  /** The machine of bulk updates. */
  readonly bulkWorkflow: Pick<Workflow, "start" | "describe">;
}

/**
 * The API of a site. Whoever calls it has been admitted by the authorizer, which knows that reading takes GET, and that
 * all else takes an administrator's token.
 *
 * - `GET /api/v4/geo_sites/status`: the statuses of the sites that this site knows, and `GET …/:id/status`: see `addStatuses`
 * - `GET` and `POST /api/v4/geo_sites`, `DELETE …/:id`: see `addKnownSites`
 * - `GET /api/v4/geo_sites/:id/removal_guards`, `POST …/removal_guards/:replicable_name/release`: see `addRemovalGuards`
 * - `GET` and `PUT /api/v4/geo_sites/:id`, `POST …/:id/repair`: see `addSiteSettings`
 * - `POST /api/v4/geo_sites/:id/registry_consistency/:replicable_name/walk`: see `addWalks`
 * - `POST` and `GET /api/v4/geo_sites/:id/destroys`, and one of them: see `addDestroys`
 * - `POST` and `GET /api/v4/geo_sites/:id/bulk_updates`, and one of them: see `addBulkUpdates`
 * - `GET /api/v4/geo_sites/:id/dead_letters`, `POST …/dead_letters/:queue/redrive`: see `addDeadLetters`
 * - `GET /api/v4/geo_sites/:id/queues`: see `addQueues`; `GET …/:id/objects`: see `addObjects`
 * - `GET /api/v4/geo_sites/:id/usage`: see `addUsage`
 * - `GET /api/v4/features`, `POST` and `DELETE /api/v4/features/:name`: see `addFeatures`
 * - `GET /api/v4/usage_data/geo`: see `addUsageData`
 * - `GET /api/v4/admin/data_management/:model_name` and beneath: see `addDataManagement`
 * - `GET /metrics`: see `addMetrics`
 * - `POST /api/graphql`: see `addGraphQL`
 *
 * Whatever changes something takes an `Idempotency-Key` (see `idempotentCalls`).
 *
 * Everything else is a 404, and another method a 405, in GitLab's form: `{"message": "404 Not Found"}`. A table or Step
 * Functions that does not answer makes a 503: the same call may succeed later.
 */
export const statusApp = (served: ServedSite) => {
  const app = new Hono<ApiEnv>();

  app.use(async (context, next) => {
    await next();
    // A status is about this moment, and is read by whoever holds a token: nobody on the way may keep it.
    context.header("cache-control", "no-store");
    context.header("x-content-type-options", "nosniff");
  });
  app.use(idempotentCalls(served));

  for (const sites of SITE_PATHS) {
    addStatuses(app, sites, served);
    addKnownSites(app, sites, served);
    addRemovalGuards(app, sites, served);
    addWalks(app, sites, served);
    addBulkUpdates(app, sites, served);
    addDestroys(app, sites, served);
    addDeadLetters(app, sites, served);
    addQueues(app, sites, served);
    addObjects(app, sites, served);
    addUsage(app, sites, served);
    addSiteSettings(app, sites, served);
  }
  addFeatures(app, served);
  addMetrics(app, served);
  addDataManagement(app, served);
  addUsageData(app, served);
  addGraphQL(app, served);

  app.notFound((context) => context.json({ message: "404 Not Found" }, 404));
  app.onError((error, context) => {
    served.telemetry.error("api_call_failed", { path: context.req.path, message: error.message });
    if (error instanceof TableUnavailableError) {
      return context.json({ message: "503 Service Unavailable - a table did not answer; try again" }, 503);
    }
    if (error instanceof WorkflowUnavailableError) {
      return context.json({ message: "503 Service Unavailable - Step Functions did not answer; try again" }, 503);
    }
    return context.json({ message: "500 Internal Server Error" }, 500);
  });
  return app;
};
