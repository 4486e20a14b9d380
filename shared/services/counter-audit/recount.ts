import pMap from "p-map";
import { newestTimeOf, tallyRows } from "../../geo/counter-audit.ts";
import { RECORDS_PER_PAGE } from "../../geo/limits.ts";
import { formatPartitionSet, parsePartitionSet } from "../../geo/partition-set.ts";
import { ROW_PARTITIONS } from "../../geo/registry-row.ts";
import type { Table } from "../../ports/table.ts";
import type { Item } from "../../ports/table.ts";
import { listPartition } from "../../tables/list-partition.ts";
import type { OpenAudit } from "../../tables/site/counter-audit-item.ts";

/** Partitions that are read at the same time. Few, since what is remembered is whole partitions: a large type's hold 240,000 rows. */
export const PARTITIONS_IN_FLIGHT = 4;

/** What was found in one partition. */
interface FoundInPartition {
  readonly partition: number;
  readonly rows: number;
  readonly newestRowAt: number;
  readonly tally: ReadonlyMap<string, number>;
}

const recountPartition = async (
  rows: Pick<Table, "query">,
  replicableName: string,
  partition: number,
  clock: number,
): Promise<FoundInPartition> => {
  const tally = new Map<string, number>();
  let found = 0;
  let newestRowAt = 0;
  let startAfter: Item | undefined;
  do {
    const { items, next } = await rows.query(listPartition(replicableName, partition, RECORDS_PER_PAGE, startAfter));
    tallyRows(tally, items, clock);
    for (const item of items) newestRowAt = Math.max(newestRowAt, newestTimeOf(item));
    found += items.length;
    startAfter = next;
  } while (startAfter !== undefined);
  return { partition, rows: found, newestRowAt, tally };
};

/**
 * Goes on with a recount by a few partitions.
 *
 * @param rows the counted table
 * @throws TableUnavailableError when it did not answer: they are read again
 */
export const recountSome = async (
  rows: Pick<Table, "query">,
  replicableName: string,
  open: OpenAudit,
): Promise<OpenAudit> => {
  const partitions = Array.from(
    { length: Math.min(PARTITIONS_IN_FLIGHT, ROW_PARTITIONS - open.partition) },
    (_, next) => open.partition + next,
  );
  const found = await pMap(partitions, (one) => recountPartition(rows, replicableName, one, open.clock));
  const tally = new Map(Object.entries(open.tally));
  for (const [name, number] of found.flatMap((one) => [...one.tally])) tally.set(name, (tally.get(name) ?? 0) + number);
  const filled = found.filter((one) => one.rows > 0).map((one) => one.partition);
  return {
    ...open,
    partition: open.partition + partitions.length,
    newestRowAt: Math.max(open.newestRowAt, ...found.map((one) => one.newestRowAt)),
    tally: Object.fromEntries(tally),
    filled: filled.length === 0 ? open.filled : formatPartitionSet([...parsePartitionSet(open.filled), ...filled]),
  };
};
