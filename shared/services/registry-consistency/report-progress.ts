import { walkProgress, type WalkProgress } from "../../geo/walk-progress.ts";
import type { Item, Table } from "../../ports/table.ts";
import { isRangeOf, parseRange, parseWalk, type Walk } from "../../tables/site/consistency-items.ts";
import { everyRangeQuery, walksQuery } from "../../tables/site/list-walks.ts";

/** A type, and how many rows the site has of it. */
export interface WalkedType {
  readonly name: string;
  readonly rows: number;
}

/** Queries of ranges in one report: 4,000 ranges are those of sixty types, all walked at once and cut as finely as can be. */
const RANGE_PAGES_MAX = 4;

const everyRange = async (siteTable: Pick<Table, "query">): Promise<readonly Item[]> => {
  const items: Item[] = [];
  let startAfter: Item | undefined;
  for (let pages = 0; pages < RANGE_PAGES_MAX; pages += 1) {
    const page = await siteTable.query({ ...everyRangeQuery(), ...(startAfter === undefined ? {} : { startAfter }) });
    items.push(...page.items);
    startAfter = page.next;
    if (startAfter === undefined) break;
  }
  return items;
};

/**
 * How far the walks of some types have come, by their names. One query for the walks, and while any of them is under way up
 * to four for their ranges, however many keys and rows there are.
 *
 * @param now milliseconds since the epoch
 * @throws TableUnavailableError, GeoError (GEO_UNREADABLE_ROW)
 */
export const reportProgress = async (
  siteTable: Pick<Table, "query">,
  types: readonly WalkedType[],
  now: number,
): Promise<Readonly<Record<string, WalkProgress>>> => {
  const walks = new Map<string, Walk>();
  for (const item of (await siteTable.query(walksQuery())).items) {
    const walk = parseWalk(item);
    if (walk !== undefined) walks.set(walk.replicableName, walk);
  }
  const isUnderWay = types.some(({ name }) => walks.has(name) && walks.get(name)?.finishedAt === undefined);
  const ranges = isUnderWay ? (await everyRange(siteTable)).map(parseRange) : [];
  return Object.fromEntries(
    types.map(({ name, rows }) => {
      const walk = walks.get(name);
      const own = walk === undefined ? [] : ranges.filter((range) => isRangeOf(walk, range));
      return [name, walkProgress(walk, own, rows, now)];
    }),
  );
};
