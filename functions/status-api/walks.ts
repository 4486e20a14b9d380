import type { Hono } from "hono";
import type { Replicable } from "../../shared/geo/replicable.ts";
import type { StatusSite } from "../../shared/geo/site-status.ts";
import { type WalkAsking, askForWalkNow } from "../../shared/services/ask-for-walk.ts";
import { allowOnly, type ApiEnv, notThisSite, type SitesPath } from "./site-paths.ts";

/**
 * The registry's consistency of a secondary.
 *
 * - `POST …/:id/registry_consistency/:replicable_name/walk`: has the type walked through, both sides; 202 with a
 *   `WalkAskedAnswer`. 404 for a type that is unknown and at a primary, 409 for a type that is switched off
 */
export const addWalks = (
  app: Hono<ApiEnv>,
  sites: SitesPath,
  asking: WalkAsking & { readonly site: StatusSite; readonly replicables: readonly Replicable[] },
): void => {
  const path = `${sites}/:id/registry_consistency/:replicable_name/walk` as const;
  const names = asking.replicables.map(({ name }) => name);

  app.post(path, async (context) => {
    const refusal = notThisSite(asking.site, context, context.req.param("id"));
    if (refusal !== undefined) return refusal;
    if (asking.site.role === "primary") {
      return context.json({ message: "404 Registry Not Found - a primary has none; ask a secondary" }, 404);
    }
    const name = context.req.param("replicable_name");
    const replicable = asking.replicables.find((one) => one.name === name);
    if (replicable === undefined) {
      return context.json({ message: `404 Replicable Not Found - expected one of ${names.join(", ")}` }, 404);
    }
    const asked = await askForWalkNow(asking, replicable, context.env?.tokenName);
    return "problem" in asked
      ? context.json({ message: `409 Conflict - ${asked.problem}` }, 409)
      : context.json(asked, 202);
  });

  app.all(path, allowOnly("POST"));
};
