import { rowPartition } from "../geo/registry-row.ts";
import type { Item, QueryRequest } from "../ports/table.ts";

/**
 * The rows of one of the partitions that a type is spread over, a page at a time: for going through a type without an index.
 * @param partition from 0 to `ROW_PARTITIONS` - 1
 * @param startAfter where the last page ended
 */
export const listPartition = (
  replicableName: string,
  partition: number,
  limit: number,
  startAfter?: Item,
): QueryRequest => ({
  condition: "pk = :pk",
  values: { ":pk": rowPartition(replicableName, partition) },
  limit,
  ...(startAfter === undefined ? {} : { startAfter }),
});
