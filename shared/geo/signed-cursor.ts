import { Buffer } from "node:buffer";
import { createHmac, timingSafeEqual } from "node:crypto";
import { findKeyProblem } from "./key-codec.ts";
import { ROW_PARTITIONS } from "./registry-row.ts";
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

const signatureOf = (secret: Uint8Array, binding: string, place: string): Buffer =>
  createHmac("sha256", secret)
    .update(JSON.stringify([binding, place]), "utf8")
    .digest();

/**
 * @param secret `CURSOR_KEY_BYTES` random bytes
 * @param binding everything that the cursor is for, in one text
 */
export const signCursor = (secret: Uint8Array, binding: string, { partition, key, time }: RowPlace): string => {
  const place = Buffer.from(JSON.stringify([partition, key, time]), "utf8").toString("base64url");
  return `${place}.${signatureOf(secret, binding, place).toString("base64url")}`;
};

/** The place that a cursor names; undefined when it was not signed for this, or not by this site. */
export const readCursor = (secret: Uint8Array, binding: string, cursor: string): RowPlace | undefined => {
  if (cursor.length > CURSOR_LENGTH_MAX) return undefined;
  const { place = "", signature = "" } = CURSOR.exec(cursor)?.groups ?? {};
  const given = Buffer.from(signature, "base64url");
  const right = signatureOf(secret, binding, place);
  return given.length === right.length && timingSafeEqual(given, right) ? placeOf(place) : undefined;
};

const isAbsent = (value: unknown): value is null | undefined => value === null || value === undefined;

/** Reads what was signed. It is ours, but maybe another version's. */
const placeOf = (encoded: string): RowPlace | undefined => {
  const read: unknown = JSON.parse(Buffer.from(encoded, "base64url").toString("utf8"));
  if (!Array.isArray(read) || read.length !== 3) return undefined;
  const [partition, key, time] = read as readonly unknown[]; // a list
  if (typeof partition !== "number" || !Number.isInteger(partition)) return undefined;
  if (partition < 0 || partition >= ROW_PARTITIONS) return undefined;
  if (!isAbsent(key) && (typeof key !== "string" || findKeyProblem(key) !== undefined)) return undefined;
  if (!isAbsent(time) && typeof time !== "number") return undefined;
  return { partition, ...(isAbsent(key) ? {} : { key }), time: time ?? null };
};
