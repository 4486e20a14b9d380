import type { CountedTable } from "../../geo/counters.ts";
import type { Item, Table } from "../../ports/table.ts";
import { COUNTER_PARTITION, type Counter, counterPrefix, parseCounterItem } from "./counter-item.ts";

/** More than there are: eight for each type. A page ends at a megabyte whatever is asked for. */
const ITEMS_PER_PAGE = 1_000;

/**
 * Reads all counters of a table. One query of at most `COUNTER_SLOTS` items for each type at any number of rows; a second
 * page only if they hold more than 1 MB. Strongly consistent, though not a snapshot: while rows change, a row may for a moment
 * be seen in both of its cells or in neither.
 */
export const listCounters = async (site: Pick<Table, "query">, table: CountedTable): Promise<readonly Counter[]> => {
  const counters: Counter[] = [];
  let startAfter: Item | undefined;
  do {
    const page = await site.query({
      condition: "pk = :pk AND begins_with(sk, :prefix)",
      values: { ":pk": COUNTER_PARTITION, ":prefix": counterPrefix(table) },
      limit: ITEMS_PER_PAGE,
      ...(startAfter && { startAfter }),
    });
    counters.push(...page.items.map(parseCounterItem).filter((counter) => counter !== undefined));
    startAfter = page.next;
  } while (startAfter !== undefined);
  return counters;
};
