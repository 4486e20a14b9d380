import pMap from "p-map";
import { GeoError } from "../geo/errors.ts";
import { KEYS_IN_FLIGHT } from "../geo/limits.ts";
import type { SiteBase } from "../ports/site.ts";
import type { KeyCapacity } from "./key-capacity.ts";

/** How a list of keys was worked through. */
export type WorkedThrough =
  | { readonly done: true }
  | {
      readonly done: false;
      readonly left: number;
      readonly reason: string;
      /** The time was up before every key was begun: nothing speaks against delivering the message again at once. */
      readonly outOfTime?: true;
    };

/** The golden section: of all steps around a circle it leaves the smallest gaps, however often it is taken. */
const STEP = (Math.sqrt(5) - 1) / 2;

/**
 * The keys of a message in the order in which they are to be looked at. Not always from the first: a message comes back as
 * it was, and one that begins with more keys than there is time for would never get to its last.
 */
const inTurn = <T>(items: readonly T[], receiveCount: number): readonly T[] => {
  const first = Math.floor((((receiveCount - 1) * STEP) % 1) * items.length);
  return [...items.slice(first), ...items.slice(0, first)];
};

/** What a list of keys is worked through with. */
export interface WorkingThrough {
  readonly site: Pick<SiteBase, "clock" | "telemetry">;
  /** When to begin no more keys, milliseconds since the epoch. */
  readonly stopAt: number;
  /** How often the message has been received, this time included. Default 1. */
  readonly receiveCount?: number;
  /** Bounds the keys under way of all messages that it is given with. Default: each message has its own bound only. */
  readonly capacity?: KeyCapacity | undefined;
}

/**
 * Works through the keys of one message, several at a time, and starts no new one once the time is up. A key that throws
 * does not stop the others: the message as a whole is then not done, and will be delivered again, which costs the keys
 * that are done one look each. Where trying again can not help, such as on a row that can not be read, the key is logged
 * and left: it would only bring its neighbours back with it, again and again.
 */
export const workThrough = async <T>(
  items: readonly T[],
  { site, stopAt, receiveCount = 1, capacity }: WorkingThrough,
  work: (item: T) => Promise<void>,
): Promise<WorkedThrough> => {
  const reasons: string[] = [];
  let outOfTime = false;
  const begin = async (item: T): Promise<void> => {
    if (site.clock.now() < stopAt) return work(item);
    outOfTime = true;
    reasons.push("the function's time is up");
  };
  await pMap(
    inTurn(items, receiveCount),
    async (item) => {
      try {
        // A key may have waited for its turn: whether there is time for it is asked after that.
        await (capacity === undefined ? begin(item) : capacity.run(() => begin(item)));
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
  if (reason === undefined) return { done: true };
  return { done: false, left: reasons.length, reason, ...(outOfTime ? { outOfTime } : {}) };
};
