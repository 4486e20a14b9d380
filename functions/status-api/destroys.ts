import type { Context, Hono } from "hono";
import { DESTROY_ID } from "../../shared/geo/destroy.ts";
import { parseConfirmation, parseDestroyRequest } from "../../shared/geo/destroy-request.ts";
import type { StatusSite } from "../../shared/geo/site-status.ts";
import {
  cancelDestroy,
  confirmDestroy,
  type DestroyAsked,
  type DestroyAsking,
  requestDestroy,
  undoDestroy,
  whyItStands,
} from "../../shared/services/batch-destroy/ask-for-destroy.ts";
import { destroyAnswer, destroyProgress, listDestroys } from "../../shared/services/batch-destroy/describe-destroy.ts";
import { readDestroy } from "../../shared/services/batch-destroy/stored-destroy.ts";
import { atMost, jsonOf } from "./json-body.ts";
import { allowOnly, type ApiEnv, notThisSite, type SitesPath } from "./site-paths.ts";

/** A thousand keys as JSON, each of which may have characters that are escaped. */
const BODY_BYTES_MAX = 2 * 1024 * 1024;

/** Where batch destroys are asked for. */
export interface DestroysServed extends DestroyAsking {
  readonly site: StatusSite;
}

const UNKNOWN = "404 Destroy Not Found";

const answer = (context: Context<ApiEnv>, asked: DestroyAsked, status: 200 | 202): Response => {
  switch (asked.outcome) {
    case "done":
      return context.json(destroyAnswer(asked.record), status);
    case "unknown":
      return context.json({ message: UNKNOWN }, 404);
    case "conflict":
      return context.json({ message: `409 Conflict - ${asked.problem}` }, 409);
  }
};

/**
 * Batch destroys of a primary (F80-F83). A secondary has none, and answers 404.
 *
 * - `POST …/:id/destroys` with one of `{"namespace_id": 42}`, `{"project_id": 7}`, `{"organization_id": 1}`,
 *   `{"prefix": "…"}` or `{"keys": ["…"]}`, and `replicable_name` for one type only: a dry run; 202 with a `DestroyAnswer`
 * - `POST …/destroys/:destroy_id/confirm` with `{"object_count": 1234}`, the number that the dry run showed: begins it, or
 *   goes on with one that stopped; 202
 * - `GET …/destroys`, the newest hundred, and `GET …/destroys/:destroy_id`, with its progress (`DestroyProgressAnswer`)
 * - `POST …/destroys/:destroy_id/cancel`; `POST …/destroys/:destroy_id/undo`, 202
 *
 * 400 names what was expected and what came; 409 says what speaks against it now.
 */
export const addDestroys = (app: Hono<ApiEnv>, sites: SitesPath, served: DestroysServed): void => {
  const all = `${sites}/:id/destroys` as const;
  const one = `${all}/:destroy_id` as const;
  const names = served.replicables.map(({ name }) => name);

  const notHere = (context: Context<ApiEnv>, id: string): Response | undefined =>
    notThisSite(served.site, context, id) ??
    (served.site.role === "secondary"
      ? context.json({ message: `${UNKNOWN} - a secondary destroys nothing; ask the primary` }, 404)
      : undefined);

  /** An id that none can have is none, and not for the table to judge, which refuses keys that are too long. */
  const unknown = (context: Context<ApiEnv>, id: string, destroyId: string): Response | undefined =>
    notHere(context, id) ?? (DESTROY_ID.test(destroyId) ? undefined : context.json({ message: UNKNOWN }, 404));

  app.get(all, async (context) => {
    return notHere(context, context.req.param("id")) ?? context.json(await listDestroys(served.siteTable));
  });

  app.post(all, atMost(BODY_BYTES_MAX), async (context) => {
    const refusal = notHere(context, context.req.param("id"));
    if (refusal !== undefined) return refusal;
    const parsed = parseDestroyRequest((await jsonOf(context))?.json, names);
    if ("problems" in parsed) {
      return context.json({ message: `400 Bad request - ${parsed.problems.join("; ")}` }, 400);
    }
    const record = await requestDestroy(served, parsed.request, context.env?.tokenName);
    return context.json(destroyAnswer(record), 202);
  });

  app.get(one, async (context) => {
    const id = context.req.param("destroy_id");
    const refusal = unknown(context, context.req.param("id"), id);
    if (refusal !== undefined) return refusal;
    const read = await readDestroy(served.siteTable, id);
    if (read === undefined) return context.json({ message: UNKNOWN }, 404);
    const progress = await destroyProgress(served.siteTable, read.record, served.clock.now());
    return context.json({ ...progress, problem: progress.problem ?? (await whyItStands(served, read.record)) ?? null });
  });

  app.post(`${one}/confirm`, atMost(BODY_BYTES_MAX), async (context) => {
    const id = context.req.param("destroy_id");
    const refusal = unknown(context, context.req.param("id"), id);
    if (refusal !== undefined) return refusal;
    const parsed = parseConfirmation((await jsonOf(context))?.json);
    if ("problem" in parsed) return context.json({ message: `400 Bad request - ${parsed.problem}` }, 400);
    return answer(context, await confirmDestroy(served, id, parsed.count, context.env?.tokenName), 202);
  });

  app.post(`${one}/cancel`, async (context) => {
    const id = context.req.param("destroy_id");
    return unknown(context, context.req.param("id"), id) ?? answer(context, await cancelDestroy(served, id), 200);
  });

  app.post(`${one}/undo`, async (context) => {
    const id = context.req.param("destroy_id");
    return unknown(context, context.req.param("id"), id) ?? answer(context, await undoDestroy(served, id), 202);
  });

  app.all(all, allowOnly("GET, HEAD, POST"));
  app.all(one, allowOnly("GET, HEAD"));
  for (const verb of ["confirm", "cancel", "undo"]) app.all(`${one}/${verb}`, allowOnly("POST"));
};
