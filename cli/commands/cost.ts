import type { Command } from "commander";
import * as z from "zod";
import { GeoApiError } from "../../shared/client/client.ts";
import { USAGE_DAYS_DEFAULT, USAGE_KEPT_DAYS } from "../../shared/geo/daily-usage.ts";
import { NOT_COUNTED, PRICES } from "../../shared/geo/prices.ts";
import { addConnectionOptions, connectAll, reached } from "../connection.ts";
import { costReport, FORECAST_DAYS } from "../cost/cost.ts";
import { costText } from "../cost/cost-text.ts";
import {
  addExamples,
  addOutputOption,
  CONNECTION_OPTIONS,
  jsonLine,
  OutputFormat,
  readOptions,
} from "../output/options.ts";
import { painter } from "../output/paint.ts";
import { columnsOf } from "../output/terminal.ts";
import { printable } from "../output/texts.ts";
import type { Surroundings } from "../surroundings.ts";

const DAYS_EXPECTED = `--days: expected a whole number from 1 to ${USAGE_KEPT_DAYS}`;

const Options = z.object({
  ...CONNECTION_OPTIONS,
  days: z.coerce
    .number({ error: DAYS_EXPECTED })
    .int({ error: DAYS_EXPECTED })
    .min(1, { error: DAYS_EXPECTED })
    .max(USAGE_KEPT_DAYS, { error: DAYS_EXPECTED })
    .default(USAGE_DAYS_DEFAULT),
  output: OutputFormat,
});

const HELP = `
Each site counts what becomes of its objects and notes at the first look of each UTC day what it has counted. What each copy,
verification and removal asks AWS for is known (docs/performance.md), and so are AWS's list prices: it is an estimate, not the bill.
Replicas that were found right as they were (an adopted bucket, a second look) are priced as copies: that part is an upper bound.
The forecast takes the last ${FORECAST_DAYS} whole days, whatever --days says.
Sites that can not be asked are named, and not in the sum.`;

/** `geo cost`: what was asked of AWS for each type on each day, what that costs, and what a month will. */
export const addCost = (parent: Command, surroundings: Surroundings): void => {
  const { out, err, now = () => Date.now() } = surroundings;
  const command = parent.command("cost").description("Requests counted and priced, by type and day, with a forecast.");
  addOutputOption(addConnectionOptions(command))
    .option(
      "--days <number>",
      `of so many last days, today included, up to ${USAGE_KEPT_DAYS}`,
      String(USAGE_DAYS_DEFAULT),
    )
    .addHelpText("after", HELP)
    .action(async (raw: unknown) => {
      const options = readOptions(Options, raw);
      const all = await connectAll(options, surroundings);
      const answers = await Promise.all(
        reached(all).map(async ({ client, site }) => {
          try {
            return { name: site.name, usage: await client.usage(site.id, Math.max(options.days, FORECAST_DAYS + 1)) };
          } catch (error) {
            if (error instanceof GeoApiError) return { name: site.name, error };
            throw error;
          }
        }),
      );
      const unasked = [
        ...all.flatMap((reach) => ("problem" in reach ? [{ name: reach.name, error: reach.problem }] : [])),
        ...answers.flatMap(({ name, error }) => (error === undefined ? [] : [{ name, error }])),
      ];
      const usages = answers.flatMap(({ usage }) => usage ?? []);
      const [first] = unasked;
      if (usages.length === 0 && first !== undefined) throw first.error;
      for (const { name, error } of unasked) {
        err(`${name} could not be asked, and is not in the sum: ${printable(error.message)}\n`);
      }
      const report = costReport(usages, options.days, now());
      if (options.output === "json") {
        out(
          jsonLine({
            days: options.days,
            ...report,
            prices: PRICES,
            not_asked: unasked.map(({ name, error }) => ({ name, problem: error.message })),
            not_counted: NOT_COUNTED,
          }),
        );
        return;
      }
      out(costText(report, options.days, { columns: columnsOf(surroundings), paint: painter(surroundings) }));
    });
  addExamples(command, "geo cost", "geo cost --days 7 --site ireland", "geo cost --days 90 --output json");
};
