import { type CountedTable, sumCells } from "../geo/counters.ts";
import type { Table } from "../ports/table.ts";
import { listCounters } from "../tables/site/list-counters.ts";

/** Asks the counters of a site how many rows a type has: one query, whatever the type and however many rows. */
export const countRecords =
  (siteTable: Pick<Table, "query">, table: CountedTable) =>
  async (replicableName: string): Promise<number> => {
    const cells = sumCells((await listCounters(siteTable, table)).map((counter) => counter.cells));
    return (cells.get(replicableName) ?? []).reduce((sum, { rows }) => sum + rows, 0);
  };
