import type { MiddlewareHandler } from "hono";
import { GeoError } from "../../shared/geo/errors.ts";
import { findKeyProblem, fingerprintOf, rememberedAs } from "../../shared/geo/idempotency.ts";
import { READING_METHODS } from "../../shared/geo/tokens.ts";
import type { Chance, Clock } from "../../shared/ports/clock.ts";
import type { Table } from "../../shared/ports/table.ts";
import type { Telemetry } from "../../shared/ports/telemetry.ts";
import {
  beginCall,
  forgetCall,
  keepAnswer,
  type StoredAnswer,
  sweepCalls,
} from "../../shared/tables/site/idempotency-item.ts";
import type { ApiEnv } from "./site-paths.ts";

/** What remembering calls needs. */
export interface CallMemory {
  readonly siteTable: Pick<Table, "query" | "put" | "update" | "delete">;
  readonly clock: Clock;
  readonly chance: Pick<Chance, "token">;
  readonly telemetry: Telemetry;
}

/**
 * Longest answer that is kept, in characters. DynamoDB takes items of 400 KB, and a character of an answer is at most three
 * bytes of it. What changes something is answered with far less; a longer one is given and forgotten.
 */
const ANSWER_LENGTH_MAX = 100_000;

/** From here on the answer says that it was not done, or that nobody knows: the caller is to try again, not to be told so for a day. */
const FIRST_FAILURE = 500;

const REPLAYED = "idempotency-replayed";

const again = ({ status, contentType, body }: StoredAnswer): Response =>
  // Some statuses can not have a body, not even an empty one.
  new Response(body === "" ? null : body, { status, headers: { "content-type": contentType, [REPLAYED]: "true" } });

/** That the memory is not kept tidy, or an answer not kept, is no reason to fail a call that was done. */
const tolerant = async ({ telemetry }: CallMemory, what: string, work: () => Promise<unknown>): Promise<void> => {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof GeoError)) throw error;
    telemetry.warn("a call could not be remembered", { what, message: error.message });
  }
};

/**
 * `Idempotency-Key` on calls that change something: 1 to 255 printable ASCII characters of the caller's choice, for example a
 * UUID. A caller who got no answer sends the same call again with the same key.
 *
 * - The same call by the same token within 24 hours is not done again: it gets the first one's answer, with the header
 *   `Idempotency-Replayed: true`. Answers of 500 and more are not kept, nor is one of GraphQL that has such an error inside:
 *   the call is done anew
 * - Another method, path, query or body with the key: 422
 * - While the first is under way: 409, with `Retry-After`
 * - A key that is none: 400
 */
export const idempotentCalls =
  (memory: CallMemory): MiddlewareHandler<ApiEnv> =>
  async (context, next) => {
    const { siteTable, clock, chance } = memory;
    const key = context.req.header("idempotency-key");
    // Whoever may only read changes nothing, whatever the method: nothing is to be written for them.
    const mayChange = context.env?.tokenScope === "admin_geo" && !READING_METHODS.includes(context.req.method);
    if (key === undefined || !mayChange) return next();
    const problem = findKeyProblem(key);
    if (problem !== undefined) return context.json({ message: `400 Bad request - ${problem}` }, 400);

    const { pathname, search } = new URL(context.req.url);
    const body = new Uint8Array(await context.req.raw.clone().arrayBuffer());
    const fingerprint = fingerprintOf({ method: context.req.method, path: `${pathname}${search}`, body });
    const remembered = rememberedAs(context.env?.tokenId ?? "", key);
    const attempt = { remembered, attempt: chance.token() };
    const first = await beginCall(siteTable, attempt, fingerprint, clock.now());
    if (first !== undefined) {
      if (first.fingerprint !== fingerprint) {
        const message =
          "422 Unprocessable Entity - Idempotency-Key: was used for another call; expected a new key, or the same method, path and body";
        return context.json({ message }, 422);
      }
      if (first.answer !== undefined) return again(first.answer);
      const message = "409 Conflict - Idempotency-Key: the call of this key is under way; ask again for its answer";
      return context.json({ message }, 409, { "retry-after": "1" });
    }

    await next();
    const answer = context.res;
    const text = await answer.clone().text();
    const isDone = answer.status < FIRST_FAILURE && context.get("notDone") !== true;
    const isKept = isDone && text.length <= ANSWER_LENGTH_MAX;
    await tolerant(memory, "answer", async () =>
      isKept
        ? siteTable.update(
            keepAnswer(
              attempt,
              {
                status: answer.status,
                contentType: answer.headers.get("content-type") ?? "application/json",
                body: text,
              },
              clock.now(),
            ),
          )
        : forgetCall(siteTable, attempt),
    );
    await tolerant(memory, "sweep", () => sweepCalls(siteTable, remembered, clock.now()));
    return undefined;
  };
