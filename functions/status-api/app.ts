import { Hono } from "hono";
import { siteId } from "../../shared/geo/site-status.ts";
import type { CallContext } from "../../shared/lambda/http-handler.ts";
import { readSiteStatus, type StatusReader } from "../../shared/services/site-status.ts";

/** GitLab has both words for a site; `geo_nodes` is the older one. */
const SITE_PATHS = ["/api/v4/geo_sites", "/api/v4/geo_nodes"] as const;

const SITE_ID = /^[1-9]\d{0,9}$/;

/** Without a gateway in front (`app.request` in a test), links are relative. */
const apiUrlOf = (context: Partial<CallContext> | undefined): string => context?.apiUrl ?? "";

/**
 * The API of a site. Whoever calls it has been admitted by the authorizer, which knows that reading takes GET.
 *
 * - `GET /api/v4/geo_sites/status`: the statuses of the sites that this site knows: its own
 * - `GET /api/v4/geo_sites/:id/status`: one of them
 *
 * Everything else is a 404, and another method a 405, in GitLab's form: `{"message": "404 Not Found"}`.
 */
export const statusApp = (reader: StatusReader) => {
  const app = new Hono<{ Bindings: CallContext }>();

  app.use(async (context, next) => {
    await next();
    // A status is about this moment, and is read by whoever holds a token: nobody on the way may keep it.
    context.header("cache-control", "no-store");
    context.header("x-content-type-options", "nosniff");
  });

  for (const sites of SITE_PATHS) {
    app.get(`${sites}/status`, async (context) => context.json([await readSiteStatus(reader, apiUrlOf(context.env))]));
    app.get(`${sites}/:id/status`, async (context) => {
      const id = context.req.param("id");
      if (!SITE_ID.test(id)) {
        return context.json({ message: "400 Bad request - id is invalid: expected a site's number" }, 400);
      }
      if (Number(id) !== siteId(reader.site.name)) return context.json({ message: "404 GeoSite Not Found" }, 404);
      return context.json(await readSiteStatus(reader, apiUrlOf(context.env)));
    });
    for (const path of [`${sites}/status`, `${sites}/:id/status`]) {
      app.all(path, (context) => {
        context.header("allow", "GET, HEAD");
        return context.json({ message: "405 Method Not Allowed" }, 405);
      });
    }
  }

  app.notFound((context) => context.json({ message: "404 Not Found" }, 404));
  app.onError((error, context) => {
    reader.telemetry.error("api_call_failed", { path: context.req.path, message: error.message });
    return context.json({ message: "500 Internal Server Error" }, 500);
  });
  return app;
};
