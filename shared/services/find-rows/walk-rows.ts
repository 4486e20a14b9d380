import { rowPartition } from "../../geo/registry-row.ts";
import type { RowPlace } from "../../geo/row-place.ts";
import type { Item, QueryPage } from "../../ports/table.ts";
import { listPartition } from "../../tables/list-partition.ts";
import { filledPartitions } from "../filled-partitions.ts";
import {
  finished,
  fitting,
  type FoundRow,
  idPlace,
  isItemKey,
  isWithin,
  PAGE_QUERIES_MAX,
  PAGE_ROWS_READ_MAX,
  type PageWanted,
  type RowPage,
  type RowSearch,
  type SearchedRows,
  travelled,
} from "./row-search.ts";

/** Partitions asked at the same time, at most. */
const WIDTH_MAX = 32;
const WIDTH_GROWTH = 4;

/** What the last round of queries came to. */
interface Round {
  readonly width: number;
  /** Rows of the fullest of its partitions. */
  readonly most: number;
  /** Every partition was read to its end, from its beginning. */
  readonly isWhole: boolean;
}

/**
 * How many partitions to ask next. What is asked of the ones behind a full one is read in vain, so that more are asked only
 * while all of them together hold no more than one query returns; of a type with many rows one at a time.
 */
const nextWidth = ({ width, most, isWhole }: Round): number => {
  if (!isWhole || most * width > QUERY_ROWS_MAX * WIDTH_GROWTH) return 1;
  return most * width * WIDTH_GROWTH > QUERY_ROWS_MAX ? width : Math.min(WIDTH_MAX, width * WIDTH_GROWTH);
};

/** Rows of one query: fewer than what DynamoDB returns at once (1 MB), more than a page. */
const QUERY_ROWS_MAX = 250;

/** What one search may still cost. */
interface Effort {
  readonly queries: number;
  readonly rows: number;
}

/** The partitions that are still to be asked, in the direction of travel. */
const partitionsAhead = (
  partitions: readonly number[],
  { from, until }: PageWanted,
  descending: boolean,
): readonly number[] => {
  const sign = descending ? -1 : 1;
  const isAhead = (partition: number): boolean =>
    from === undefined || sign * (partition - from.partition) > (from.key === undefined ? 0 : -1);
  const isWanted = (partition: number): boolean =>
    until === undefined || sign * (until.partition - partition) > (until.key === undefined ? 0 : -1);
  return partitions
    .filter((partition) => isAhead(partition) && isWanted(partition))
    .toSorted((left, right) => sign * (left - right));
};

/** Where a partition is taken up that was left in the middle. */
const startIn = (replicableName: string, partition: number, from: RowPlace | undefined): Item | undefined =>
  from?.partition === partition && from.key !== undefined
    ? { pk: rowPartition(replicableName, partition), sk: from.key }
    : undefined;

/** The place behind the last row that a query has read: in the partition, or behind all of it. */
const placeAfter = (partition: number, { next }: QueryPage): RowPlace =>
  next !== undefined && isItemKey(next) ? idPlace(next) : { partition };

/**
 * Goes through the partitions of a type that hold rows, in the order of ids or against it, until a page is full, nothing is
 * left, or the effort for a page is spent. In memory are at most the rows of one round of queries.
 *
 * @param effort what it may cost; the bounds of a page, if nobody says otherwise
 * @throws TableUnavailableError
 */
export const walkRows = async <Row>(
  searched: SearchedRows<Row>,
  { filter, page }: RowSearch,
  effort: Effort = { queries: PAGE_QUERIES_MAX, rows: PAGE_ROWS_READ_MAX },
): Promise<RowPage<Row>> => {
  const { replicableName } = filter;
  const { descending } = travelled(page);
  const filled = await filledPartitions(searched.siteTable, searched.kind.table, replicableName);
  const partitions = partitionsAhead(filled, page, descending);
  const found: FoundRow<Row>[] = [];
  const left = { ...effort };
  let reached = page.from;
  let index = 0;
  let width = 1;
  while (index < partitions.length) {
    if (left.queries <= 0 || left.rows <= 0) return finished(found, true, reached, page);
    const start = reached;
    const resumes = start?.key !== undefined && start.partition === partitions[index];
    const asked = partitions.slice(index, index + Math.min(resumes ? 1 : width, left.queries));
    const limit = Math.max(1, Math.min(QUERY_ROWS_MAX, Math.floor(left.rows / asked.length)));
    const pages = await Promise.all(
      asked.map((partition) =>
        searched.rows.query({
          ...listPartition(replicableName, partition, limit, startIn(replicableName, partition, start)),
          descending,
        }),
      ),
    );
    left.queries -= asked.length;
    // Of those too that are thrown away below.
    left.rows -= pages.reduce((sum, { items }) => sum + items.length, 0);
    let isWhole = !resumes;
    for (const [number, read] of pages.entries()) {
      const fit = fitting(searched, filter, page.order, read.items);
      const within = fit.filter(({ place }) => isWithin(page, place));
      const room = page.size - found.length;
      found.push(...within.slice(0, room));
      if (within.length > room) return finished(found, true, found.at(-1)?.place, page);
      reached = placeAfter(asked[number] ?? 0, read);
      if (read.next === undefined) {
        index += 1;
      } else if (isWithin(page, reached)) {
        isWhole = false;
        break; // what was read of the partitions behind is read again in its turn
      } else {
        return finished(found, false, found.at(-1)?.place, page);
      }
    }
    width = nextWidth({ width, most: Math.max(...pages.map(({ items }) => items.length)), isWhole });
  }
  return finished(found, false, found.at(-1)?.place, page);
};
