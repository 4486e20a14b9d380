import type { Command } from "commander";
import * as z from "zod";
import { progressLine, watchBulkUpdate } from "../bulk/watch-bulk-update.ts";
import { addConnectionOptions, connect } from "../connection.ts";
import { CommandError, EXIT } from "../exit-codes.ts";
import type { Surroundings } from "../surroundings.ts";

const Options = z.object({
  endpointUrl: z.string().optional(),
  site: z.string().optional(),
  token: z.string().optional(),
  watch: z.boolean().default(false),
  output: z.string().default("table"),
});

const isJson = (output: string): boolean => {
  if (output === "json" || output === "table") return output === "json";
  throw new CommandError(EXIT.usage, `--output is ${JSON.stringify(output)}, expected table or json`);
};

const EXAMPLES = `
Examples:
  $ geo bulk list
  $ geo bulk show 0123456789abcdef --watch
  $ geo bulk cancel 0123456789abcdef`;

/** `geo bulk …`: what `geo resync`, `geo reverify` and `geo redrive` have begun. */
export const addBulk = (parent: Command, surroundings: Surroundings): void => {
  const { out } = surroundings;
  const command = parent
    .command("bulk")
    .description("What was asked for many rows, and how far it has come.")
    .addHelpText("after", EXAMPLES);

  addConnectionOptions(command.command("list").description("Everything that is remembered, the latest first."))
    .option("--output <format>", "table or json", "table")
    .action(async (raw: unknown) => {
      const options = Options.parse(raw);
      const json = isJson(options.output);
      const { client, site } = await connect(options, "secondary", surroundings);
      const updates = await client.bulkUpdates(site.id);
      if (json) return out(`${JSON.stringify(updates)}\n`);
      if (updates.length === 0) return out(`Nothing was asked for at ${site.name}.\n`);
      for (const update of updates) out(`${update.asked_at}  ${update.asked_by}  ${progressLine(update)}\n`);
    });

  addConnectionOptions(command.command("show").argument("<id>").description("One of them."))
    .option("--watch", "wait until it has ended")
    .option("--output <format>", "table or json", "table")
    .action(async (id: string, raw: unknown) => {
      const options = Options.parse(raw);
      const json = isJson(options.output);
      const connection = await connect(options, "secondary", surroundings);
      const found = await connection.client.bulkUpdate(connection.site.id, id);
      const update = options.watch ? await watchBulkUpdate(connection, found, surroundings) : found;
      out(json ? `${JSON.stringify(update)}\n` : `${progressLine(update)}\n`);
    });

  addConnectionOptions(command.command("cancel").argument("<id>").description("Ends one: no more rows are asked."))
    .option("--output <format>", "table or json", "table")
    .action(async (id: string, raw: unknown) => {
      const options = Options.parse(raw);
      const json = isJson(options.output);
      const { client, site } = await connect(options, "secondary", surroundings);
      const update = await client.cancelBulkUpdate(site.id, id);
      out(json ? `${JSON.stringify(update)}\n` : `${progressLine(update)}\n`);
    });
};
