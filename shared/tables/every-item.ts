import type { Item, QueryRequest, Table } from "../ports/table.ts";

/** Everything that a query finds, page after page: for partitions that hold few items. */
export const everyItem = async (table: Pick<Table, "query">, query: QueryRequest): Promise<readonly Item[]> => {
  const items: Item[] = [];
  let startAfter: Item | undefined;
  do {
    const page = await table.query({ ...query, ...(startAfter && { startAfter }) });
    items.push(...page.items);
    startAfter = page.next;
  } while (startAfter !== undefined);
  return items;
};
