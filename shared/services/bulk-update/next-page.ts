import {
  BULK_DUE_WINDOW_MS,
  BULK_PAGE_ROWS,
  type BulkCursor,
  type BulkUpdate,
  cursorAfter,
  partitionsOf,
} from "../../geo/bulk-progress.ts";
import { sourceOf } from "../../geo/bulk-selection.ts";
import { duePartitions, rowKey } from "../../geo/registry-row.ts";
import type { Item, ItemKey, QueryPage } from "../../ports/table.ts";
import { listDue } from "../../tables/list-due.ts";
import { listPartition } from "../../tables/list-partition.ts";
import type { BulkSite } from "./bulk-site.ts";

/** Rows of one type that were read together. */
export interface RowPage {
  readonly replicableName: string;
  /** At most `BULK_PAGE_ROWS`. */
  readonly items: readonly Item[];
  /** Where it goes on; undefined: there is nothing more. */
  readonly next: BulkCursor | undefined;
  /** How many partitions were read to their ends. */
  readonly partitions: number;
}

const isKey = (item: Item): item is Item & ItemKey => typeof item["pk"] === "string" && typeof item["sk"] === "string";

const queryPartition = async (
  { rows }: BulkSite,
  { selection, askedAt }: BulkUpdate,
  replicableName: string,
  partition: number,
  limit: number,
  startAfter: Item | undefined,
): Promise<QueryPage> => {
  if (sourceOf(selection) === "partitions") {
    return rows.query(listPartition(replicableName, partition, limit, startAfter));
  }
  const until = askedAt + BULK_DUE_WINDOW_MS;
  const [due = ""] = duePartitions(replicableName).slice(partition);
  const page = await rows.query(listDue(due, until, limit, startAfter));
  // The index has the keys alone.
  const items = await rows.getMany(page.items.filter(isKey).map(({ pk, sk }) => ({ pk, sk })));
  return page.next === undefined ? { items } : { items, next: page.next };
};

const pageOfKeys = async ({ rows }: BulkSite, { selection }: BulkUpdate): Promise<RowPage> => {
  const [replicableName = ""] = selection.replicableNames;
  const keys = (selection.keys ?? []).map((key) => rowKey({ replicableName, key }));
  return { replicableName, items: await rows.getMany(keys), next: undefined, partitions: 1 };
};

/** What is stored of a place to go on from: names and numbers, as DynamoDB hands them out. */
const placeOf = (next: Item): BulkCursor["startAfter"] =>
  Object.fromEntries(
    Object.entries(next).filter(
      (entry): entry is [string, string | number] => typeof entry[1] === "string" || typeof entry[1] === "number",
    ),
  );

/**
 * Reads the next rows: one page of a partition that has more than that, or several partitions that have less. At most a
 * page of rows is in memory, whatever the partitions hold.
 *
 * @param width how many partitions to ask at once (`nextWidth`)
 */
export const nextPage = async (site: BulkSite, update: BulkUpdate, width: number): Promise<RowPage> => {
  const { selection, cursor } = update;
  if (sourceOf(selection) === "keys") return pageOfKeys(site, update);
  const replicableName = selection.replicableNames[cursor.type] ?? "";
  const count = cursor.startAfter === undefined ? Math.min(width, partitionsOf(selection) - cursor.partition) : 1;
  const limit = Math.floor(BULK_PAGE_ROWS / count);
  const pages = await Promise.all(
    Array.from({ length: count }, (_, index) =>
      queryPartition(site, update, replicableName, cursor.partition + index, limit, cursor.startAfter),
    ),
  );
  const full = pages.findIndex(({ next }) => next !== undefined);
  const last = pages[full];
  // What was read behind a partition that has more is read again: the cursor has to stand in one place.
  if (last?.next !== undefined) {
    const items = pages.slice(0, full + 1).flatMap((page) => page.items);
    const startAfter = placeOf(last.next);
    const next = {
      type: cursor.type,
      partition: cursor.partition + full,
      ...(startAfter === undefined ? {} : { startAfter }),
    };
    return { replicableName, items, next, partitions: full };
  }
  const next = cursorAfter(selection, cursor, count);
  return { replicableName, items: pages.flatMap(({ items }) => items), next, partitions: count };
};
