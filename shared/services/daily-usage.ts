import { countedTable, sumCells } from "../geo/counters.ts";
import {
  DAY_MS,
  dayBegan,
  dayOf,
  type TypeTotals,
  type UsageAnswer,
  usagePeriods,
  type UsageSnapshot,
} from "../geo/daily-usage.ts";
import { GeoError } from "../geo/errors.ts";
import { ROW_OUTCOMES, type RowOutcome } from "../geo/row-outcomes.ts";
import type { StatusSite } from "../geo/site-status.ts";
import type { Clock } from "../ports/clock.ts";
import type { Table } from "../ports/table.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import { everyItem } from "../tables/every-item.ts";
import type { Counter } from "../tables/site/counter-item.ts";
import { listCounters } from "../tables/site/list-counters.ts";
import { noteUsage, parseUsage, usageKey, usageSince } from "../tables/site/usage-item.ts";

/** A site whose usage is told. */
export interface UsedSite {
  readonly site: StatusSite;
  /** Its types. */
  readonly replicables: readonly { readonly name: string }[];
  /** Reads the partitions `counter` and `usage`. */
  readonly siteTable: Pick<Table, "query">;
  readonly clock: Clock;
}

/** A site that keeps its ledger. */
export interface KeptSite extends UsedSite {
  /** Puts into the partition `usage` as well. */
  readonly siteTable: Pick<Table, "get" | "query" | "put">;
  readonly telemetry: Pick<Telemetry, "error">;
}

const totalsOf = (counters: readonly Counter[], name: string): TypeTotals => {
  const cells = sumCells(counters.map((counter) => counter.cells)).get(name) ?? [];
  const times = (outcome: RowOutcome): number =>
    counters.reduce((sum, { outcomes }) => sum + (outcomes.get(outcome) ?? 0), 0);
  return {
    rows: cells.reduce((sum, { rows }) => sum + rows, 0),
    bytes: cells.reduce((sum, { bytes }) => sum + bytes, 0),
    changes: counters.reduce((sum, { changes }) => sum + changes, 0),
    // The entries are of every outcome.
    outcomes: Object.fromEntries(ROW_OUTCOMES.map((outcome) => [outcome, times(outcome)])) as Record<
      RowOutcome,
      number
    >,
  };
};

/**
 * What the counters stand at; of a type of which nothing was ever counted, nothing. Types that the site does not have now are in
 * it: one that comes back would else have done all that it ever did on that day.
 */
const takeSnapshot = async ({ site, siteTable, clock }: UsedSite): Promise<UsageSnapshot> => {
  const counters = await listCounters(siteTable, countedTable(site.role));
  const byType = Map.groupBy(counters, ({ replicableName }) => replicableName);
  return {
    at: clock.now(),
    types: new Map([...byType].map(([name, ofType]) => [name, totalsOf(ofType, name)] as const)),
  };
};

/** As much of a snapshot as is told: the types that the site has. */
const ownTypes = ({ at, types }: UsageSnapshot, { replicables }: UsedSite): UsageSnapshot => {
  const own = new Set(replicables.map(({ name }) => name));
  return { at, types: new Map([...types].filter(([name]) => own.has(name))) };
};

/**
 * Keeps the ledger of a site's usage: at the first look of each UTC day, what the counters stand at. Any number may do so at
 * once, and the first one counts. What is known to be noted is not looked up again as long as the process lives.
 */
export class UsageLedger {
  readonly #site: KeptSite;
  #noted: string | undefined;

  constructor(site: KeptSite) {
    this.#site = site;
  }

  /** Notes the day, if nobody has. When the table does not answer, that is logged, and the next look tries again. */
  async note(): Promise<void> {
    const { clock, telemetry } = this.#site;
    const day = dayOf(clock.now());
    if (this.#noted === day) return;
    try {
      await this.#noteDay();
      this.#noted = day;
    } catch (error) {
      if (!(error instanceof GeoError)) throw error;
      telemetry.error("the usage of the day could not be noted", { day, code: error.code, message: error.message });
    }
  }

  async #noteDay(): Promise<void> {
    const { siteTable, clock } = this.#site;
    if ((await siteTable.get(usageKey(clock.now()))) !== undefined) return;
    await noteUsage(siteTable, await takeSnapshot(this.#site));
  }
}

/**
 * What was done at a site on each of the last days, today included, as far as its ledger goes back.
 * @throws TableUnavailableError when the table did not answer
 */
export const readUsage = async (used: UsedSite, days: number): Promise<UsageAnswer> => {
  const { site, siteTable } = used;
  const now = await takeSnapshot(used);
  const items = await everyItem(siteTable, usageSince(dayBegan(now.at) - (days - 1) * DAY_MS));
  return {
    name: site.name,
    primary: site.role === "primary",
    as_of: new Date(now.at).toISOString(),
    days: usagePeriods(
      items.flatMap((item) => parseUsage(item) ?? []).map((snapshot) => ownTypes(snapshot, used)),
      ownTypes(now, used),
    ),
  };
};
