import { createHash } from "node:crypto";
import { GeoError } from "./errors.ts";

/**
 * Tokens for the API. A token is 256 random bits, so it can not be guessed and needs no salt: its SHA-256 is all that is
 * stored, and finding the hash in the table is the comparison. There is nothing for timing to reveal: how long a look-up
 * takes depends on the hash, and whoever could choose the hash's leading bits at will still could not find its token.
 */

/** What a token may do: `read_geo` only reads, `admin_geo` does everything. */
export const TOKEN_SCOPES = ["read_geo", "admin_geo"] as const;
export type TokenScope = (typeof TOKEN_SCOPES)[number];

/** Random bytes in a token: 256 bits. */
export const TOKEN_BYTES = 32;

/** Days that a token is valid unless somebody asks otherwise, and the bounds of asking. */
export const TOKEN_DAYS_DEFAULT = 90;
export const TOKEN_DAYS_MIN = 1;
export const TOKEN_DAYS_MAX = 365;

/** Longest name of a token in characters. */
export const TOKEN_NAME_LENGTH_MAX = 255;

/** `last_used_at` is written at most this often, so that a call costs a read and not a write. */
export const LAST_USE_PRECISION_MS = 60_000;

const DAY_MS = 24 * 60 * 60 * 1_000;
const PREFIX = "geo_";
const TOKEN_ID = /^[0-9a-f]{12}$/;
const UNSEEN = /\p{C}/u;
const TOKEN = /^geo_[A-Za-z0-9_-]{43}$/;

/** A token as it is stored. All times are milliseconds since the epoch. */
export interface TokenRecord {
  /** SHA-256 of the token, hex. */
  readonly hash: string;
  readonly name: string;
  readonly scope: TokenScope;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly lastUsedAt?: number;
  readonly revokedAt?: number;
}

/** The text of a token, from 32 bytes of a cryptographic source. It is shown once and stored nowhere. */
export const formatToken = (random: Uint8Array): string => {
  if (random.byteLength !== TOKEN_BYTES) {
    throw new GeoError(
      "GEO_INVALID_TOKEN_REQUEST",
      `a token is made of ${TOKEN_BYTES} random bytes, not ${random.byteLength}`,
    );
  }
  return PREFIX + Buffer.from(random).toString("base64url");
};

/** Whether a text can be a token at all: `geo_` and 43 characters. Keeps rubbish, however long, away from the table. */
export const isTokenShaped = (text: string): boolean => TOKEN.test(text);

/** What is stored of a token and looked up: 64 hex digits. */
export const hashToken = (token: string): string => createHash("sha256").update(token, "utf8").digest("hex");

/**
 * Digits of its hash by which a token is named in lists and ended: 48 bits, so that two of a thousand tokens share them
 * with a chance of 1 in 563 million, and the rest of the hash stays where it is.
 */
export const TOKEN_ID_LENGTH = 12;

/** By what a token is named to people: the first digits of its hash. Nothing can be opened with it. */
export const tokenId = (hash: string): string => hash.slice(0, TOKEN_ID_LENGTH);

/** Whether a text can be the id of a token. */
export const isTokenId = (text: string): boolean => TOKEN_ID.test(text);

/** Asks for a token. */
export interface TokenRequest {
  /** Says whose it is, for logs and lists. 1 to 255 characters, none of which steers a terminal. */
  readonly name: string;
  readonly scope: TokenScope;
  /** How long it is valid, in whole days. Default 90; 1 to 365. */
  readonly days?: number;
}

/** Everything that is wrong with a request; empty when it is fine. */
const problemsOf = ({ name, scope, days = TOKEN_DAYS_DEFAULT }: TokenRequest): readonly string[] => [
  ...(name.trim() === "" || name.length > TOKEN_NAME_LENGTH_MAX
    ? [`name: expected 1 to ${TOKEN_NAME_LENGTH_MAX} characters, got ${name.length}`]
    : []),
  ...(UNSEEN.test(name) ? ["name: expected characters that can be seen, got a control character"] : []),
  ...(TOKEN_SCOPES.includes(scope)
    ? []
    : [`scope: expected ${TOKEN_SCOPES.join(" or ")}, got ${JSON.stringify(scope)}`]),
  ...(Number.isInteger(days) && days >= TOKEN_DAYS_MIN && days <= TOKEN_DAYS_MAX
    ? []
    : [`days: expected a whole number from ${TOKEN_DAYS_MIN} to ${TOKEN_DAYS_MAX}, got ${days}`]),
];

/** The record of a new token. Throws `GEO_INVALID_TOKEN_REQUEST` with every problem of the request. */
export const recordOf = (token: string, request: TokenRequest, now: number): TokenRecord => {
  const problems = problemsOf(request);
  if (problems.length > 0) {
    throw new GeoError("GEO_INVALID_TOKEN_REQUEST", `this token can not be made: ${problems.join("; ")}`);
  }
  return {
    hash: hashToken(token),
    name: request.name,
    scope: request.scope,
    createdAt: now,
    expiresAt: now + (request.days ?? TOKEN_DAYS_DEFAULT) * DAY_MS,
  };
};

/** Why a stored token is not good any more; nothing when it is. */
export const lapseOf = (record: TokenRecord, now: number): "revoked" | "expired" | undefined => {
  if (record.revokedAt !== undefined) return "revoked";
  return now >= record.expiresAt ? "expired" : undefined;
};

/** HTTP methods that change nothing. */
export const READING_METHODS: readonly string[] = ["GET", "HEAD"];

/**
 * The one path that a reading token may `POST` to: a GraphQL query is sent in a body. What it may see and change there is
 * decided by GraphQL itself, from the token's scope.
 */
export const GRAPHQL_PATH = "/api/graphql";

/** Whether a scope is enough for a call with this method to this path (without the API's stage). */
export const mayCall = (scope: TokenScope, method: string, path: string): boolean =>
  scope === "admin_geo" ||
  READING_METHODS.includes(method.toUpperCase()) ||
  (method.toUpperCase() === "POST" && path === GRAPHQL_PATH);

/** HTTP headers, as any gateway hands them on: names in any case, absent values. */
export type Headers = Readonly<Record<string, string | undefined>>;

const headerOf = (headers: Headers, name: string): string | undefined =>
  Object.entries(headers).find(([key, value]) => key.toLowerCase() === name && value !== undefined)?.[1];

const BEARER = /^bearer +(?<token>\S+) *$/i;

/**
 * The token of a call: `PRIVATE-TOKEN`, or else `Authorization: Bearer …`, as GitLab takes them. Nothing when there is
 * neither or both are empty. Not yet checked in any way.
 */
export const tokenOfHeaders = (headers: Headers): string | undefined => {
  const privateToken = headerOf(headers, "private-token")?.trim();
  if (privateToken) return privateToken;
  const authorization = headerOf(headers, "authorization")?.trim();
  if (!authorization) return undefined;
  // Any other kind of authorization is a credential, though not one of ours: it is refused as a bad token is.
  return BEARER.exec(authorization)?.groups?.["token"] ?? authorization;
};
