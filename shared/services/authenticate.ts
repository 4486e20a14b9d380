import {
  hashToken,
  type Headers,
  isTokenShaped,
  LAST_USE_PRECISION_MS,
  lapseOf,
  mayCall,
  tokenOfHeaders,
  type TokenRecord,
} from "../geo/tokens.ts";
import type { Clock } from "../ports/clock.ts";
import type { Table } from "../ports/table.ts";
import { getToken } from "../tables/site/get-token.ts";
import { touchToken } from "../tables/site/touch-token.ts";

/** A call of the API, as far as its admission goes. */
export interface Call {
  readonly method: string;
  /** The path without the API's stage and without a query. */
  readonly path: string;
  readonly headers: Headers;
}

/** What admission needs. */
export interface Gatekeeper {
  readonly site: Table;
  readonly clock: Clock;
}

/**
 * Whether a call may pass.
 * - `missing`: it carries no token: 401
 * - `denied`: 403. `tokenName` is there when the token is one of ours
 * - `allowed`: the token that opened
 */
export type Admission =
  | { readonly admission: "missing" }
  | {
      readonly admission: "denied";
      readonly reason: "malformed" | "unknown" | "revoked" | "expired" | "scope";
      readonly tokenName?: string;
    }
  | { readonly admission: "allowed"; readonly token: TokenRecord };

const noteUse = async ({ site, clock }: Gatekeeper, token: TokenRecord): Promise<void> => {
  const now = clock.now();
  if (token.lastUsedAt !== undefined && token.lastUsedAt > now - LAST_USE_PRECISION_MS) return;
  try {
    await touchToken(site, token.hash, now);
  } catch {
    // When a token was last used is for people who tidy up; a call must not fail because it could not be noted.
  }
};

/**
 * Decides about a call: one read, and a write once a minute. Throws `TableUnavailableError` when the table does not
 * answer: that is neither an allowed call nor a bad token.
 */
export const authenticate = async (gatekeeper: Gatekeeper, call: Call): Promise<Admission> => {
  const secret = tokenOfHeaders(call.headers);
  if (secret === undefined) return { admission: "missing" };
  if (!isTokenShaped(secret)) return { admission: "denied", reason: "malformed" };
  const token = await getToken(gatekeeper.site, hashToken(secret));
  if (token === undefined) return { admission: "denied", reason: "unknown" };
  const lapse = lapseOf(token, gatekeeper.clock.now());
  if (lapse !== undefined) return { admission: "denied", reason: lapse, tokenName: token.name };
  if (!mayCall(token.scope, call.method, call.path))
    return { admission: "denied", reason: "scope", tokenName: token.name };
  await noteUse(gatekeeper, token);
  return { admission: "allowed", token };
};
