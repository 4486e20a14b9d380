import { isTokenId, lapseOf, tokenId, type TokenRecord, type TokenScope } from "../geo/tokens.ts";
import type { Clock } from "../ports/clock.ts";
import type { Table } from "../ports/table.ts";
import { listTokens } from "../tables/site/list-tokens.ts";
import { revokeToken } from "../tables/site/revoke-token.ts";

/** What listing and ending tokens need. */
export interface TokenKeeping {
  readonly site: Pick<Table, "query" | "update">;
  readonly clock: Clock;
}

/** A token as people see it: neither its secret nor the whole of its hash. Times are ISO 8601, UTC. */
export interface KnownToken {
  /** By what it is ended: 12 hex digits. */
  readonly id: string;
  readonly name: string;
  readonly scope: TokenScope;
  readonly state: "active" | "expired" | "revoked";
  readonly created_at: string;
  readonly expires_at: string;
  /** To the minute; null for one that was never used. */
  readonly last_used_at: string | null;
  readonly revoked_at: string | null;
}

const timeOf = (at: number): string => new Date(at).toISOString();

/** Tells of a token what may be told. */
export const knownToken = (token: TokenRecord, now: number): KnownToken => ({
  id: tokenId(token.hash),
  name: token.name,
  scope: token.scope,
  state: lapseOf(token, now) ?? "active",
  created_at: timeOf(token.createdAt),
  expires_at: timeOf(token.expiresAt),
  last_used_at: token.lastUsedAt === undefined ? null : timeOf(token.lastUsedAt),
  revoked_at: token.revokedAt === undefined ? null : timeOf(token.revokedAt),
});

/** Every token of a site, the newest first; those that opened something once stay in it. */
export const listKnownTokens = async ({ site, clock }: TokenKeeping): Promise<readonly KnownToken[]> => {
  const tokens = await listTokens(site);
  return tokens.toSorted((a, b) => b.createdAt - a.createdAt).map((token) => knownToken(token, clock.now()));
};

/** What came of ending a token; `problem` says what was expected and what came. */
export type Revocation = { readonly revoked: KnownToken } | { readonly problem: string };

/**
 * Ends a token by its id. It opens nothing from the next call on: the authorizer reads it at each call, strongly consistent.
 * Saying it again changes nothing and keeps the first time.
 */
export const revokeKnownToken = async ({ site, clock }: TokenKeeping, id: string): Promise<Revocation> => {
  if (!isTokenId(id)) return { problem: `expected a token's id of 12 hex digits, got ${JSON.stringify(id)}` };
  const [token, another] = await listTokens(site, id);
  if (token === undefined) return { problem: `there is no token ${id}; the list has the ids of those that there are` };
  if (another !== undefined)
    return { problem: `two tokens have the id ${id}; set revoked_at of the one that is meant` };
  const now = clock.now();
  await revokeToken(site, token.hash, now);
  return { revoked: knownToken({ ...token, revokedAt: token.revokedAt ?? now }, now) };
};
