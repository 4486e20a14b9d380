import type { CountedCell } from "./counters.ts";
import type { GatheredStatus, GatheredType } from "./gathered-status.ts";
import { REPLICATION_STATE } from "./replication-state.ts";
import type { SiteRole } from "./site-status.ts";
import { VERIFICATION_STATE } from "./verification-state.ts";

/** What is told of a gathered status where people look and alarms listen: CloudWatch. Pure. */

/**
 * One type's numbers, as they are logged each minute, for bars and tables: a line is a thousandth of what as many metrics
 * would cost. Rows are those of the site's own table.
 */
export interface TypeGauges {
  readonly replicable_name: string;
  readonly rows: number;
  readonly bytes: number;
  /** Of a secondary; undefined at a primary, which syncs nothing. */
  readonly synced: number | undefined;
  readonly failed: number | undefined;
  readonly queued: number | undefined;
  readonly verified: number;
  readonly verification_failed: number;
  /** How long the oldest row has waited that is not synced, seconds; undefined when there is none. */
  readonly oldest_seconds: number | undefined;
  /** From the write to the verified replica, of the last hour; undefined when there was none. */
  readonly lag_p50_ms: number | undefined;
  readonly lag_p99_ms: number | undefined;
}

/** What a site's status comes to. */
export interface StatusGauges {
  /**
   * How long the oldest row of the site has waited that is not synced, seconds; 0 when none waits. Undefined at a primary, at
   * a secondary that is paused, where waiting is what was asked for, and when the counters could not be read.
   */
  readonly backlogAge: number | undefined;
  /** Types that have rows. */
  readonly types: readonly TypeGauges[];
}

const sumOf = (cells: readonly CountedCell[], of: (cell: CountedCell) => number): number =>
  // Counters are read one after the other while rows change: a sum may lack a row that has just left one of them.
  Math.max(
    0,
    cells.reduce((sum, cell) => sum + of(cell), 0),
  );

const rowsIn = (cells: readonly CountedCell[], isOne: (cell: CountedCell) => boolean): number =>
  sumOf(cells, (cell) => (isOne(cell) ? cell.rows : 0));

const syncOf = (role: SiteRole, cells: readonly CountedCell[]): Pick<TypeGauges, "synced" | "failed" | "queued"> => {
  if (role === "primary") return { synced: undefined, failed: undefined, queued: undefined };
  const { synced, failed, pending, started } = REPLICATION_STATE;
  return {
    synced: rowsIn(cells, ({ state }) => state === synced),
    failed: rowsIn(cells, ({ state }) => state === failed),
    queued: rowsIn(cells, ({ state }) => state === pending || state === started),
  };
};

const MS_PER_SECOND = 1_000;

const ageOf = ({ oldestUnsyncedTime }: GatheredType, now: number): number | undefined =>
  oldestUnsyncedTime === undefined ? undefined : Math.max(0, Math.round(now / MS_PER_SECOND - oldestUnsyncedTime));

const gaugesOf = (role: SiteRole, name: string, type: GatheredType, now: number): TypeGauges => {
  const { cells, lag } = type;
  const { succeeded, failed } = VERIFICATION_STATE;
  return {
    replicable_name: name,
    rows: rowsIn(cells, () => true),
    bytes: sumOf(cells, ({ bytes }) => bytes),
    ...syncOf(role, cells),
    verified: rowsIn(cells, ({ verificationState }) => verificationState === succeeded),
    verification_failed: rowsIn(cells, ({ verificationState }) => verificationState === failed),
    oldest_seconds: ageOf(type, now),
    lag_p50_ms: lag.total?.p50Ms,
    lag_p99_ms: lag.total?.p99Ms,
  };
};

/** The gauges of a status that was just gathered. */
export const gaugesOfStatus = ({ site, counted, settled, problems, gatheredAt }: GatheredStatus): StatusGauges => {
  // What could not be read stays in a status as it was; told as a gauge it would be a lie.
  if (counted === undefined || problems.some(({ part }) => part === "counters")) {
    return { backlogAge: undefined, types: [] };
  }
  const types = [...counted.types].map(([name, type]) => gaugesOf(site.role, name, type, gatheredAt));
  const isWatched = site.role === "secondary" && settled?.enabled !== false;
  return {
    backlogAge: isWatched ? Math.max(0, ...types.map(({ oldest_seconds }) => oldest_seconds ?? 0)) : undefined,
    types: types.filter(({ rows }) => rows > 0),
  };
};
