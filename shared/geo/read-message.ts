import { messageOf } from "./errors.ts";
import { GeoMessage } from "./geo-message.ts";
import { decodeKey } from "./key-codec.ts";
import type { Replicable } from "./replicable.ts";
import { matchKey, type ReplicableMatch } from "./replicable-match.ts";

/**
 * Why a key is to be looked at.
 * - `hint`: something may have changed on the primary
 * - `replica_listed`: a hint from a walk that saw something under the key in the replica's bucket
 * - `resync`: an operator wants a fresh copy
 * - `due`: the due index named the row
 */
export type SyncCause = "hint" | "replica_listed" | "resync" | "due";

/** One key that a message asks to look at. */
export type Wanted =
  | {
      readonly want: "sync";
      readonly cause: SyncCause;
      readonly replicableName: string;
      readonly key: string;
      readonly correlationId: string;
      /** What becomes of it decides whether others of its type are tried again (`circuit-breaker.ts`). */
      readonly isProbe?: boolean;
    }
  | { readonly want: "verify"; readonly replicableName: string; readonly key: string; readonly correlationId: string }
  /** A due row whose key its type does not claim any more: the row was made when its pattern was another one. */
  | { readonly want: "put_off"; readonly replicableName: string; readonly key: string };

/** What a body asks for, and what in it can not be read: one bad key does not take its neighbours along. */
export interface ReadMessage {
  readonly wanted: readonly Wanted[];
  /** Why the message, or some of it, has to be parked; undefined when all of it was read. */
  readonly unreadable: string | undefined;
}

const causeOf = (message: Exclude<GeoMessage, { kind: "geo_events" }>): SyncCause => {
  if (message.kind !== "look") return message.kind;
  return message.replica_listed === true ? "replica_listed" : "hint";
};

const parseJson = (body: string): { readonly json: unknown } | undefined => {
  try {
    return { json: JSON.parse(body) };
  } catch {
    return undefined;
  }
};

/** Parses the body of a queue message. */
export const parseGeoMessage = (body: string): { readonly message: GeoMessage } | { readonly reason: string } => {
  const parsed = parseJson(body);
  if (parsed === undefined) return { reason: "not JSON" };
  const message = GeoMessage.safeParse(parsed.json);
  if (message.success) return { message: message.data };
  // The first problem is enough to say: a message may have hundreds.
  const [reason] = message.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
  return { reason: `not a Geo message: ${reason}` };
};

/**
 * Reads what a geo-events or verification message asks for. A message carries no authority: its type and its key must
 * belong together by this installation's own patterns, and what is done about the key is decided by looking at it.
 *
 * @param messageId stands in as correlation id where the message has none
 * @param match to which type a key belongs now; default: the one whose pattern claims it
 */
export const readGeoMessage = (
  replicables: readonly Replicable[],
  body: string,
  messageId: string,
  match: (key: string) => ReplicableMatch | undefined = (key) => matchKey(replicables, key),
): ReadMessage => {
  const parsed = parseGeoMessage(body);
  if ("reason" in parsed) return { wanted: [], unreadable: parsed.reason };
  const { message } = parsed;
  const wanted: Wanted[] = [];
  const named =
    message.kind === "geo_events"
      ? message.events.map((event) => ({
          replicableName: event.replicable_name,
          encodedKey: event.payload.blob_path,
          correlationId: event.payload.correlation_id,
          want: event.event_name === "checksum_succeeded" ? ("verify" as const) : ("sync" as const),
          cause: "hint" as const,
        }))
      : message.keys.map((encodedKey) => ({
          replicableName: message.replicable_name,
          encodedKey,
          correlationId: message.kind === "resync" ? message.correlation_id : messageId,
          want: "sync" as const,
          cause: causeOf(message),
          ...(message.kind === "due" && message.probe === true ? { isProbe: true } : {}),
        }));
  const problems: string[] = [];
  for (const { encodedKey, ...rest } of named) {
    try {
      const key = decodeKey(encodedKey);
      const owner = match(key)?.replicable.name;
      if (owner === rest.replicableName) wanted.push({ ...rest, key });
      else if (rest.cause === "due" && replicables.some(({ name }) => name === rest.replicableName))
        wanted.push({ want: "put_off", replicableName: rest.replicableName, key });
      else problems.push(`a key of ${owner ?? "no replicable"} is said to be of ${rest.replicableName.slice(0, 64)}`);
    } catch (error) {
      problems.push(`a key can not be decoded: ${messageOf(error)}`);
    }
  }
  return { wanted, unreadable: problems.length === 0 ? undefined : problems.join("; ").slice(0, 2_000) };
};
