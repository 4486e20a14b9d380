import { Buffer } from "node:buffer";
import { createHmac, timingSafeEqual } from "node:crypto";
import type { RowPlace } from "./row-place.ts";

/**
 * Cursors of lists: a place among rows, signed with a secret of the site. A cursor names where a search goes on, and with
 * that what the search costs; so nobody makes up one of their own. It is bound to what was asked for and to who asked, so
 * that it leads nowhere else.
 */

/** Bytes of the key and of a signature. */
export const CURSOR_KEY_BYTES = 32;

/** Longest cursor that is looked at: a key of 1,024 bytes in JSON and base64url, with its signature. */
export const CURSOR_LENGTH_MAX = 8_500;

const CURSOR = /^(?<place>[A-Za-z0-9_-]+)\.(?<signature>[A-Za-z0-9_-]{43})$/;

/** Goes into every signature: what another form of cursor says is not for this one to read. */
const FORM = 1;

const signatureOf = (secret: Uint8Array, binding: string, place: string): string =>
  createHmac("sha256", secret)
    .update(JSON.stringify([FORM, binding, place]), "utf8")
    .digest("base64url");

/**
 * @param secret `CURSOR_KEY_BYTES` random bytes
 * @param binding everything that the cursor is for, in one text
 */
export const signCursor = (secret: Uint8Array, binding: string, { partition, key, time }: RowPlace): string => {
  const place = Buffer.from(JSON.stringify([partition, key, time]), "utf8").toString("base64url");
  return `${place}.${signatureOf(secret, binding, place)}`;
};

/** The place that a cursor names; undefined when it was not signed for this, or not by this site. */
export const readCursor = (secret: Uint8Array, binding: string, cursor: string): RowPlace | undefined => {
  if (cursor.length > CURSOR_LENGTH_MAX) return undefined;
  const { place = "", signature = "" } = CURSOR.exec(cursor)?.groups ?? {};
  // As texts: the same bytes can be spelled in four ways.
  const given = Buffer.from(signature, "utf8");
  const right = Buffer.from(signatureOf(secret, binding, place), "utf8");
  return given.length === right.length && timingSafeEqual(given, right) ? placeOf(place) : undefined;
};

/** Reads what was signed: it was written by `signCursor`, in this very form. */
const placeOf = (encoded: string): RowPlace => {
  const text = Buffer.from(encoded, "base64url").toString("utf8");
  const [partition, key, time] = JSON.parse(text) as [number, string | null, number | null]; // signed by this site
  return { partition, ...(key === null ? {} : { key }), time };
};
