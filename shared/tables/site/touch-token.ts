import { LAST_USE_PRECISION_MS } from "../../geo/tokens.ts";
import type { Table } from "../../ports/table.ts";
import { tokenKey } from "./token-item.ts";

/**
 * Notes that a token was used, at most once a minute. The condition keeps many calls at once from writing many times, and
 * a token that was deleted meanwhile from coming back as half an item.
 */
export const touchToken = async (site: Table, hash: string, now: number): Promise<void> => {
  await site.update({
    key: tokenKey(hash),
    update: "SET last_used_at = :now",
    condition: "attribute_exists(pk) AND (attribute_not_exists(last_used_at) OR last_used_at <= :minute_ago)",
    values: { ":now": now, ":minute_ago": now - LAST_USE_PRECISION_MS },
  });
};
