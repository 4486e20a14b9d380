import { Buffer } from "node:buffer";
import { GeoError } from "./errors.ts";

/**
 * Object keys on their way through messages. S3 takes any UTF-8 text of up to 1,024 bytes as a key; SQS refuses bodies
 * with some of those characters. So keys travel percent-encoded, and one odd key can never be an unpublishable
 * message (R36).
 */

/** The longest key that S3 takes, in bytes of UTF-8 (S3 user guide, object key names). */
export const KEY_BYTES_MAX = 1_024;

/** The longest encoded key, in characters: every byte may become `%XX`. */
export const ENCODED_KEY_LENGTH_MAX = 3 * KEY_BYTES_MAX;

/** How much of a foreign text an error message shows, in characters. */
const QUOTED_LENGTH_MAX = 80;

/** `text` cut short and in printable ASCII, for error messages and logs: a hostile key must not forge log lines. */
export const quoted = (text: string): string => {
  const shown = text.length > QUOTED_LENGTH_MAX ? `${text.slice(0, QUOTED_LENGTH_MAX)}…` : text;
  return JSON.stringify(shown).replace(
    /[^\u0020-\u007e…]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
};

/** Why `key` can not be the key of an S3 object, or `undefined` when it can. */
export const findKeyProblem = (key: string): string | undefined => {
  if (key === "") return "it is empty, expected 1 to 1,024 bytes";
  if (!key.isWellFormed()) return "it holds a lone surrogate, so it has no UTF-8 form";
  const bytes = Buffer.byteLength(key, "utf8");
  return bytes > KEY_BYTES_MAX
    ? `it is ${String(bytes)} bytes long, expected at most ${String(KEY_BYTES_MAX)}`
    : undefined;
};

const assertKey = (key: string): void => {
  const problem = findKeyProblem(key);
  if (problem !== undefined) throw new GeoError("GEO_INVALID_KEY", `${quoted(key)} is not an object key: ${problem}`);
};

/**
 * Percent-encodes well-formed text to printable ASCII and leaves slashes readable. Throws a URIError on a lone
 * surrogate.
 */
export const percentEncode = (text: string): string => encodeURIComponent(text).replaceAll("%2F", "/");

/**
 * The form of a key that travels in messages: printable ASCII without quotes, backslashes and blanks, at most
 * `ENCODED_KEY_LENGTH_MAX` characters. Lossless; slashes stay readable.
 * @throws GeoError GEO_INVALID_KEY when no object can have this key
 */
export const encodeKey = (key: string): string => {
  assertKey(key);
  return percentEncode(key);
};

/**
 * The key that `encodeKey` wrote. Only its own spelling is accepted, so that a key has exactly one encoded form.
 * @throws GeoError GEO_INVALID_KEY for anything else
 */
export const decodeKey = (encoded: string): string => {
  const key = decodePercent(encoded);
  assertKey(key);
  if (percentEncode(key) !== encoded)
    throw new GeoError(
      "GEO_INVALID_KEY",
      `${quoted(encoded)} is not how a key is encoded, expected ${quoted(percentEncode(key))}`,
    );
  return key;
};

/**
 * How a notification spells its key.
 * - `form`: as AWS does, form-encoded: `+` is a blank and percent-escapes are UTF-8
 * - `raw`: as it is, which is what some emulators do. To be chosen by whoever knows the sender (the local deployment):
 *   the text alone does not tell, since `a+b` is a good spelling of two different keys.
 *
 * Read as `form`, a raw spelling still comes out right unless the key has a `+` or a `%` in it.
 */
export type NotificationKeyEncoding = "form" | "raw";

/**
 * The key that an S3 notification speaks of.
 * @throws GeoError GEO_INVALID_KEY for a malformed escape, or when the result can not be a key
 */
export const decodeNotificationKey = (text: string, encoding: NotificationKeyEncoding = "form"): string => {
  const key = encoding === "raw" ? text : decodePercent(text.replaceAll("+", " "));
  assertKey(key);
  return key;
};

const decodePercent = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw new GeoError("GEO_INVALID_KEY", `${quoted(text)} has a percent-escape that is not UTF-8`, { cause });
  }
};
