import pLimit from "p-limit";
import { readCells } from "./find-rows.ts";
import type { SearchedRows } from "./row-search.ts";

/** Searches of one caller at the same time. Each may hold thousands of rows. */
const SEARCHES_AT_ONCE = 4;

/**
 * For somebody who searches often at one moment, as a query for many types does: a few searches at a time, and the counts of
 * all types read once for all of them, when they are first asked for.
 */
export const sharingSearch = <Row>(searched: SearchedRows<Row>): SearchedRows<Row> => {
  let cells: ReturnType<typeof readCells> | undefined;
  const limit = pLimit(SEARCHES_AT_ONCE);
  return {
    ...searched,
    cells: () => (cells ??= readCells(searched)),
    turn: (search) => limit(search),
  };
};
