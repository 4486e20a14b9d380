import type { CountedTable } from "../../geo/counters.ts";
import type { Table } from "../../ports/table.ts";
import { type Counter, counterKey, parseCounter } from "./counter-item.ts";

/** Reads the counter that a type from a stream shard is counted in. Strongly consistent: a stale mark would only be refused later. */
export const readCounter = async (
  site: Pick<Table, "get">,
  table: CountedTable,
  shard: string,
  replicableName: string,
): Promise<Counter> => parseCounter(await site.get(counterKey(table, shard, replicableName)), replicableName);
