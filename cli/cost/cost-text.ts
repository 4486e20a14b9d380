import { NOT_COUNTED } from "../../shared/geo/prices.ts";
import { grid } from "../output/grid.ts";
import { wrapped } from "../output/lines.ts";
import type { Paint } from "../output/paint.ts";
import { bytesText, countOf, countText, printable } from "../output/texts.ts";
import type { CostReport, Forecast, SiteCost } from "./cost.ts";

/** How it is shown. */
export interface CostView {
  readonly columns: number;
  readonly paint: Paint;
}

/** From this on two places behind the point are enough. */
const CENTS = 1;

/** `$12.34`, `$0.000123`: what is small is not shown as nothing. */
export const dollarText = (amount: number): string => {
  if (amount === 0) return "$0";
  return amount >= CENTS ? `$${amount.toFixed(2)}` : `$${amount.toPrecision(3)}`;
};

const TYPE_HEADINGS = ["type", "synced", "failed", "verified", "wrong", "removed", "requests cost"] as const;

const typeRows = ({ types }: SiteCost): readonly (readonly string[])[] =>
  types.map((type) => [
    type.replicable_name,
    countText(type.synced_count),
    countText(type.failed_count),
    countText(type.verified_count),
    countText(type.verification_failed_count),
    countText(type.removed_count),
    dollarText(type.dollars),
  ]);

const dayText = (day: SiteCost["days"][number]): string => {
  const span = day.days_count > 1 ? ` and ${countOf(day.days_count - 1, "day")} after it` : "";
  return `${day.date}${span}${day.complete ? "" : " (not a whole day)"}`;
};

const siteText = (site: SiteCost, { columns, paint }: CostView): string => {
  const heading = `${paint("heading", printable(site.name))} (${site.primary ? "primary" : "secondary"}): ${dollarText(site.dollars)}\n`;
  if (site.days.length === 0) return `${heading}  no day has been noted yet: a site notes each at its first look\n`;
  const types = site.types.length === 0 ? "  nothing was done\n" : `\n${grid(TYPE_HEADINGS, typeRows(site), columns)}`;
  const days = grid(
    ["day (UTC)", "requests cost"],
    site.days.map((day) => [dayText(day), dollarText(day.dollars)]),
    columns,
  );
  const stored = `${countOf(site.objects_count, "object")} of ${bytesText(site.bytes)} are there; storing them is not in it.`;
  return `${heading}${types}\n${days}${wrapped(stored, columns).join("\n")}\n`;
};

/** The forecast in a sentence. */
export const forecastText = (told: Forecast): string =>
  told.state === "estimating"
    ? `Forecast: estimating (${told.days_known} of ${told.days_needed} whole days are known).`
    : `Forecast: ${dollarText(told.dollars_per_month)} for a month of ${told.days_in_month} days, at ${dollarText(told.dollars_per_day)} a day, the mean of the last ${told.days_known} whole days.`;

/** What was asked for and what it cost, as a person reads it. */
export const costText = (report: CostReport, asked: number, view: CostView): string => {
  const { columns, paint } = view;
  const total = `Requests of the last ${countOf(asked, "day")}: ${dollarText(report.dollars)}, at list prices, counted from what became of objects.`;
  return [
    ...report.sites.map((site) => `${siteText(site, view)}\n`),
    `${wrapped(total, columns)
      .map((line) => paint("heading", line))
      .join("\n")}\n`,
    `${wrapped(forecastText(report.forecast), columns).join("\n")}\n`,
    "\nNot counted:\n",
    ...NOT_COUNTED.map((what) => `  ${wrapped(`- ${what}`, columns - "  ".length).join("\n    ")}\n`),
  ].join("");
};
