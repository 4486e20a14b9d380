import { createHash } from "node:crypto";
import { SITE_TABLE_PARTITIONS } from "../../geo/physical-names.ts";
import type { Amount, CountedTable } from "../../geo/counters.ts";
import type { Item, ItemKey } from "../../ports/table.ts";

/**
 * How the site table holds counts. One counter item belongs to a fixed slot, and a stream shard to the slot that its name
 * hashes to: shards come and go every few hours, so an item for each would make a status read dearer every day, while
 * this stays at `COUNTER_SLOTS` items for ever and needs nobody to fold old ones together.
 *
 * - `c#<cell>`: rows in the cell, `b#<cell>`: their bytes
 * - `hw#<shard>`: the shard's high-water mark, `<sequence number>@<ms of that change>`
 * - `as_of`: when the newest change that was counted here happened, in milliseconds
 *
 * Cells and marks stand in one item, so that both change in one atomic write.
 */
export const COUNTER_PARTITION = SITE_TABLE_PARTITIONS.counter;

/**
 * Counter items per counted table. A write costs about as many units as the item has KB and an item takes 1,000 units a
 * second: at 10 KB, eight allow some 800 batches a second, and a status read costs at most 20 units.
 */
export const COUNTER_SLOTS = 8;

/** Prefix of the sort keys of a table's counters. */
export const counterPrefix = (table: CountedTable): string => `${table}#`;

/** Where the counts of a stream shard stand. */
export const counterKey = (table: CountedTable, shard: string): ItemKey => {
  const slot = createHash("sha256").update(shard, "utf8").digest().readUInt8(0) % COUNTER_SLOTS;
  return { pk: COUNTER_PARTITION, sk: `${counterPrefix(table)}${slot}` };
};

/** How far a shard has been counted. */
export interface Mark {
  readonly sequenceNumber: string;
  /** Milliseconds since the epoch by the table's service; absent when it did not say. */
  readonly changedAt?: number;
}

/** The attribute that holds a shard's mark. */
export const markName = (shard: string): string => `hw#${shard}`;

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
  readonly cells: ReadonlyMap<string, Amount>;
  readonly marks: ReadonlyMap<string, Mark>;
  readonly asOf: number | undefined;
}

/** Reads a counter item; a missing one is a counter in which nothing has been counted. */
export const parseCounter = (item: Item | undefined): Counter => {
  const cells = new Map<string, Amount>();
  const marks = new Map<string, Mark>();
  for (const [name, value] of Object.entries(item ?? {})) {
    const cell = name.slice(2);
    const known = cells.get(cell) ?? { rows: 0, bytes: 0 };
    if (name.startsWith("c#") && typeof value === "number") cells.set(cell, { ...known, rows: value });
    if (name.startsWith("b#") && typeof value === "number") cells.set(cell, { ...known, bytes: value });
    const mark = name.startsWith("hw#") ? parseMark(value) : undefined;
    if (mark !== undefined) marks.set(name.slice(3), mark);
  }
  return { cells, marks, asOf: typeof item?.["as_of"] === "number" ? item["as_of"] : undefined };
};
