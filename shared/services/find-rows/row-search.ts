import type { CountedCell } from "../../geo/counters.ts";
import { GeoError } from "../../geo/errors.ts";
import { rowPartitionNumber } from "../../geo/registry-row.ts";
import type { ReplicationState } from "../../geo/replication-state.ts";
import { comparePlaces, isBehind, isInFront, type RowOrder, type RowPlace } from "../../geo/row-place.ts";
import type { VerificationState } from "../../geo/verification-state.ts";
import type { Item, ItemKey, ManyReader, Table } from "../../ports/table.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import type { RowKind } from "./row-kind.ts";

/** Where rows are searched for. */
export interface SearchedRows<Row> {
  readonly kind: RowKind<Row>;
  /** The registry, or the primary's verification state. */
  readonly rows: Pick<Table, "query"> & ManyReader;
  /** This site's own table: the counts, and which partitions hold rows. */
  readonly siteTable: Pick<Table, "get" | "query">;
  readonly telemetry: Telemetry;
  /** The counts of every type. Default: read anew whenever they are needed. */
  readonly cells?: () => Promise<ReadonlyMap<string, readonly CountedCell[]>>;
  /** Lets a search begin when it is its turn. Default: at once. */
  readonly turn?: <Found>(search: () => Promise<Found>) => Promise<Found>;
}

/** What is searched for, in one type: a row has to fit all that is named. */
export interface RowFilter {
  readonly replicableName: string;
  /** Only rows of these S3 keys; any number, each looked up. */
  readonly keys?: readonly string[];
  readonly replicationState?: ReplicationState;
  readonly verificationState?: VerificationState;
}

/** Which part of what was found is wanted. */
export interface PageWanted {
  /** At most this many rows: 1 to `PAGE_ROWS_MAX`. */
  readonly size: number;
  readonly order: RowOrder;
  /** Against the order: the last rows, or those before a place. The rows are handed out in order all the same. */
  readonly backwards: boolean;
  /** Only rows behind this place, in the direction of travel. */
  readonly from?: RowPlace;
  /** Only rows in front of this place, in the direction of travel: as far as one may go. */
  readonly until?: RowPlace;
}

export interface RowSearch {
  readonly filter: RowFilter;
  readonly page: PageWanted;
}

export interface FoundRow<Row> {
  readonly row: Row;
  readonly place: RowPlace;
}

/** What a search came to. */
export interface RowPage<Row> {
  /** In the order that was asked for. */
  readonly rows: readonly FoundRow<Row>[];
  /** There may be more in the direction of travel. */
  readonly more: boolean;
  /**
   * How far the search has come, to go on behind it. Where all effort was spent on rows that do not fit this is not the place
   * of a row that was found. Absent: nothing was looked at.
   */
  readonly reached: RowPlace | undefined;
}

/** Most rows on a page, as in GitLab. */
export const PAGE_ROWS_MAX = 100;

/**
 * What one page may cost: so many queries, and so many rows read. A page that would cost more ends there and says that there
 * is more. Reading 5,000 rows of 1 KB costs some 1,250 read units and about a second.
 */
export const PAGE_QUERIES_MAX = 512;
export const PAGE_ROWS_READ_MAX = 5_000;

const fits = <Row>({ kind }: SearchedRows<Row>, filter: RowFilter, row: Row): boolean => {
  const traits = kind.traits(row);
  const { replicationState, verificationState } = filter;
  return (
    !traits.tombstone &&
    (replicationState === undefined || traits.replicationState === replicationState) &&
    (verificationState === undefined || traits.verificationState === verificationState)
  );
};

export const isItemKey = (item: Item): item is Item & ItemKey =>
  typeof item["pk"] === "string" && typeof item["sk"] === "string";

/** The place of an item in the order of ids. */
export const idPlace = ({ pk, sk }: ItemKey): Required<Pick<RowPlace, "partition" | "key">> => ({
  partition: rowPartitionNumber(pk),
  key: sk,
});

const timeOf = <Row>(kind: RowKind<Row>, row: Row, { by }: RowOrder): Pick<RowPlace, "time"> => {
  if (by === "id") return {};
  const { lastSyncedAt, verifiedAt } = kind.traits(row);
  return { time: (by === "last_synced_at" ? lastSyncedAt : verifiedAt) ?? null };
};

/** The rows among these items that fit. One that can not be read keeps nobody from seeing the others: it is logged. */
export const fitting = <Row>(
  searched: SearchedRows<Row>,
  filter: RowFilter,
  order: RowOrder,
  items: readonly Item[],
): readonly FoundRow<Row>[] =>
  items.flatMap((item) => {
    if (!isItemKey(item)) return [];
    try {
      const row = searched.kind.parse(item);
      if (!fits(searched, filter, row)) return [];
      return [{ row, place: { ...idPlace(item), ...timeOf(searched.kind, row, order) } }];
    } catch (error) {
      if (!(error instanceof GeoError)) throw error;
      searched.telemetry.error("a row was left out of a list: it can not be read", { reason: error.message });
      return [];
    }
  });

/** Which way a search goes through the order of its rows: with it, or against it. */
export const travelled = ({ order, backwards }: PageWanted): RowOrder => ({
  by: order.by,
  descending: order.descending !== backwards,
});

/** Whether a row at this place is between those of the page. */
export const isWithin = (page: PageWanted, place: RowPlace): boolean => {
  const order = travelled(page);
  const { from, until } = page;
  return (
    (from === undefined || isBehind(order, place, from)) && (until === undefined || isInFront(order, place, until))
  );
};

/** Cuts a page out of rows that are all there. */
export const pageOf = <Row>(found: readonly FoundRow<Row>[], page: PageWanted): RowPage<Row> => {
  const compare = comparePlaces(travelled(page));
  const rows = found
    .filter(({ place }) => isWithin(page, place))
    .toSorted((left, right) => compare(left.place, right.place));
  return finished(rows.slice(0, page.size), rows.length > page.size, rows[page.size - 1]?.place, page);
};

/** A page of rows that stand in the direction of travel, turned into the order that was asked for. */
export const finished = <Row>(
  rows: readonly FoundRow<Row>[],
  more: boolean,
  reached: RowPlace | undefined,
  { backwards }: PageWanted,
): RowPage<Row> => ({
  rows: backwards ? rows.toReversed() : rows,
  more,
  reached: reached ?? rows.at(-1)?.place,
});
