import pMap from "p-map";
import { GeoError } from "../geo/errors.ts";
import { KEYS_IN_FLIGHT } from "../geo/limits.ts";
import type { SiteBase } from "../ports/site.ts";

/** How a list of keys was worked through. */
export type WorkedThrough =
  { readonly done: true } | { readonly done: false; readonly left: number; readonly reason: string };

/**
 * Works through the keys of one message, several at a time, and starts no new one once the time is up. A key that throws
 * does not stop the others: the message as a whole is then not done, and will be delivered again, which costs the keys
 * that are done one look each. Where trying again can not help, such as on a row that can not be read, the key is logged
 * and left: it would only bring its neighbours back with it, again and again.
 */
export const workThrough = async <T>(
  items: readonly T[],
  { site, stopAt }: { readonly site: Pick<SiteBase, "clock" | "telemetry">; readonly stopAt: number },
  work: (item: T) => Promise<void>,
): Promise<WorkedThrough> => {
  const reasons: string[] = [];
  await pMap(
    items,
    async (item) => {
      if (site.clock.now() >= stopAt) {
        reasons.push("the function's time is up");
        return;
      }
      try {
        await work(item);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        if (error instanceof GeoError && error.next === "stop") {
          site.telemetry.error("a key was left alone: trying again can not help", { code: error.code, reason });
        } else {
          reasons.push(reason);
        }
      }
    },
    { concurrency: KEYS_IN_FLIGHT },
  );
  const [reason] = reasons;
  return reason === undefined ? { done: true } : { done: false, left: reasons.length, reason };
};
