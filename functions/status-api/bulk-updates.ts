import type { Hono } from "hono";
import type { StatusSite } from "../../shared/geo/site-status.ts";
import { BULK_ID, parseBulkRequest } from "../../shared/geo/bulk-request.ts";
import {
  askForBulkUpdate,
  type BulkAsking,
  cancelBulkUpdate,
  listBulkUpdates,
  lookAtBulkUpdate,
} from "../../shared/services/bulk-update/ask-for-bulk-update.ts";
import { atMost, jsonOf } from "./json-body.ts";
import { allowOnly, type ApiEnv, notThisSite, type SitesPath } from "./site-paths.ts";

/** A hundred keys of 1,024 bytes, each byte of which JSON may have to write as six. */
const BODY_BYTES_MAX = 1_048_576;

const NOT_FOUND = "404 Bulk Update Not Found - see the list of bulk_updates for the ids of those that are remembered";

/**
 * Bulk resync, reverify, retry and checksum (F77; with one key, F76).
 *
 * - `POST …/:id/bulk_updates` with `{"action": "resync", "replicable_name": "lfs_object"}` (`parseBulkRequest`): 202 with a
 *   `BulkUpdateAnswer` when it was begun (`"asked": "new"`) or goes on (`going_on`), 200 when the same is under way or was done
 *   within the hour (`same`). 400 names
 *   what was expected and what came, 409 a type that is switched off
 * - `GET …/:id/bulk_updates`: all that are remembered, the latest first
 * - `GET …/:id/bulk_updates/:bulk_id`: one of them; 404 when there is none
 * - `POST …/:id/bulk_updates/:bulk_id/cancel`: ends it; 409 when it has ended otherwise
 */
export const addBulkUpdates = (
  app: Hono<ApiEnv>,
  sites: SitesPath,
  asking: BulkAsking & { readonly site: StatusSite },
): void => {
  const all = `${sites}/:id/bulk_updates` as const;
  const one = `${all}/:bulk_id` as const;
  const cancel = `${one}/cancel` as const;
  const place = { role: asking.site.role, replicableNames: asking.replicables.map(({ name }) => name) };

  app.post(all, atMost(BODY_BYTES_MAX), async (context) => {
    const refusal = notThisSite(asking.site, context, context.req.param("id"));
    if (refusal !== undefined) return refusal;
    const sent = await jsonOf(context);
    if (sent === undefined) {
      const message = '400 Bad request - body: expected JSON such as {"action": "retry_now"}, got no JSON';
      return context.json({ message }, 400);
    }
    const parsed = parseBulkRequest(sent.json, place);
    if ("problems" in parsed) return context.json({ message: `400 Bad request - ${parsed.problems.join("; ")}` }, 400);
    const result = await askForBulkUpdate(asking, parsed.request, context.env?.tokenName);
    switch (result.asked) {
      case "invalid":
        return context.json({ message: `400 Bad request - ${result.problem}` }, 400);
      case "off":
        return context.json({ message: `409 Conflict - ${result.problem}` }, 409);
      case "same":
        return context.json({ ...result.answer, asked: result.asked }, 200);
      case "new":
      case "going_on":
        return context.json({ ...result.answer, asked: result.asked }, 202);
    }
  });

  app.get(
    all,
    async (context) =>
      notThisSite(asking.site, context, context.req.param("id")) ?? context.json(await listBulkUpdates(asking)),
  );

  app.get(one, async (context) => {
    const refusal = notThisSite(asking.site, context, context.req.param("id"));
    if (refusal !== undefined) return refusal;
    const id = context.req.param("bulk_id");
    const found = BULK_ID.test(id) ? await lookAtBulkUpdate(asking, id) : undefined;
    return found === undefined ? context.json({ message: NOT_FOUND }, 404) : context.json(found);
  });

  app.post(cancel, async (context) => {
    const refusal = notThisSite(asking.site, context, context.req.param("id"));
    if (refusal !== undefined) return refusal;
    const id = context.req.param("bulk_id");
    const result = BULK_ID.test(id) ? await cancelBulkUpdate(asking, id, context.env?.tokenName) : undefined;
    if (result === undefined) return context.json({ message: NOT_FOUND }, 404);
    return result.cancelled
      ? context.json(result.answer)
      : context.json({ message: `409 Conflict - it has ${result.answer.state} and can not be cancelled` }, 409);
  });

  app.all(all, allowOnly("GET, HEAD, POST"));
  app.all(one, allowOnly("GET, HEAD"));
  app.all(cancel, allowOnly("POST"));
};
