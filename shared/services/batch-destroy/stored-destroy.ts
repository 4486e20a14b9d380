import { GeoError } from "../../geo/errors.ts";
import type { Table } from "../../ports/table.ts";
import {
  destroyKey,
  type DestroyRecord,
  type DestroySlice,
  parseDestroy,
  parseSlice,
  putDestroy,
  putSlice,
  type ReadDestroy,
  type ReadSlice,
  sliceKey,
  slicesAfter,
} from "../../tables/site/destroy-record.ts";

/** Slices on one page: a page of DynamoDB holds 1 MB, and a slice's item some 600 bytes. */
const SLICES_PER_PAGE = 1_000;

/** The destroy of that id; undefined when there is none. */
export const readDestroy = async (table: Pick<Table, "get">, id: string): Promise<ReadDestroy | undefined> => {
  const item = await table.get(destroyKey(id));
  return item === undefined ? undefined : parseDestroy(item);
};

/** As `readDestroy`, for whoever was told that there is one. */
export const theDestroy = async (table: Pick<Table, "get">, id: string): Promise<ReadDestroy> => {
  const read = await readDestroy(table, id);
  if (read === undefined) throw new GeoError("GEO_DESTROY_REFUSED", `there is no destroy ${id}`);
  return read;
};

/** Writes the record on top of what was read; undefined when somebody else has written meanwhile. */
export const saveDestroy = async (
  table: Pick<Table, "put">,
  record: DestroyRecord,
  rev: number | undefined,
): Promise<ReadDestroy | undefined> => {
  const written = await table.put(...putDestroy(record, rev));
  return written.outcome === "written" ? parseDestroy(written.item) : undefined;
};

/** The slice of that number; undefined when it is not frozen (yet). */
export const readSlice = async (
  table: Pick<Table, "get">,
  id: string,
  number: number,
): Promise<ReadSlice | undefined> => {
  const item = await table.get(sliceKey(id, number));
  return item === undefined ? undefined : parseSlice(item);
};

/** As `saveDestroy`. */
export const saveSlice = async (
  table: Pick<Table, "put">,
  id: string,
  slice: DestroySlice,
  rev: number | undefined,
): Promise<ReadSlice | undefined> => {
  const written = await table.put(...putSlice(id, slice, rev));
  return written.outcome === "written" ? parseSlice(written.item) : undefined;
};

/** Every slice behind one, in order, a page in memory at a time. @param behind its number; default: from the first on */
export const eachSlice = async function* (
  table: Pick<Table, "query">,
  id: string,
  behind = 0,
): AsyncGenerator<ReadSlice> {
  for (let after = behind; ;) {
    const { items, next } = await table.query({ ...slicesAfter(id, after), limit: SLICES_PER_PAGE });
    const slices = items.map(parseSlice);
    yield* slices;
    const last = slices.at(-1);
    if (next === undefined || last === undefined) return;
    after = last.slice.number;
  }
};

/** Every slice once: those behind one first, and then those before it. */
export const eachSliceFrom = async function* (
  table: Pick<Table, "query">,
  id: string,
  behind: number,
): AsyncGenerator<ReadSlice> {
  yield* eachSlice(table, id, behind);
  for await (const read of eachSlice(table, id)) {
    if (read.slice.number > behind) return;
    yield read;
  }
};
