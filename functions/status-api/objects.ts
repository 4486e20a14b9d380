import type { Hono } from "hono";
import { findKeyProblem } from "../../shared/geo/key-codec.ts";
import { lookAtObject, type LookedAtSite } from "../../shared/services/look-at-object.ts";
import { allowOnly, type ApiEnv, notThisSite, type SitesPath } from "./site-paths.ts";

/**
 * `GET …/:id/objects?key=…`: everything that the site that answers knows of one key (`ObjectAnswer`), percent-encoded in
 * the query. 400 for a key that none can be, with what was expected. An administrator's token only: keys are theirs to see.
 */
export const addObjects = (app: Hono<ApiEnv>, sites: SitesPath, served: LookedAtSite): void => {
  const path = `${sites}/:id/objects` as const;
  app.get(path, async (context) => {
    if (context.env?.tokenScope !== "admin_geo") return context.json({ message: "403 Forbidden" }, 403);
    const refusal = notThisSite(served.site, context, context.req.param("id"));
    if (refusal !== undefined) return refusal;
    const key = context.req.query("key");
    const problem = key === undefined ? "it is missing, expected ?key= with the S3 key" : findKeyProblem(key);
    if (key === undefined || problem !== undefined) {
      return context.json({ message: `400 Bad request - key: ${problem ?? ""}` }, 400);
    }
    return context.json(await lookAtObject(served, key));
  });
  app.all(path, allowOnly("GET, HEAD"));
};
