import type { Context, Hono } from "hono";
import { GeoError } from "../../shared/geo/errors.ts";
import { parseRedriveRequest } from "../../shared/geo/redrive-request.ts";
import type { StatusSite } from "../../shared/geo/site-status.ts";
import { listDeadLetters, redrive, type Redriving } from "../../shared/services/redrive.ts";
import { atMost } from "./json-body.ts";
import { allowOnly, type ApiEnv, notThisSite, type SitesPath } from "./site-paths.ts";

/** A redrive has a number and a word in it. */
const BODY_BYTES_MAX = 1_024;

const parseBody = async (context: Context<ApiEnv>): Promise<ReturnType<typeof parseRedriveRequest>> => {
  const text = await context.req.text();
  if (text === "") return parseRedriveRequest({});
  try {
    return parseRedriveRequest(JSON.parse(text));
  } catch {
    return { problems: ['body: expected JSON such as {"messages": 100, "parked": false}, got no JSON'] };
  }
};

/**
 * The dead letters of a site's queues.
 *
 * - `GET …/:id/dead_letters`: for each queue about how many there are, and why (`DeadLettersAnswer`)
 * - `POST …/:id/dead_letters/:queue/redrive`, perhaps with `{"messages": 100, "parked": false}`: sends so many back, 1,000 at
 *   the most (`RedriveAnswer`). 400 names what was expected and what came, 404 a queue that the site does not have, 413 more
 *   than 1,024 bytes, 503 when SQS does not answer: what was moved until then is moved
 */
export const addDeadLetters = (
  app: Hono<ApiEnv>,
  sites: SitesPath,
  served: Redriving & { readonly site: StatusSite },
): void => {
  const all = `${sites}/:id/dead_letters` as const;
  const back = `${all}/:queue/redrive` as const;
  const names = served.redrivable.map(({ name }) => name);

  app.get(
    all,
    async (context) =>
      notThisSite(served.site, context, context.req.param("id")) ?? context.json(await listDeadLetters(served)),
  );

  app.post(back, atMost(BODY_BYTES_MAX), async (context) => {
    const refusal = notThisSite(served.site, context, context.req.param("id"));
    if (refusal !== undefined) return refusal;
    const parsed = await parseBody(context);
    if ("problems" in parsed) return context.json({ message: `400 Bad request - ${parsed.problems.join("; ")}` }, 400);
    try {
      const answer = await redrive(served, context.req.param("queue"), parsed.request, context.env?.tokenName);
      return answer === undefined
        ? context.json({ message: `404 Queue Not Found - expected one of ${names.join(", ")}` }, 404)
        : context.json(answer);
    } catch (error) {
      if (!(error instanceof GeoError && error.code === "GEO_QUEUE_UNAVAILABLE")) throw error;
      served.telemetry.warn("dead letters could not be sent back", { reason: error.message });
      return context.json({ message: "503 Service Unavailable - a queue did not answer; try again" }, 503);
    }
  });

  app.all(all, allowOnly("GET, HEAD"));
  app.all(back, allowOnly("POST"));
};
