import { type CountedCell, sumCells } from "../../geo/counters.ts";
import { ROW_PARTITIONS, rowKey } from "../../geo/registry-row.ts";
import { REPLICATION_STATE } from "../../geo/replication-state.ts";
import { VERIFICATION_STATE } from "../../geo/verification-state.ts";
import { listCounters } from "../../tables/site/list-counters.ts";
import { dueKeys, dueRows, isUnsettled, rowsOf } from "./due-rows.ts";
import {
  type FoundRow,
  PAGE_QUERIES_MAX,
  PAGE_ROWS_READ_MAX,
  pageOf,
  type RowFilter,
  type RowPage,
  type RowSearch,
  type SearchedRows,
} from "./row-search.ts";
import { walkRows } from "./walk-rows.ts";

/** Most rows that are put in order by a time: there is no index by time, so they are sorted in memory. */
export const SORTED_ROWS_MAX = 1_000;

/** A page, or why there is none. */
export type RowsFound<Row> = RowPage<Row> | { readonly problem: string };

const keysOf = ({ replicableName, keys = [] }: RowFilter) =>
  [...new Set(keys)].map((key) => rowKey({ replicableName, key }));

const tooMany = (what: string): { readonly problem: string } => ({
  problem:
    `only up to ${SORTED_ROWS_MAX} rows can be ordered by time, and ${what};` +
    " choose fewer by ids, or by a state of which there are few such as FAILED, or order by id",
});

/** The cells of every type, by its name. */
export const readCells = async <Row>(
  searched: Pick<SearchedRows<Row>, "siteTable" | "kind">,
): Promise<ReadonlyMap<string, readonly CountedCell[]>> => {
  const counters = await listCounters(searched.siteTable, searched.kind.table);
  return sumCells(counters.map(({ cells }) => cells));
};

/** All cells of a type. */
const cellsOf = async <Row>(searched: SearchedRows<Row>, replicableName: string): Promise<readonly CountedCell[]> => {
  const cells = await (searched.cells?.() ?? readCells(searched));
  return cells.get(replicableName) ?? [];
};

const rowsIn = (cells: readonly CountedCell[]): number =>
  Math.max(
    0,
    cells.reduce((sum, { rows }) => sum + rows, 0),
  );

/** All rows that fit, for putting them in order: when reading them is not too much. */
const allRows = async <Row>(
  searched: SearchedRows<Row>,
  search: RowSearch,
): Promise<readonly FoundRow<Row>[] | { readonly problem: string }> => {
  const { filter } = search;
  if (isUnsettled(filter)) {
    const keys = await dueKeys(searched, filter.replicableName, PAGE_ROWS_READ_MAX);
    if (keys === undefined) return tooMany(`more than ${PAGE_ROWS_READ_MAX} of this type are not settled`);
    return rowsOf(searched, search, keys);
  }
  const there = rowsIn(await cellsOf(searched, filter.replicableName));
  const tooManyThere = tooMany(`this type has more than ${PAGE_ROWS_READ_MAX}`);
  if (there > PAGE_ROWS_READ_MAX) return tooManyThere;
  const whole = { size: PAGE_ROWS_READ_MAX, order: search.page.order, backwards: false };
  const effort = { queries: ROW_PARTITIONS + PAGE_QUERIES_MAX, rows: PAGE_ROWS_READ_MAX + 1 };
  const walked = await walkRows(searched, { filter, page: whole }, effort);
  // The counts are seconds old: there may be more by now.
  return walked.more ? tooManyThere : walked.rows;
};

/**
 * Rows of one type that fit, a page at a time. Never reads a whole table:
 * - rows whose keys are named are looked up
 * - rows that are not settled are found by the due index
 * - all others by the partitions that hold rows, in the order of ids; a page has its bounds (`PAGE_QUERIES_MAX`,
 *   `PAGE_ROWS_READ_MAX`), so that one whose rows are rare may hold fewer than were asked for and have more behind it
 * - an order by time is made in memory, of at most `SORTED_ROWS_MAX` rows; more are refused in words that say what to do
 *
 * @throws TableUnavailableError
 */
export const findRows = async <Row>(searched: SearchedRows<Row>, search: RowSearch): Promise<RowsFound<Row>> =>
  searched.turn === undefined ? find(searched, search) : searched.turn(() => find(searched, search));

const find = async <Row>(searched: SearchedRows<Row>, search: RowSearch): Promise<RowsFound<Row>> => {
  const { filter, page } = search;
  if (filter.keys !== undefined) return pageOf(await rowsOf(searched, search, keysOf(filter)), page);
  if (page.order.by !== "id") {
    const rows = await allRows(searched, search);
    if ("problem" in rows) return rows;
    return rows.length > SORTED_ROWS_MAX ? tooMany(`${rows.length} fit`) : pageOf(rows, page);
  }
  const unsettled = isUnsettled(filter) ? await dueRows(searched, search) : undefined;
  return unsettled ?? walkRows(searched, search);
};

const isIn =
  ({ replicationState, verificationState }: RowFilter) =>
  (cell: CountedCell): boolean =>
    (replicationState === undefined || cell.state === REPLICATION_STATE[replicationState]) &&
    (verificationState === undefined || cell.verificationState === VERIFICATION_STATE[verificationState]);

/**
 * How many rows fit. Read from the counters, which costs the same at any number of rows and is seconds old; rows whose keys
 * are named are looked up.
 * @throws TableUnavailableError
 */
export const countRows = async <Row>(searched: SearchedRows<Row>, filter: RowFilter): Promise<number> => {
  if (filter.keys === undefined) return rowsIn((await cellsOf(searched, filter.replicableName)).filter(isIn(filter)));
  const page = { size: 1, order: { by: "id", descending: false }, backwards: false } as const;
  return (await rowsOf(searched, { filter, page }, keysOf(filter))).length;
};
