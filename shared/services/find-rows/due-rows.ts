import pMap from "p-map";
import { duePartitions } from "../../geo/registry-row.ts";
import { comparePlaces } from "../../geo/row-place.ts";
import type { Item, ItemKey } from "../../ports/table.ts";
import { listDue } from "../../tables/list-due.ts";
import {
  finished,
  fitting,
  type FoundRow,
  idPlace,
  isItemKey,
  isWithin,
  PAGE_ROWS_READ_MAX,
  type RowFilter,
  type RowPage,
  type RowSearch,
  type SearchedRows,
  travelled,
} from "./row-search.ts";

/**
 * Most keys that are read of the due index for one page: the index holds keys alone, of some 100 bytes, so that this is 2 MB
 * and 250 read units.
 */
export const DUE_KEYS_MAX = 20_000;

/** Partitions of the index asked at the same time, and keys of one answer. */
const AT_ONCE = 8;
const QUERY_KEYS = 1_000;

/** Rows fetched at the same time. */
const FETCH_ROWS = 200;

const UNSETTLED: ReadonlySet<string> = new Set(["pending", "started", "failed"]);

/** Whether rows that are searched for stand in the due index, all of them: whatever is pending, under way or failed does. */
export const isUnsettled = ({ replicationState, verificationState }: RowFilter): boolean =>
  UNSETTLED.has(replicationState ?? "") || UNSETTLED.has(verificationState ?? "");

/**
 * The keys of all rows of a type that are not settled, in no order; undefined when there are more than `most`.
 * @throws TableUnavailableError
 */
export const dueKeys = async <Row>(
  { rows }: SearchedRows<Row>,
  replicableName: string,
  most = DUE_KEYS_MAX,
): Promise<readonly ItemKey[] | undefined> => {
  const keys = new Map<string, ItemKey>(); // one that is put off meanwhile may be met twice
  const readPartition = async (partition: string): Promise<void> => {
    let startAfter: Item | undefined;
    do {
      const page = await rows.query(listDue(partition, Number.MAX_SAFE_INTEGER, QUERY_KEYS, startAfter));
      for (const { pk, sk } of page.items.filter(isItemKey)) keys.set(sk, { pk, sk });
      startAfter = page.next;
    } while (startAfter !== undefined && keys.size <= most);
  };
  await pMap(duePartitions(replicableName), readPartition, { concurrency: AT_ONCE });
  return keys.size > most ? undefined : [...keys.values()];
};

/** Fetches rows by their keys, those that fit, in no order. */
export const rowsOf = async <Row>(
  searched: SearchedRows<Row>,
  { filter, page }: RowSearch,
  keys: readonly ItemKey[],
): Promise<readonly FoundRow<Row>[]> =>
  fitting(searched, filter, page.order, keys.length === 0 ? [] : await searched.rows.getMany(keys));

/**
 * A page of rows that are not settled, in the order of ids. The index is ordered by when rows are due, which every attempt
 * changes; so all of its keys are read and put in order, which is cheap as long as there are not many.
 * @returns undefined when there are too many for that
 */
export const dueRows = async <Row>(
  searched: SearchedRows<Row>,
  search: RowSearch,
): Promise<RowPage<Row> | undefined> => {
  const { filter, page } = search;
  const keys = await dueKeys(searched, filter.replicableName);
  if (keys === undefined) return undefined;
  const compare = comparePlaces(travelled(page));
  const ahead = keys
    .map((key) => ({ key, place: idPlace(key) }))
    .filter(({ place }) => isWithin(page, place))
    .toSorted((left, right) => compare(left.place, right.place));
  const found: FoundRow<Row>[] = [];
  for (let looked = 0; looked < ahead.length; looked += FETCH_ROWS) {
    if (looked >= PAGE_ROWS_READ_MAX) return finished(found, true, ahead[looked - 1]?.place, page);
    const rows = await rowsOf(
      searched,
      search,
      ahead.slice(looked, looked + FETCH_ROWS).map(({ key }) => key),
    );
    const room = page.size - found.length;
    found.push(...rows.toSorted((left, right) => compare(left.place, right.place)).slice(0, room));
    if (rows.length > room) return finished(found, true, found.at(-1)?.place, page);
  }
  return finished(found, false, found.at(-1)?.place, page);
};
