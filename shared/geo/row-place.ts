import { compareUtf8 } from "./utf8-order.ts";

/**
 * Where a row stands in an order of rows. Rows are ordered by their partition and then by their key, as DynamoDB has them:
 * an order that no write of a row changes, so that whoever goes through it page by page sees each row once, whatever is
 * written meanwhile. An order by time puts that in front.
 */
export interface RowPlace {
  /** From 0 to `ROW_PARTITIONS` - 1. */
  readonly partition: number;
  /** The S3 key. Absent: all of the partition is passed, whichever way one goes. */
  readonly key?: string;
  /** In an order by time: the row's, in milliseconds since the epoch; null when it has none. */
  readonly time?: number | null;
}

/** An order in which rows can be listed. */
export interface RowOrder {
  readonly by: "id" | "last_synced_at" | "verified_at";
  readonly descending: boolean;
}

/** The order of ids, which is how rows stand in their table. */
export const compareIds = (left: RowPlace, right: RowPlace): number =>
  left.partition - right.partition || compareUtf8(left.key ?? "", right.key ?? "");

/** A row without a time comes last when times ascend, as in PostgreSQL. */
const timeRank = ({ time }: RowPlace): number => time ?? Number.POSITIVE_INFINITY;

const compareTimes = (left: RowPlace, right: RowPlace): number => {
  const [a, b] = [timeRank(left), timeRank(right)];
  return a === b ? compareIds(left, right) : a < b ? -1 : 1;
};

/** Compares places of rows (each with its key) in an order: negative when the left one comes first. */
export const comparePlaces =
  ({ by, descending }: RowOrder) =>
  (left: RowPlace, right: RowPlace): number => {
    const compared = by === "id" ? compareIds(left, right) : compareTimes(left, right);
    return descending ? -compared : compared;
  };

/** Whether a row at `place` comes behind `from` when one goes through `order`. */
export const isBehind = (order: RowOrder, place: RowPlace, from: RowPlace): boolean => {
  if (order.by === "id" && from.key === undefined) {
    return order.descending ? place.partition < from.partition : place.partition > from.partition;
  }
  return comparePlaces(order)(place, from) > 0;
};

/** Whether a row at `place` comes in front of `until`. */
export const isInFront = (order: RowOrder, place: RowPlace, until: RowPlace): boolean =>
  isBehind({ ...order, descending: !order.descending }, place, until);
