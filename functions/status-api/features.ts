import type { Context, Hono } from "hono";
import { parseFeatureValue } from "../../shared/geo/feature-answer.ts";
import type { StatusSite } from "../../shared/geo/site-status.ts";
import { changeFeature, type FlagChanging, readFeatures } from "../../shared/services/change-flags.ts";
import { atMost, jsonOf } from "./json-body.ts";
import { allowOnly, type ApiEnv } from "./site-paths.ts";

/** A value has one word in it. */
const BODY_BYTES_MAX = 1_024;

const FEATURES = "/api/v4/features";
const FEATURE = `${FEATURES}/:name`;

const AT_PRIMARY_ONLY =
  "409 Conflict - flags are those of the primary, for all sites; ask the primary's API to change one";

/**
 * Feature flags (F84, F85, F87), which are the primary's and hold at every site.
 *
 * - `GET /api/v4/features`: every flag (`FeatureAnswer`), at any site
 * - `POST /api/v4/features/:name` with `{"value": true}`: sets it; `DELETE`: gives it back to its declaration. Both answer
 *   the flag as it is then. At the primary only: a secondary answers 409. 404 for a flag that there is not, 409 for a
 *   change that something speaks against, 400 and 413 for a body that is none
 */
export const addFeatures = (
  app: Hono<ApiEnv>,
  { site, ...flags }: FlagChanging & { readonly site: StatusSite },
): void => {
  const change = async (context: Context<ApiEnv>, name: string, value: boolean | undefined): Promise<Response> => {
    const changed = await changeFeature(flags, name, value, context.env?.tokenName);
    if ("unknown" in changed) return context.json({ message: `404 Feature Not Found - ${changed.unknown}` }, 404);
    if ("problem" in changed) return context.json({ message: `409 Conflict - ${changed.problem}` }, 409);
    return context.json(changed.feature);
  };

  app.get(FEATURES, async (context) => context.json(await readFeatures(flags)));

  app.post(FEATURE, atMost(BODY_BYTES_MAX), async (context) => {
    if (site.role !== "primary") return context.json({ message: AT_PRIMARY_ONLY }, 409);
    const sent = await jsonOf(context);
    const parsed = sent === undefined ? { problem: NO_JSON } : parseFeatureValue(sent.json);
    return "problem" in parsed
      ? context.json({ message: `400 Bad request - ${parsed.problem}` }, 400)
      : change(context, context.req.param("name"), parsed.value);
  });

  app.delete(FEATURE, async (context) =>
    site.role === "primary"
      ? change(context, context.req.param("name"), undefined)
      : context.json({ message: AT_PRIMARY_ONLY }, 409),
  );

  app.all(FEATURES, allowOnly("GET, HEAD"));
  app.all(FEATURE, allowOnly("POST, DELETE"));
};

const NO_JSON = 'body: expected {"value": true} or {"value": false}, got no JSON';
