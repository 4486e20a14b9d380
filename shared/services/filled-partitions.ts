import type { CountedTable } from "../geo/counters.ts";
import { TableUnavailableError } from "../geo/errors.ts";
import { formatPartitionSet, parsePartitionSet } from "../geo/partition-set.ts";
import type { Table } from "../ports/table.ts";
import { filledPartitionsKey, writePartitionSet } from "../tables/site/filled-partitions-item.ts";

/** How often a set is read again because somebody else has added to it; each time it has grown. */
const REFUSALS_MAX = 20;

/**
 * Partitions that are known to be filled, by table and type. Since they stay filled, whoever knows of one need not look: kept
 * for as long as a process lives.
 */
export type KnownPartitions = Map<string, Set<number>>;

const storedSet = async (
  siteTable: Pick<Table, "get">,
  table: CountedTable,
  typeName: string,
): Promise<{ readonly text: string | undefined; readonly partitions: ReadonlySet<number> }> => {
  const stored = (await siteTable.get(filledPartitionsKey(table, typeName)))?.["partitions"];
  const text = typeof stored === "string" ? stored : undefined;
  return { text, partitions: parsePartitionSet(text) };
};

/**
 * Which of a type's row partitions hold rows or have ever held some, ascending: what goes through all rows of a type asks
 * these alone. None that holds a row is missing but those of the last moments, which the counters have yet to see.
 *
 * @throws TableUnavailableError when the site table did not answer
 */
export const filledPartitions = async (
  siteTable: Pick<Table, "get">,
  table: CountedTable,
  typeName: string,
): Promise<readonly number[]> => {
  const { partitions } = await storedSet(siteTable, table, typeName);
  return [...partitions].sort((left, right) => left - right);
};

/**
 * Adds to the filled partitions of a type. They only ever grow, and each write is made of what it replaces: so it does not
 * matter who adds what, how often and in which order. Writes only what is new, which a partition is once.
 *
 * @returns how many were new
 * @throws TableUnavailableError when the site table did not answer, or others kept adding
 */
export const fillPartitions = async (
  siteTable: Pick<Table, "get" | "update">,
  table: CountedTable,
  typeName: string,
  partitions: readonly number[],
  known: KnownPartitions = new Map(),
): Promise<number> => {
  const id = `${table}#${typeName}`;
  const isUnknown = (partition: number): boolean => known.get(id)?.has(partition) !== true;
  if (!partitions.some(isUnknown)) return 0;
  let stored = await storedSet(siteTable, table, typeName);
  for (let refusals = 0; refusals <= REFUSALS_MAX; refusals += 1) {
    const { text, partitions: filled } = stored;
    const fresh = new Set(partitions.filter((partition) => !filled.has(partition)));
    const all = new Set([...filled, ...fresh]);
    const isWritten =
      fresh.size === 0 ||
      (await siteTable.update(writePartitionSet(table, typeName, text, formatPartitionSet(all)))).outcome === "written";
    if (isWritten) {
      known.set(id, all);
      return fresh.size;
    }
    stored = await storedSet(siteTable, table, typeName);
  }
  throw new TableUnavailableError(
    `the filled partitions of ${typeName} were changed by somebody else ${REFUSALS_MAX + 1} times in a row; ` +
      "expected a few writers, each of which adds to them once in a while. The batch will be delivered again.",
  );
};
