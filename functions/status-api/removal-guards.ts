import type { Context, Hono } from "hono";
import { parseReleaseRequest } from "../../shared/geo/release-request.ts";
import { type GuardedTable, readRemovalGuards, releaseRemovals } from "../../shared/services/release-removals.ts";
import type { StatusReader } from "../../shared/services/site-status.ts";
import { atMost, jsonOf } from "./json-body.ts";
import { allowOnly, type ApiEnv, notThisSite, type SitesPath } from "./site-paths.ts";

/** A release has two numbers in it. */
const BODY_BYTES_MAX = 1_024;

/**
 * The removal guards of a secondary (R29).
 *
 * - `GET …/:id/removal_guards`: the guard of every type (`RemovalGuardAnswer`)
 * - `POST …/:id/removal_guards/:replicable_name/release` with `{"removals": 5000, "minutes": 60}`: lets so many more
 *   removals through (`ReleaseAnswer`). 400 names what was expected and what came; 404 for a type that is unknown or has
 *   never removed anything; 413 for more than 1,024 bytes
 *
 * Only a secondary removes anything: a primary answers 404.
 */
export const addRemovalGuards = (
  app: Hono<ApiEnv>,
  sites: SitesPath,
  reader: Pick<StatusReader, "site" | "replicables"> & GuardedTable,
): void => {
  const guards = `${sites}/:id/removal_guards` as const;
  const release = `${guards}/:replicable_name/release` as const;
  const names = reader.replicables.map(({ name }) => name);

  const notHere = (context: Context<ApiEnv>, id: string): Response | undefined =>
    notThisSite(reader.site, context, id) ??
    (reader.site.role === "primary"
      ? context.json({ message: "404 Removal Guard Not Found - a primary removes nothing; ask a secondary" }, 404)
      : undefined);

  app.get(
    guards,
    async (context) =>
      notHere(context, context.req.param("id")) ?? context.json(await readRemovalGuards(reader, names)),
  );

  app.post(release, atMost(BODY_BYTES_MAX), async (context) => {
    const refusal = notHere(context, context.req.param("id"));
    if (refusal !== undefined) return refusal;
    const name = context.req.param("replicable_name");
    if (!names.includes(name)) {
      return context.json({ message: `404 Replicable Not Found - expected one of ${names.join(", ")}` }, 404);
    }
    const sent = await jsonOf(context);
    if (sent === undefined) {
      const message = '400 Bad request - body: expected JSON such as {"removals": 5000, "minutes": 60}, got no JSON';
      return context.json({ message }, 400);
    }
    const parsed = parseReleaseRequest(sent.json);
    if ("problems" in parsed) {
      return context.json({ message: `400 Bad request - ${parsed.problems.join("; ")}` }, 400);
    }
    // Without a gateway in front (`app.request` in a test) there is no context, and nobody to name.
    const { tokenName } = context.env ?? {};
    const released = await releaseRemovals(reader, name, parsed.request, tokenName);
    return released === undefined
      ? context.json({ message: `404 Removal Guard Not Found - ${name} has never removed anything at this site` }, 404)
      : context.json(released);
  });

  app.all(guards, allowOnly("GET, HEAD"));
  app.all(release, allowOnly("POST"));
};
