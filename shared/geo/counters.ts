import { REPLICATION_STATE } from "./replication-state.ts";
import type { SiteRole } from "./site-status.ts";

/**
 * Exact counts from a table's stream. Every change of a row takes it out of one cell and puts it into another, so that
 * the sum of all changes is the count of all rows, whatever the number of rows. Pure; what is written of it is decided by
 * `counter-slices.ts`, and `shared/services/count-changes.ts` runs that against the site table.
 */

/** The tables that are counted. */
export const COUNTED_TABLES = ["registry", "verification_state"] as const;
export type CountedTable = (typeof COUNTED_TABLES)[number];

/** The table that a site's rows are counted from. */
export const countedTable = (role: SiteRole): CountedTable => (role === "primary" ? "verification_state" : "registry");

/** One change of one row, as the table's stream tells it. A row that was created has no `before`, a purged one no `after`. */
export interface RowChange {
  /** A decimal number of any length. Grows along a stream shard, and has no meaning across shards. */
  readonly sequenceNumber: string;
  /** When the table's service saw the change, milliseconds since the epoch. */
  readonly changedAt?: number;
  readonly before?: Readonly<Record<string, unknown>>;
  readonly after?: Readonly<Record<string, unknown>>;
}

/** What a cell holds, or what is added to it. */
export interface Amount {
  readonly rows: number;
  /** Size of the rows' objects in bytes. Exact up to 2^53 (9 PB) in one cell. */
  readonly bytes: number;
}

/**
 * The rows of one type in one pair of states. Its name is `<type>#<state>#<verification_state>` with Geo's integers; the
 * primary's rows have no sync state, and `-` stands in its place.
 */
export interface Cell {
  readonly replicableName: string;
  readonly state: number | undefined;
  readonly verificationState: number;
}

const NO_STATE = "-";

/** The name of a cell, for example `cool_widget#2#2`. */
export const cellName = (cell: Cell): string =>
  `${cell.replicableName}#${cell.state ?? NO_STATE}#${cell.verificationState}`;

const CELL_NAME = /^(?<replicableName>[^#]+)#(?<state>\d+|-)#(?<verificationState>\d+)$/;

/** The cell of a name; nothing when it is not the name of a cell. */
export const parseCellName = (name: string): Cell | undefined => {
  const { replicableName, state, verificationState } = CELL_NAME.exec(name)?.groups ?? {};
  if (replicableName === undefined || state === undefined || verificationState === undefined) return undefined;
  return {
    replicableName,
    state: state === NO_STATE ? undefined : Number(state),
    verificationState: Number(verificationState),
  };
};

const isState = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

/**
 * The cell that a row is counted in. An `absent` row is a tombstone and counts as nothing; so does a row that can not be
 * read. Any mapping from rows to cells gives exact counts as long as it looks at nothing but the row: what is added when
 * a row appears is then what is taken away when it changes.
 */
export const cellOf = (row: RowChange["before"]): Cell | undefined => {
  if (row === undefined) return undefined;
  const { pk, state, verification_state: verificationState = 0 } = row;
  const prefix = typeof pk === "string" ? pk.lastIndexOf("#") : -1;
  if (typeof pk !== "string" || prefix < 1 || pk.indexOf("#") !== prefix) return undefined;
  if (!isState(verificationState) || (state !== undefined && !isState(state))) return undefined;
  if (state === REPLICATION_STATE.absent) return undefined;
  return { replicableName: pk.slice(0, prefix), state, verificationState };
};

/** The bytes that a row adds to its cell. */
export const sizeOf = (row: RowChange["before"]): number => (isState(row?.["src_size"]) ? row["src_size"] : 0);

const plus = (left: Amount | undefined, right: Amount): Amount => ({
  rows: (left?.rows ?? 0) + right.rows,
  bytes: (left?.bytes ?? 0) + right.bytes,
});

/** What is in a cell. */
export type CountedCell = Cell & Amount;

/**
 * Adds up the cells of several counters, by type. Each counter alone may go below zero, since a row may enter its cell
 * through one stream shard and leave it through another; only the sum means something.
 */
export const sumCells = (
  counters: readonly ReadonlyMap<string, Amount>[],
): ReadonlyMap<string, readonly CountedCell[]> => {
  const sums = new Map<string, Amount>();
  for (const [name, amount] of counters.flatMap((cells) => [...cells])) sums.set(name, plus(sums.get(name), amount));
  const cells = [...sums].flatMap(([name, amount]) => {
    const cell = parseCellName(name);
    return cell === undefined ? [] : [{ ...cell, ...amount }];
  });
  return Map.groupBy(cells, (cell) => cell.replicableName);
};
