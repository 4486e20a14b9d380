import { REPLICATION_STATE } from "./replication-state.ts";

/**
 * How long rows have waited to be synced, from cells that hold how many have waited since when. Recent times are kept to the
 * minute and older ones ever more coarsely, so that cells stay few however long an outage lasts. Pure.
 *
 * A cell is a _granule_: a minute, an hour, a day or thirty days, each inside one of the next kind. Which kind a time falls
 * into depends on a clock that only moves forward, whole hours at a time, and is kept beside the cells. A row may be put into
 * a fine granule and be taken out of the coarse one around it, when the clock has moved meanwhile: sums are right as soon as
 * all granules are brought to the latest clock (`coarsened`), and nowhere else does it matter when that happens.
 */

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const MONTH_MS = 30 * DAY_MS;

/** Kinds of granules, by the letter that their names begin with, the finest first. */
const LENGTHS = { m: MINUTE_MS, h: HOUR_MS, d: DAY_MS, t: MONTH_MS } as const;
type Kind = keyof typeof LENGTHS;

const GRANULE = /^(?<kind>[mhdt])(?<index>\d{1,12})$/;

const floor = (time: number, length: number): number => Math.floor(time / length) * length;

/** To the minute for the last two whole hours, to the hour for three days, to the day for sixty. */
const kindAt = (time: number, clock: number): Kind => {
  if (floor(time, HOUR_MS) >= floor(clock, HOUR_MS) - 2 * HOUR_MS) return "m";
  if (floor(time, DAY_MS) >= floor(clock, DAY_MS) - 3 * DAY_MS) return "h";
  if (floor(time, MONTH_MS) >= floor(clock, MONTH_MS) - 2 * MONTH_MS) return "d";
  return "t";
};

/** What the clock shows at a time: its hour's beginning. */
export const clockAt = (time: number): number => floor(time, HOUR_MS);

/**
 * The granule of a time, for example `m29384712`.
 * @param clock milliseconds since the epoch; 0 for the finest
 */
export const granuleOf = (time: number, clock: number): string => {
  const kind = kindAt(time, clock);
  return `${kind}${Math.floor(time / LENGTHS[kind])}`;
};

/** When a granule begins, milliseconds since the epoch; nothing when it is not the name of one. */
export const granuleStart = (granule: string): number | undefined => {
  const { kind, index } = GRANULE.exec(granule)?.groups ?? {};
  return kind === undefined ? undefined : Number(index) * LENGTHS[kind as Kind]; // the expression has four kinds
};

/** The granule around a granule by the time that the clock shows; itself, unless that is a coarser one. */
export const coarsened = (granule: string, clock: number): string => {
  const start = granuleStart(granule);
  if (start === undefined) return granule;
  const around = granuleOf(start, clock);
  const kinds = Object.keys(LENGTHS);
  return kinds.indexOf(around.slice(0, 1)) > kinds.indexOf(granule.slice(0, 1)) ? around : granule;
};

const isTime = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

const UNSYNCED: ReadonlySet<unknown> = new Set([
  REPLICATION_STATE.pending,
  REPLICATION_STATE.started,
  REPLICATION_STATE.failed,
]);

/**
 * Since when a registry row waits to be synced: when this site first heard of what it has not followed yet. Not the source's
 * `LastModified`, since a row can not tell by itself whether the one that it holds is of the version that it waits for; and not
 * the last hint, since what is rewritten again and again would look young for ever. Nothing for a row that does not wait: one
 * that is synced, a tombstone, a primary's.
 */
export const waitingSince = (row: Readonly<Record<string, unknown>> | undefined): number | undefined => {
  if (row === undefined || !UNSYNCED.has(row["state"])) return undefined;
  return [row["waiting_since"], row["last_event_at"], row["created_at"]].find(isTime);
};

/** Rows by granule. */
export type WaitingRows = ReadonlyMap<string, number>;

/** Adds up the rows of several counters, all brought to the latest clock; granules in which nobody waits are left out. */
export const sumWaiting = (counters: readonly WaitingRows[], clock: number): WaitingRows => {
  const sums = new Map<string, number>();
  for (const [granule, rows] of counters.flatMap((waiting) => [...waiting])) {
    const around = coarsened(granule, clock);
    sums.set(around, (sums.get(around) ?? 0) + rows);
  }
  return new Map([...sums].filter(([, rows]) => rows !== 0));
};

/** Upper bounds of the bands that waiting rows are told in, seconds. */
export const BACKLOG_AGE_BOUNDS = [60, 300, 900, 3_600, 21_600, 86_400, 604_800] as const;

const MS_PER_SECOND = 1_000;

/** What waits, in a few figures. */
export interface Backlog {
  /** Beginning of the granule of the row that has waited longest, seconds since the epoch. */
  readonly oldestSince: number | undefined;
  /** Rows by how long they have waited, in bands whose upper bounds are `BACKLOG_AGE_BOUNDS`, and those beyond. */
  readonly ages: readonly { readonly upToSeconds: number | undefined; readonly rows: number }[];
}

/**
 * What waits, at a time. While rows change, counters that are read one after the other may for a moment have less than
 * nothing in a granule; that counts as nothing.
 */
export const backlogOf = (waiting: WaitingRows, now: number): Backlog => {
  const found = [...waiting].flatMap(([granule, rows]) => {
    const start = granuleStart(granule);
    return start === undefined || rows <= 0 ? [] : [{ start, rows }];
  });
  const bandOf = (start: number): number => {
    const seconds = (now - start) / MS_PER_SECOND;
    const band = BACKLOG_AGE_BOUNDS.findIndex((bound) => seconds <= bound);
    return band < 0 ? BACKLOG_AGE_BOUNDS.length : band;
  };
  const bands = Map.groupBy(found, ({ start }) => bandOf(start));
  const rowsIn = (band: number): number => (bands.get(band) ?? []).reduce((sum, { rows }) => sum + rows, 0);
  return {
    oldestSince: found.length === 0 ? undefined : Math.min(...found.map(({ start }) => start)) / MS_PER_SECOND,
    ages: [...BACKLOG_AGE_BOUNDS, undefined].map((upToSeconds, band) => ({ upToSeconds, rows: rowsIn(band) })),
  };
};
