import type { SiteUsage } from "../../shared/client/usage-contract.ts";
import { DAY_MS, dayBegan, dayOf } from "../../shared/geo/daily-usage.ts";
import { type Charge, chargesOf, dollars, type Priced, type UsedCounts } from "../../shared/geo/prices.ts";

type Period = SiteUsage["days"][number];
type TypeUsage = Period["types"][number];

/** Days whose mean is what a day is expected to cost. */
export const FORECAST_DAYS = 7;

/** A number of requests by what is charged for them. */
type Units = Readonly<Partial<Record<Priced, number>>>;

/** What one type did at one site on one day, and what that cost. */
interface TypeCost {
  readonly replicable_name: string;
  readonly synced_count: number;
  readonly failed_count: number;
  readonly verified_count: number;
  readonly verification_failed_count: number;
  readonly removed_count: number;
  readonly requests: Units;
  readonly dollars: number;
}

interface DayCost {
  readonly date: string;
  readonly days_count: number;
  readonly complete: boolean;
  readonly dollars: number;
  readonly types: readonly TypeCost[];
}

export interface SiteCost {
  readonly name: string;
  readonly primary: boolean;
  readonly as_of: string;
  readonly dollars: number;
  /** Of all days. */
  readonly types: readonly TypeCost[];
  readonly days: readonly DayCost[];
  /** What is there, for whoever wants to price the storage. */
  readonly objects_count: number;
  readonly bytes: number;
}

/** What a month will cost if it goes on so; `estimating` while there are too few whole days to say. */
export type Forecast =
  | { readonly state: "estimating"; readonly days_known: number; readonly days_needed: number }
  | {
      readonly state: "mean";
      readonly days_known: number;
      readonly dollars_per_day: number;
      readonly days_in_month: number;
      readonly dollars_per_month: number;
    };

export interface CostReport {
  readonly sites: readonly SiteCost[];
  readonly dollars: number;
  readonly forecast: Forecast;
}

const countsOf = (type: TypeUsage): UsedCounts => ({
  synced: type.synced_count,
  failed: type.failed_count,
  verified: type.verified_count,
  verification_failed: type.verification_failed_count,
  removed: type.removed_count,
  changes: type.changes_count,
});

const unitsOf = (charges: readonly Charge[]): Units =>
  Object.fromEntries(charges.map(({ item, units }) => [item, units]));

const costOfType = (primary: boolean, type: TypeUsage): TypeCost => {
  const charges = chargesOf(primary ? "primary" : "secondary", countsOf(type));
  return {
    replicable_name: type.replicable_name,
    synced_count: type.synced_count,
    failed_count: type.failed_count,
    verified_count: type.verified_count,
    verification_failed_count: type.verification_failed_count,
    removed_count: type.removed_count,
    requests: unitsOf(charges),
    dollars: dollars(charges),
  };
};

const isIdle = ({ changes_count: changes, ...type }: TypeUsage): boolean =>
  changes + Object.values(countsOf({ ...type, changes_count: 0 })).reduce((sum, count) => sum + count, 0) === 0;

const sumOf = <Part>(parts: readonly Part[], numberOf: (part: Part) => number): number =>
  parts.reduce((sum, part) => sum + numberOf(part), 0);

/** A type over several days. What it cost is the sum of what each day did: no day is priced twice. */
const overDays = (name: string, usages: readonly TypeUsage[], primary: boolean): TypeCost =>
  costOfType(primary, {
    replicable_name: name,
    synced_count: sumOf(usages, (usage) => usage.synced_count),
    failed_count: sumOf(usages, (usage) => usage.failed_count),
    verified_count: sumOf(usages, (usage) => usage.verified_count),
    verification_failed_count: sumOf(usages, (usage) => usage.verification_failed_count),
    removed_count: sumOf(usages, (usage) => usage.removed_count),
    changes_count: sumOf(usages, (usage) => usage.changes_count),
    objects_count: 0,
    bytes: 0,
  });

/** What a site's usage cost, type by type and day by day; what did nothing is left out. */
export const costOfSite = ({ name, primary, as_of, days }: SiteUsage): SiteCost => {
  const byDay = days.map((day): DayCost => {
    const types = day.types.filter((type) => !isIdle(type)).map((type) => costOfType(primary, type));
    return {
      date: day.date,
      days_count: day.days_count,
      complete: day.complete,
      dollars: sumOf(types, (type) => type.dollars),
      types,
    };
  });
  const used = days.flatMap(({ types }) => types.filter((type) => !isIdle(type)));
  const types = [...Map.groupBy(used, (type) => type.replicable_name)].map(([type, usages]) =>
    overDays(type, usages, primary),
  );
  const newest = days.at(-1)?.types ?? [];
  return {
    name,
    primary,
    as_of,
    dollars: sumOf(byDay, (day) => day.dollars),
    types: types.toSorted((left, right) => right.dollars - left.dollars),
    days: byDay,
    objects_count: sumOf(newest, (type) => type.objects_count),
    bytes: sumOf(newest, (type) => type.bytes),
  };
};

/** Dollars of a site's last whole days, and how many those are: at least `FORECAST_DAYS` where it has as many. */
const lastWholeDays = ({ days }: SiteCost): { readonly known: number; readonly perDay: number } => {
  let known = 0;
  let spent = 0;
  for (const day of days.toReversed()) {
    if (!day.complete) continue;
    if (known >= FORECAST_DAYS) break;
    known += day.days_count;
    spent += day.dollars;
  }
  return { known, perDay: known === 0 ? 0 : spent / known };
};

const daysInMonth = (at: Date): number => new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 0)).getUTCDate();

/**
 * What a month will cost if it goes on as on the last seven whole days of each site.
 * @param now milliseconds since the epoch: the month that is meant
 */
export const forecast = (sites: readonly SiteCost[], now: number): Forecast => {
  const each = sites.map(lastWholeDays);
  const known = Math.min(...each.map((site) => site.known));
  if (sites.length === 0 || known < FORECAST_DAYS) {
    return { state: "estimating", days_known: sites.length === 0 ? 0 : known, days_needed: FORECAST_DAYS };
  }
  const perDay = sumOf(each, (site) => site.perDay);
  const days = daysInMonth(new Date(now));
  return {
    state: "mean",
    days_known: known,
    dollars_per_day: perDay,
    days_in_month: days,
    dollars_per_month: perDay * days,
  };
};

/** What a site told of its last days, today included. */
const lastDays = (usage: SiteUsage, days: number): SiteUsage => {
  const first = dayOf(dayBegan(Date.parse(usage.as_of)) - (days - 1) * DAY_MS);
  return { ...usage, days: usage.days.filter(({ date }) => date >= first) };
};

/**
 * What sites cost together.
 * @param usages of at least `FORECAST_DAYS` days and today where a month is to be foretold
 * @param days of so many last days, today included; the forecast takes all that was told
 * @param now milliseconds since the epoch
 */
export const costReport = (usages: readonly SiteUsage[], days: number, now: number): CostReport => {
  const sites = usages.map((usage) => costOfSite(lastDays(usage, days)));
  return {
    sites,
    dollars: sumOf(sites, (site) => site.dollars),
    forecast: forecast(usages.map(costOfSite), now),
  };
};
