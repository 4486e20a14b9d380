import { GeoMessage } from "./geo-message.ts";
import { decodeKey } from "./key-codec.ts";
import type { Replicable } from "./replicable.ts";
import { matchKey } from "./replicable-match.ts";

/** One key that a message asks to look at. */
export type Wanted =
  | {
      readonly want: "sync";
      readonly cause: "hint" | "due";
      readonly replicableName: string;
      readonly key: string;
      readonly correlationId: string;
    }
  | { readonly want: "verify"; readonly replicableName: string; readonly key: string; readonly correlationId: string };

/** A body that was read, or why it can not be. */
export type ReadMessage =
  | { readonly read: "wanted"; readonly wanted: readonly Wanted[] }
  | { readonly read: "unreadable"; readonly reason: string };

const unreadable = (reason: string): ReadMessage => ({ read: "unreadable", reason });

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
  const [issue] = message.error.issues;
  return { reason: `not a Geo message: ${issue?.path.join(".") ?? ""}: ${issue?.message ?? "unknown problem"}` };
};

/**
 * Reads what a geo-events or verification message asks for. A message carries no authority: its type and its key must
 * belong together by this installation's own patterns, and what is done about the key is decided by looking at it.
 *
 * @param messageId stands in as correlation id where the message has none
 */
export const readGeoMessage = (replicables: readonly Replicable[], body: string, messageId: string): ReadMessage => {
  const parsed = parseGeoMessage(body);
  if ("reason" in parsed) return unreadable(parsed.reason);
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
          correlationId: messageId,
          want: "sync" as const,
          cause: "due" as const,
        }));
  for (const { encodedKey, ...rest } of named) {
    let key: string;
    try {
      key = decodeKey(encodedKey);
    } catch (error) {
      return unreadable(`a key can not be decoded: ${error instanceof Error ? error.message : String(error)}`);
    }
    const owner = matchKey(replicables, key)?.replicable.name;
    if (owner !== rest.replicableName) {
      return unreadable(
        `key belongs to ${owner ?? "no replicable"}, but the message says ${rest.replicableName.slice(0, 64)}`,
      );
    }
    wanted.push({ ...rest, key });
  }
  return { read: "wanted", wanted };
};
