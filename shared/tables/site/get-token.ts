import type { TokenRecord } from "../../geo/tokens.ts";
import type { Table } from "../../ports/table.ts";
import { parseToken, tokenKey } from "./token-item.ts";

/** Finds a token by its hash. Strongly consistent, so that a revocation holds from the next call on. */
export const getToken = async (site: Table, hash: string): Promise<TokenRecord | undefined> => {
  const item = await site.get(tokenKey(hash));
  return item && parseToken(item);
};
