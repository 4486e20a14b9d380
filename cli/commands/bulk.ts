import type { Command } from "commander";
import * as z from "zod";
import { progressLine, watchBulkUpdate } from "../bulk/watch-bulk-update.ts";
import { addConnectionOptions, connect } from "../connection.ts";
import {
  addExamples,
  addOutputOption,
  CONNECTION_OPTIONS,
  jsonLine,
  OutputFormat,
  readOptions,
} from "../output/options.ts";
import type { Surroundings } from "../surroundings.ts";

const Options = z.object({ ...CONNECTION_OPTIONS, watch: z.boolean().default(false), output: OutputFormat });

/** `geo bulk …`: what `geo resync`, `geo reverify` and `geo redrive` have begun. */
export const addBulk = (parent: Command, surroundings: Surroundings): void => {
  const { out } = surroundings;
  const command = parent.command("bulk").description("What was asked for many rows, and how far it has come.");
  const added = (name: string, description: string): Command =>
    addOutputOption(addConnectionOptions(command.command(name).description(description)));

  addExamples(
    added("list", "Everything that is remembered, the latest first.").action(async (raw: unknown) => {
      const options = readOptions(Options, raw);
      const { client, site } = await connect(options, "secondary", surroundings);
      const updates = await client.bulkUpdates(site.id);
      if (options.output === "json") return out(jsonLine(updates));
      if (updates.length === 0) return out(`Nothing was asked for at ${site.name}.\n`);
      for (const update of updates) out(`${update.asked_at}  ${update.asked_by}  ${progressLine(update)}\n`);
    }),
    "geo bulk list",
  );

  addExamples(
    added("show", "One of them.")
      .argument("<id>", "16 hex digits, from the list")
      .option("--watch", "wait until it has ended")
      .action(async (id: string, raw: unknown) => {
        const options = readOptions(Options, raw);
        const connection = await connect(options, "secondary", surroundings);
        const found = await connection.client.bulkUpdate(connection.site.id, id);
        const update = options.watch ? await watchBulkUpdate(connection, found, surroundings) : found;
        out(options.output === "json" ? jsonLine(update) : `${progressLine(update)}\n`);
      }),
    "geo bulk show 0123456789abcdef",
    "geo bulk show 0123456789abcdef --watch",
  );

  addExamples(
    added("cancel", "Ends one: no more rows are asked.")
      .argument("<id>", "16 hex digits, from the list")
      .action(async (id: string, raw: unknown) => {
        const options = readOptions(Options, raw);
        const { client, site } = await connect(options, "secondary", surroundings);
        const update = await client.cancelBulkUpdate(site.id, id);
        out(options.output === "json" ? jsonLine(update) : `${progressLine(update)}\n`);
      }),
    "geo bulk cancel 0123456789abcdef",
  );
};
