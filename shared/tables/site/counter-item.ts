import { createHash } from "node:crypto";
import { type Additions, COUNTED, LAG_LETTERS } from "../../geo/counter-slices.ts";
import { type Amount, cellName, type CountedTable, parseCellName } from "../../geo/counters.ts";
import { type CountedLag, eachPart } from "../../geo/lag-histogram.ts";
import { ROW_OUTCOMES, type RowOutcome } from "../../geo/row-outcomes.ts";
import { SITE_TABLE_PARTITIONS } from "../../geo/physical-names.ts";
import type { LagPart } from "../../geo/type-summary.ts";
import type { WaitingRows } from "../../geo/waiting-ages.ts";
import type { Item, ItemKey } from "../../ports/table.ts";

/**
 * How the site table holds counts. One counter item belongs to a type and a fixed slot, and a stream shard to the slot that
 * its name hashes to: shards come and go every few hours, so an item for each would make a status read dearer every day,
 * while this stays at `COUNTER_SLOTS` items for each type for ever and needs nobody to fold old ones together.
 *
 * - the numbers of `shared/geo/counter-slices.ts`
 * - `hw#<shard>`: the shard's high-water mark, `<sequence number>@<ms of that change>`
 * - `as_of`: when the newest change that was counted here happened, in milliseconds
 * - `clock`: the clock that rows which wait are counted by, in milliseconds; it never goes back
 *
 * Numbers and marks stand in one item, so that both change in one atomic write. A type has items of its own because a write
 * costs by the size of its item: who counts one type does not pay for forty others.
 */
export const COUNTER_PARTITION = SITE_TABLE_PARTITIONS.counter;

/**
 * Counter items per type. A write costs about as many units as the item has KB and an item takes 1,000 units a second: at
 * 2 KB, eight allow some 4,000 batches of one type a second.
 */
export const COUNTER_SLOTS = 8;

/** Prefix of the sort keys of a table's counters. */
export const counterPrefix = (table: CountedTable): string => `${table}#`;

/** Where the counts of one type from a stream shard stand. */
export const counterKey = (table: CountedTable, shard: string, replicableName: string): ItemKey => {
  const slot = createHash("sha256").update(shard, "utf8").digest().readUInt8(0) % COUNTER_SLOTS;
  return { pk: COUNTER_PARTITION, sk: `${counterPrefix(table)}${slot}#${replicableName}` };
};

/** How far a shard has been counted. */
export interface Mark {
  readonly sequenceNumber: string;
  /** Milliseconds since the epoch by the table's service; absent when it did not say. */
  readonly changedAt?: number;
}

const MARK_PREFIX = "hw#";

/** The attribute that holds a shard's mark. */
export const markName = (shard: string): string => `${MARK_PREFIX}${shard}`;

/** A mark as it is stored. */
export const formatMark = (mark: Mark): string => `${mark.sequenceNumber}@${mark.changedAt ?? ""}`;

const MARK = /^(?<sequenceNumber>\d+)@(?<changedAt>\d*)$/;

const parseMark = (stored: unknown): Mark | undefined => {
  const { sequenceNumber, changedAt } = (typeof stored === "string" && MARK.exec(stored)?.groups) || {};
  if (sequenceNumber === undefined) return undefined;
  return changedAt ? { sequenceNumber, changedAt: Number(changedAt) } : { sequenceNumber };
};

/** A counter item, read. */
export interface Counter {
  readonly replicableName: string;
  /** By the name of a cell. */
  readonly cells: ReadonlyMap<string, Amount>;
  /** Rows that wait, by granule: with those in which nobody waits any more, until they are cleared away. */
  readonly waiting: WaitingRows;
  readonly lag: Readonly<Record<LagPart, CountedLag>>;
  /** How often what became of rows, since the counters began. */
  readonly outcomes: ReadonlyMap<RowOutcome, number>;
  readonly marks: ReadonlyMap<string, Mark>;
  readonly asOf: number | undefined;
  /** Milliseconds since the epoch; undefined before anything was counted. */
  readonly clock: number | undefined;
  /** How many changes have been counted here. */
  readonly changes: number;
}

const numberIn = (item: Item | undefined, name: string): number | undefined => {
  const value = item?.[name];
  return typeof value === "number" ? value : undefined;
};

/** The numbers whose name has a prefix, by what comes after it. */
const numbersOf = (item: Item | undefined, prefix: string): Additions =>
  new Map(
    Object.entries(item ?? {}).flatMap(([name, value]) =>
      name.startsWith(prefix) && typeof value === "number" ? [[name.slice(prefix.length), value] as const] : [],
    ),
  );

const cellsOf = (item: Item | undefined, replicableName: string): ReadonlyMap<string, Amount> => {
  const rows = numbersOf(item, COUNTED.rows);
  const bytes = numbersOf(item, COUNTED.bytes);
  return new Map(
    [...new Set([...rows.keys(), ...bytes.keys()])].flatMap((states) => {
      const cell = parseCellName(`${replicableName}#${states}`);
      if (cell === undefined) return [];
      return [[cellName(cell), { rows: rows.get(states) ?? 0, bytes: bytes.get(states) ?? 0 }] as const];
    }),
  );
};

/** Reads the counter of a type; a missing item is a counter in which nothing has been counted. */
export const parseCounter = (item: Item | undefined, replicableName: string): Counter => ({
  replicableName,
  cells: cellsOf(item, replicableName),
  waiting: numbersOf(item, COUNTED.waiting),
  lag: eachPart((part) => ({
    buckets: new Map(
      [...numbersOf(item, `${COUNTED.lag}${LAG_LETTERS[part]}`)].map(([bucket, count]) => [Number(bucket), count]),
    ),
    sumMs: numberIn(item, `${COUNTED.lagSum}${LAG_LETTERS[part]}`) ?? 0,
  })),
  outcomes: new Map(
    ROW_OUTCOMES.map((outcome, place) => [outcome, numberIn(item, `${COUNTED.outcomes}${place}`) ?? 0]),
  ),
  marks: new Map(
    Object.entries(item ?? {}).flatMap(([name, value]) => {
      const mark = name.startsWith(MARK_PREFIX) ? parseMark(value) : undefined;
      return mark === undefined ? [] : [[name.slice(MARK_PREFIX.length), mark] as const];
    }),
  ),
  asOf: numberIn(item, "as_of"),
  clock: numberIn(item, "clock"),
  changes: numberIn(item, COUNTED.changes) ?? 0,
});

const SORT_KEY = /^\w+#\d+#(?<replicableName>[^#]+)$/;

/** Reads a counter item by its key; nothing when it is not one. */
export const parseCounterItem = (item: Item): Counter | undefined => {
  const { sk } = item;
  const { replicableName } = (typeof sk === "string" && SORT_KEY.exec(sk)?.groups) || {};
  return replicableName === undefined ? undefined : parseCounter(item, replicableName);
};
