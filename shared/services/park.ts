import type { MessageQueue } from "../ports/message-queue.ts";
import { GeoError } from "../geo/errors.ts";

/** Characters of a parked body per message: even if each takes three bytes, the whole stays below SQS's 1 MiB. */
const PART_LENGTH_MAX = 256 * 1024;

/** A message that can not be read, as it lies in the dead-letter queue. */
export interface ParkedMessage {
  readonly parked: true;
  /** Why it can not be read. */
  readonly reason: string;
  readonly message_id: string;
  readonly parked_at: number;
  /** A long body is cut into parts, so that nothing of it is lost. */
  readonly part: number;
  readonly parts: number;
  readonly body: string;
}

/**
 * Puts a message that can not be read into the dead-letter queue, whole and with the reason, instead of letting it come
 * back until SQS gives up on it without a word (R21).
 *
 * @throws GeoError GEO_QUEUE_UNAVAILABLE when it could not be parked: the message must then stay where it is
 */
export const park = async (
  parking: MessageQueue,
  message: { readonly id: string; readonly body: string },
  reason: string,
  now: number,
): Promise<void> => {
  const parts = Math.max(1, Math.ceil(message.body.length / PART_LENGTH_MAX));
  const parked = Array.from({ length: parts }, (_, part): ParkedMessage => ({
    parked: true,
    reason,
    message_id: message.id,
    parked_at: now,
    part: part + 1,
    parts,
    body: message.body.slice(part * PART_LENGTH_MAX, (part + 1) * PART_LENGTH_MAX),
  }));
  const sent = await parking.send(parked.map((part) => ({ body: JSON.stringify(part) })));
  if (sent.outcome === "failed") {
    throw new GeoError(
      "GEO_QUEUE_UNAVAILABLE",
      `message ${message.id} could not be parked in ${parking.name}: ${sent.reason}`,
    );
  }
};
