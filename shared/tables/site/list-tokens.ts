import type { TokenRecord } from "../../geo/tokens.ts";
import type { Item, Table } from "../../ports/table.ts";
import { parseToken, TOKEN_PARTITION } from "./token-item.ts";

const PAGE_ITEMS = 100;

/**
 * Every token of a site, or those whose hash begins with some digits; in the order of their hashes. A site has as many as
 * people made by hand, so that all of them fit in memory. Throws `GEO_UNREADABLE_ROW` on an item that is no token.
 */
export const listTokens = async (site: Pick<Table, "query">, beginning?: string): Promise<readonly TokenRecord[]> => {
  const tokens: TokenRecord[] = [];
  let startAfter: Item | undefined;
  do {
    const page = await site.query({
      condition: beginning === undefined ? "pk = :pk" : "pk = :pk AND begins_with(sk, :beginning)",
      values: { ":pk": TOKEN_PARTITION, ...(beginning === undefined ? {} : { ":beginning": beginning }) },
      limit: PAGE_ITEMS,
      ...(startAfter && { startAfter }),
    });
    tokens.push(...page.items.map(parseToken));
    startAfter = page.next;
  } while (startAfter !== undefined);
  return tokens;
};
