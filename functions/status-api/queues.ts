import type { Hono } from "hono";
import type { StatusSite } from "../../shared/geo/site-status.ts";
import { measureQueues } from "../../shared/services/measure-queues.ts";
import type { Redriving } from "../../shared/services/redrive.ts";
import { allowOnly, type ApiEnv, notThisSite, type SitesPath } from "./site-paths.ts";

/** `GET …/:id/queues`: of the site that answers, about how much is in each of its queues (`QueueAnswer`). */
export const addQueues = (
  app: Hono<ApiEnv>,
  sites: SitesPath,
  served: Redriving & { readonly site: StatusSite },
): void => {
  const path = `${sites}/:id/queues` as const;
  app.get(
    path,
    async (context) =>
      notThisSite(served.site, context, context.req.param("id")) ?? context.json(await measureQueues(served)),
  );
  app.all(path, allowOnly("GET, HEAD"));
};
