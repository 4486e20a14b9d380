import { GeoError } from "../../geo/errors.ts";
import type { TokenRecord } from "../../geo/tokens.ts";
import type { Table } from "../../ports/table.ts";
import { tokenKey } from "./token-item.ts";

/**
 * Stores a new token. Never over another one: two equal tokens mean that the source of random bytes is broken, and that
 * is an error to stop at.
 */
export const putToken = async (site: Pick<Table, "put">, record: TokenRecord): Promise<void> => {
  const item = {
    ...tokenKey(record.hash),
    name: record.name,
    scope: record.scope,
    created_at: record.createdAt,
    expires_at: record.expiresAt,
  };
  const { outcome } = await site.put(item, { condition: "attribute_not_exists(pk)" });
  if (outcome === "refused") {
    throw new GeoError(
      "GEO_INVALID_TOKEN_REQUEST",
      "this token exists already; make another one from fresh random bytes",
    );
  }
};
