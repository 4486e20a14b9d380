import pMap from "p-map";
import { KEYS_IN_FLIGHT } from "../geo/limits.ts";

/** How a list of keys was worked through. */
export type WorkedThrough =
  { readonly done: true } | { readonly done: false; readonly left: number; readonly reason: string };

/**
 * Works through the keys of one message, several at a time, and starts no new one once the time is up. A key that throws
 * does not stop the others: the message as a whole is then not done, and will be delivered again, which costs the keys
 * that are done one look each.
 *
 * @param stopAt milliseconds since the epoch
 */
export const workThrough = async <T>(
  items: readonly T[],
  options: { readonly now: () => number; readonly stopAt: number },
  work: (item: T) => Promise<void>,
): Promise<WorkedThrough> => {
  const reasons: string[] = [];
  await pMap(
    items,
    async (item) => {
      if (options.now() >= options.stopAt) {
        reasons.push("the function's time is up");
        return;
      }
      try {
        await work(item);
      } catch (error) {
        reasons.push(error instanceof Error ? error.message : String(error));
      }
    },
    { concurrency: KEYS_IN_FLIGHT },
  );
  const [reason] = reasons;
  return reason === undefined ? { done: true } : { done: false, left: reasons.length, reason };
};
