import type { CountedTable } from "../../geo/counters.ts";
import { SITE_TABLE_PARTITIONS } from "../../geo/physical-names.ts";
import type { ItemKey, UpdateRequest } from "../../ports/table.ts";

/**
 * Where it stands which of a type's partitions are filled: one item for each type, with the set as one text
 * (`shared/geo/partition-set.ts`). Beside the counters, so that who may count may write it.
 */
export const filledPartitionsKey = (table: CountedTable, replicableName: string): ItemKey => ({
  pk: SITE_TABLE_PARTITIONS.counter,
  sk: `filled#${table}#${replicableName}`,
});

/** Replaces the set that was read. Refused when it is not that one any more: what somebody has added would be lost. */
export const writePartitionSet = (
  table: CountedTable,
  replicableName: string,
  seen: string | undefined,
  partitions: string,
): UpdateRequest => ({
  key: filledPartitionsKey(table, replicableName),
  update: "SET #partitions = :partitions",
  condition: seen === undefined ? "attribute_not_exists(#partitions)" : "#partitions = :seen",
  names: { "#partitions": "partitions" },
  values: { ":partitions": partitions, ...(seen === undefined ? {} : { ":seen": seen }) },
});
