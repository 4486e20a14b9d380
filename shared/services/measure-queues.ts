import { GeoError } from "../geo/errors.ts";
import type { QueueAnswer } from "../geo/queue-answer.ts";
import type { Redriving } from "./redrive.ts";

/**
 * How much is in each queue of the site, and in its dead-letter queue. One that does not answer is named all the same, with
 * null for what is not known.
 */
export const measureQueues = ({
  redrivable,
  telemetry,
}: Pick<Redriving, "redrivable" | "telemetry">): Promise<readonly QueueAnswer[]> => {
  const orNull = async <T>(queue: string, ask: () => Promise<T>): Promise<T | null> => {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof GeoError)) throw error;
      telemetry.warn("a queue could not be measured", { queue, reason: error.message });
      return null;
    }
  };
  return Promise.all(
    redrivable.map(async ({ name, queue, deadLetters }): Promise<QueueAnswer> => {
      const [counts, dead] = await Promise.all([
        orNull(queue.name, () => queue.measure()),
        orNull(deadLetters.name, () => deadLetters.count()),
      ]);
      return {
        name,
        queue: queue.name,
        waiting: counts?.waiting ?? null,
        in_flight: counts?.inFlight ?? null,
        delayed: counts?.delayed ?? null,
        dead_letters: dead,
      };
    }),
  );
};
