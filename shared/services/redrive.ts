import { GeoError } from "../geo/errors.ts";
import type { RedriveRequest } from "../geo/redrive-request.ts";
import type { Clock } from "../ports/clock.ts";
import type { DeadLetter, DeadLetters } from "../ports/dead-letters.ts";
import type { MessageQueue, OutgoingMessage } from "../ports/message-queue.ts";
import type { QueueGauge } from "../ports/queue-gauge.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import type { ParkedMessage } from "./park.ts";

/** A queue with its dead letters. */
export interface Redrivable {
  /** What operators call it. */
  readonly name: string;
  readonly queue: MessageQueue & QueueGauge;
  readonly deadLetters: DeadLetters;
}

/** What is needed to look at dead letters and to send them back. */
export interface Redriving {
  readonly redrivable: readonly Redrivable[];
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}

/** What lies in a dead-letter queue. */
export interface DeadLettersAnswer {
  readonly name: string;
  readonly dead_letter_queue: string;
  /** About how many; null where the queue could not be asked. */
  readonly messages_count: number | null;
  /** Of the first ten: why they are there, the most frequent reason first. */
  readonly reasons: readonly { readonly reason: string; readonly count: number; readonly parked: boolean }[];
}

/** What a redrive came to. */
export interface RedriveAnswer {
  readonly name: string;
  /** Messages that are in their queue again. */
  readonly moved_count: number;
  /** Messages that could not be read and were left where they are. */
  readonly parked_count: number;
  /** About how many lie there still, those that were left included. */
  readonly left_count: number;
}

/** A look at a dead letter hides it from other lookers for this long, seconds. */
const LOOKED_AT_SECONDS = 1;

/** Longer than a redrive may take, so that it sees no message twice. Seconds. */
const HIDDEN_SECONDS = 60;

/** A redrive begins no more batches after this long: API Gateway waits 29 seconds. */
const STOP_AFTER_MS = 20_000;

/** How much of a reason is shown. */
const REASON_LENGTH_MAX = 200;

const GIVEN_UP = "received too often without success";

type Parked = Pick<ParkedMessage, "reason" | "parts" | "body">;

/** What `park` made of a message; undefined for one that lies there as it was sent. */
const parkedOf = (letter: string): Parked | undefined => {
  try {
    const { parked, reason, parts, body } = Object(JSON.parse(letter)) as Readonly<Record<string, unknown>>; // any JSON
    return parked === true && typeof reason === "string" && typeof parts === "number" && typeof body === "string"
      ? { reason, parts, body }
      : undefined;
  } catch {
    return undefined;
  }
};

/** What lies in each dead-letter queue of the site. Takes nothing away; a queue that does not answer is named all the same. */
export const listDeadLetters = ({ redrivable, telemetry }: Redriving): Promise<readonly DeadLettersAnswer[]> =>
  Promise.all(
    redrivable.map(async ({ name, deadLetters }): Promise<DeadLettersAnswer> => {
      const base = { name, dead_letter_queue: deadLetters.name };
      try {
        const messages_count = await deadLetters.count();
        if (messages_count === 0) return { ...base, messages_count, reasons: [] };
        const counted = new Map<string, { reason: string; count: number; parked: boolean }>();
        for (const { body } of await deadLetters.receive(LOOKED_AT_SECONDS)) {
          const parked = parkedOf(body);
          const reason = (parked?.reason ?? GIVEN_UP).slice(0, REASON_LENGTH_MAX);
          const known = counted.get(reason) ?? { reason, count: 0, parked: parked !== undefined };
          counted.set(reason, { ...known, count: known.count + 1 });
        }
        return { ...base, messages_count, reasons: [...counted.values()].toSorted((a, b) => b.count - a.count) };
      } catch (error) {
        if (!(error instanceof GeoError)) throw error;
        telemetry.warn("dead letters could not be looked at", { queue: deadLetters.name, reason: error.message });
        return { ...base, messages_count: null, reasons: [] };
      }
    }),
  );

/** What is to be sent for a dead letter; undefined for one that stays. A message that was parked in parts can not be put together. */
const messageFor = ({ body, group }: DeadLetter, withParked: boolean): OutgoingMessage | undefined => {
  const parked = parkedOf(body);
  const ofGroup = group === undefined ? {} : { group };
  if (parked === undefined) return { body, ...ofGroup };
  return withParked && parked.parts === 1 ? { body: parked.body, ...ofGroup } : undefined;
};

/**
 * Sends dead letters back to the queue that they come from, a batch at a time. One is taken away only when its queue has
 * it: whoever dies in between leaves it in both, which costs a look, since a message is a hint.
 *
 * Parked messages stay unless they are asked for: they would be parked again, but by a version that can read them.
 *
 * @returns undefined when the site has no such queue
 * @throws GeoError GEO_QUEUE_UNAVAILABLE when a queue does not answer; what was moved until then is moved
 */
export const redrive = async (
  { redrivable, clock, telemetry }: Redriving,
  name: string,
  { messages, parked: withParked }: RedriveRequest,
  tokenName: string | undefined,
): Promise<RedriveAnswer | undefined> => {
  const found = redrivable.find((one) => one.name === name);
  if (found === undefined) return undefined;
  const { queue, deadLetters } = found;
  const stopAt = clock.now() + STOP_AFTER_MS;
  const seen = new Set<string>();
  let moved = 0;
  let kept = 0;
  while (moved < messages && clock.now() < stopAt) {
    const letters = (await deadLetters.receive(HIDDEN_SECONDS)).filter(({ id }) => !seen.has(id));
    if (letters.length === 0) break;
    const batch: { readonly message: OutgoingMessage; readonly receipt: string }[] = [];
    for (const letter of letters) {
      seen.add(letter.id);
      const message = messageFor(letter, withParked);
      if (message === undefined) kept += 1;
      else if (moved + batch.length < messages) batch.push({ message, receipt: letter.receipt });
    }
    if (batch.length === 0) continue;
    const sent = await queue.send(batch.map(({ message }) => message));
    const failed = new Set(sent.outcome === "failed" ? sent.failed : []);
    const done = batch.filter((_, position) => !failed.has(position));
    await deadLetters.remove(done.map(({ receipt }) => receipt));
    moved += done.length;
    if (sent.outcome === "failed") {
      throw new GeoError("GEO_QUEUE_UNAVAILABLE", `${queue.name}: ${sent.reason}; ${moved} messages were moved before`);
    }
  }
  const answer = { name, moved_count: moved, parked_count: kept, left_count: await deadLetters.count() };
  telemetry.info("an operator sent dead letters back", { ...answer, token_name: tokenName ?? "" });
  return answer;
};
