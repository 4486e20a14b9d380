import { type CountedCell, countedTable, sumCells } from "../geo/counters.ts";
import { GeoError } from "../geo/errors.ts";
import { cumulative, eachPart, figuresOf, type LagBuckets, sumBuckets } from "../geo/lag-histogram.ts";
import { isStepDue, lastHour, nextStep, stepsOfLastHour } from "../geo/lag-window.ts";
import type { SiteRole } from "../geo/site-status.ts";
import type { RolledUp, TypeSummary } from "../geo/type-summary.ts";
import { backlogOf, sumWaiting } from "../geo/waiting-ages.ts";
import type { Table } from "../ports/table.ts";
import { auditsQuery, parseVerdicts } from "../tables/site/counter-audit-item.ts";
import type { Counter } from "../tables/site/counter-item.ts";
import { listCounters } from "../tables/site/list-counters.ts";
import { parseWindow, ROLL_UP_KEY, saveWindow } from "../tables/site/roll-up-item.ts";

/** What rolling up needs. */
export interface RollUpSite {
  /** Reads the partitions `counter` and `counter_audit`, and changes `roll_up`. */
  readonly siteTable: Pick<Table, "get" | "query" | "put">;
  readonly replicables: readonly { readonly name: string }[];
  readonly role: SiteRole;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** The latest of some times; nothing when there is none. */
const latest = (times: readonly (number | undefined)[]): number | undefined =>
  times.reduce((late, time) => (late === undefined || (time ?? late) > late ? time : late), undefined);

/** What the counters of one type come to, but for what needs more than them. */
interface TypeCounts {
  readonly cells: readonly CountedCell[];
  readonly waiting: ReturnType<typeof sumWaiting>;
  readonly lag: LagBuckets;
  readonly lagMs: Readonly<Record<keyof LagBuckets, number>>;
}

/** Adds up the counters of one type. */
export const sumCounters = (counters: readonly Counter[], name: string): TypeCounts => ({
  cells: sumCells(counters.map(({ cells }) => cells)).get(name) ?? [],
  waiting: sumWaiting(
    counters.map(({ waiting }) => waiting),
    latest(counters.map(({ clock }) => clock)) ?? 0,
  ),
  lag: eachPart((part) => sumBuckets(counters.map(({ lag }) => lag[part].buckets))),
  lagMs: eachPart((part) => counters.reduce((sum, { lag }) => sum + lag[part].sumMs, 0)),
});

/**
 * Adds up the counters of a site: in two queries and a read of fixed numbers of items, however many rows there are. The
 * window of the last hour is written every five minutes; everything else is new at each call. Any number of calls may
 * overlap. A window that can not be written loses nothing of the rest: why is told beside it.
 *
 * @throws TableUnavailableError when the site table did not answer a read
 */
export const rollUp = async ({ siteTable, replicables, role, now }: RollUpSite): Promise<RolledUp> => {
  const [counters, stored, audits] = await Promise.all([
    listCounters(siteTable, countedTable(role)),
    siteTable.get(ROLL_UP_KEY),
    siteTable.query(auditsQuery()),
  ]);
  const asOf = latest(counters.map((counter) => counter.asOf));
  const byType = Map.groupBy(counters, ({ replicableName }) => replicableName);
  const names = replicables.map(({ name }) => name);
  const counts = new Map(names.map((name) => [name, sumCounters(byType.get(name) ?? [], name)]));
  const window = parseWindow(stored);
  const verdicts = parseVerdicts(audits.items);

  const summaryOf = (name: string, { cells, waiting, lag, lagMs }: TypeCounts): TypeSummary => {
    const backlog = backlogOf(waiting, now);
    const recent = lastHour(window, name, lag, now);
    return {
      cells,
      oldestUnsyncedTime: backlog.oldestSince,
      backlogAges: role === "primary" ? [] : backlog.ages,
      lag: eachPart((part) => figuresOf(recent[part])),
      lagSteps: stepsOfLastHour(window, name, lag, now),
      lagHistogram: eachPart((part) => cumulative({ buckets: lag[part], sumMs: lagMs[part] })),
      audit: verdicts.get(name),
    };
  };
  const types = new Map([...counts].map(([name, each]) => [name, summaryOf(name, each)]));
  const save = async (): Promise<GeoError | undefined> => {
    const counted = new Map([...counts].map(([name, { lag }]) => [name, lag]));
    try {
      await saveWindow(siteTable, stored, nextStep(window, counted, now), asOf);
      return undefined;
    } catch (error) {
      if (!(error instanceof GeoError)) throw error;
      return error;
    }
  };
  return { asOf, types, unsaved: isStepDue(window, now) ? await save() : undefined };
};
