import * as z from "zod/mini";
import { GeoError } from "../../geo/errors.ts";
import { SITE_TABLE_PARTITIONS } from "../../geo/physical-names.ts";
import { TOKEN_SCOPES, type TokenRecord } from "../../geo/tokens.ts";
import type { Item, ItemKey } from "../../ports/table.ts";

/** The partition of all tokens. */
export const TOKEN_PARTITION = SITE_TABLE_PARTITIONS.token;

/** How the site table holds a token: under its hash, which is also the only thing that is known of it. */
export const tokenKey = (hash: string): ItemKey => ({ pk: TOKEN_PARTITION, sk: hash });

const TokenItem = z.object({
  pk: z.literal(TOKEN_PARTITION),
  sk: z.string().check(z.regex(/^[0-9a-f]{64}$/)),
  name: z.string(),
  scope: z.enum(TOKEN_SCOPES),
  created_at: z.number(),
  expires_at: z.number(),
  last_used_at: z.optional(z.number()),
  revoked_at: z.optional(z.number()),
});

/** Reads a token's item. Throws `GEO_UNREADABLE_ROW` on anything else: a token that can not be read opens nothing. */
export const parseToken = (item: Item): TokenRecord => {
  const parsed = z.safeParse(TokenItem, item);
  if (!parsed.success) {
    const fields = parsed.error.issues.map((issue) => issue.path.join("."));
    throw new GeoError("GEO_UNREADABLE_ROW", `a token in the site table can not be read: ${fields.join(", ")}`);
  }
  const { data } = parsed;
  return {
    hash: data.sk,
    name: data.name,
    scope: data.scope,
    createdAt: data.created_at,
    expiresAt: data.expires_at,
    ...(data.last_used_at !== undefined && { lastUsedAt: data.last_used_at }),
    ...(data.revoked_at !== undefined && { revokedAt: data.revoked_at }),
  };
};
