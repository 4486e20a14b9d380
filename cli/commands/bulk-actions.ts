import type { Command } from "commander";
import * as z from "zod";
import type { BulkUpdateWish } from "../../shared/client/contract.ts";
import { selectedRows, totalRows } from "../bulk/selected-rows.ts";
import { watchBulkUpdate } from "../bulk/watch-bulk-update.ts";
import { addConnectionOptions, connect, type Connection } from "../connection.ts";
import { CommandError, EXIT } from "../exit-codes.ts";
import { confirmed } from "../output/confirm.ts";
import {
  addCautionOptions,
  addExamples,
  addOutputOption,
  CAUTION_OPTIONS,
  CONNECTION_OPTIONS,
  OutputFormat,
  readOptions,
} from "../output/options.ts";
import { typeNamed } from "../registry/asked-types.ts";
import type { Surroundings } from "../surroundings.ts";

const Options = z.object({
  ...CONNECTION_OPTIONS,
  ...CAUTION_OPTIONS,
  type: z.string().optional(),
  key: z.array(z.string()).optional(),
  state: z.string().optional(),
  verificationState: z.string().optional(),
  reason: z.string().optional(),
  force: z.boolean().default(false),
  wait: z.boolean().default(true),
  output: OutputFormat,
});
type Options = z.infer<typeof Options>;

/** A command that asks for one kind of bulk update. */
interface BulkCommand {
  readonly name: "resync" | "reconcile" | "reverify" | "redrive";
  readonly description: string;
  /** What it asks for at each kind of site; undefined where there is nothing like it. */
  readonly actions: { readonly secondary: string; readonly primary: string | undefined };
  /** What becomes of a row, for questions and answers: `would be copied again`. */
  readonly done: string;
  readonly examples: readonly string[];
}

const COMMANDS: readonly BulkCommand[] = [
  {
    name: "resync",
    description: "Copies objects again, whatever their replicas hold.",
    actions: { secondary: "resync", primary: undefined },
    done: "copied again",
    examples: [
      "geo resync --type lfs_object --key lfs_objects/42/4c/8e31f2",
      "geo resync --type lfs_object --state failed --dry-run",
      "geo resync --type lfs_object --yes",
    ],
  },
  {
    name: "reconcile",
    description:
      "Looks at both sides of objects again, and copies or removes what is not right: after a table was restored, or reports were lost.",
    actions: { secondary: "reconcile", primary: undefined },
    done: "looked at on both sides",
    examples: [
      "geo reconcile --type lfs_object --dry-run",
      "geo reconcile --yes",
      "geo reconcile --type upload --state synced --yes",
    ],
  },
  {
    name: "reverify",
    description: "Reads replicas again; at the primary, its own objects and then their replicas.",
    actions: { secondary: "reverify", primary: "checksum" },
    done: "read again",
    examples: [
      "geo reverify --type upload --yes",
      "geo reverify --verification-state failed",
      "geo reverify --site virginia --type lfs_object --dry-run",
    ],
  },
  {
    name: "redrive",
    description: "Tries failed objects again now, and not at the end of their wait.",
    actions: { secondary: "retry_now", primary: "retry_now" },
    done: "tried again",
    examples: [
      "geo redrive --yes",
      "geo redrive --reason forbidden --dry-run",
      "geo redrive --verification-state failed --yes",
      "geo redrive --type lfs_object --key lfs_objects/42/4c/8e31f2",
    ],
  },
];

const wishOf = (command: BulkCommand, options: Options, { site }: Connection): BulkUpdateWish => {
  const action = site.primary ? command.actions.primary : command.actions.secondary;
  if (action === undefined) {
    throw new CommandError(EXIT.usage, `${site.name} is a primary and copies nothing: ask a secondary (--site)`);
  }
  if (options.key !== undefined && options.type === undefined) {
    throw new CommandError(EXIT.usage, "--key needs --type: a key is looked up among the rows of one type");
  }
  return {
    action,
    ...(options.type === undefined ? {} : { replicable_name: options.type }),
    ...(options.key === undefined ? {} : { keys: options.key }),
    ...(options.state === undefined ? {} : { replication_state: options.state }),
    ...(options.verificationState === undefined ? {} : { verification_state: options.verificationState }),
    ...(options.reason === undefined ? {} : { failure: options.reason }),
    ...(options.force ? { force: true } : {}),
  };
};

const run = async (command: BulkCommand, options: Options, surroundings: Surroundings): Promise<void> => {
  const { out, replicables } = surroundings;
  if (options.type !== undefined) typeNamed(options.type, replicables);
  const connection = await connect(options, "secondary", surroundings);
  const { client, site } = connection;
  const wish = wishOf(command, options, connection);
  const isJson = options.output === "json";
  const selected = selectedRows(wish, await client.siteStatus(site.id), replicables);
  const rows = totalRows(selected);
  if (options.dryRun) {
    const types = Object.fromEntries(
      selected.flatMap((one) => (one.rows === 0 ? [] : [[one.replicableName, one.rows]])),
    );
    out(
      isJson
        ? `${JSON.stringify({ dry_run: true, site: site.name, wish, rows_at_most: rows, types })}\n`
        : Object.keys(types).length === 0
          ? `By its counters ${site.name} has no row that would be ${command.done}. Nothing was done.\n`
          : `At most ${rows} rows of ${site.name} would be ${command.done}, by its counters:\n` +
            `${Object.entries(types)
              .map(([name, count]) => `  ${name}: ${count ?? "not counted"}\n`)
              .join("")}Nothing was done.\n`,
    );
    return;
  }
  if (wish.keys === undefined) {
    await confirmed(`At most ${rows} rows of ${site.name} would be ${command.done}. Go on?`, options, surroundings);
  }
  const begun = await client.askForBulkUpdate(site.id, wish);
  if (begun.asked === "same" && begun.state !== "running") {
    out(
      isJson
        ? `${JSON.stringify(begun)}\n`
        : `The same was done at ${site.name} within the last hour, and was not begun again: it was asked for at ${begun.asked_at} ` +
            `and ended at ${begun.ended_at ?? "an unknown time"}. Say --force to do it once more.\n`,
    );
    return;
  }
  const ended = options.wait ? await watchBulkUpdate(connection, begun, surroundings) : begun;
  out(
    isJson
      ? `${JSON.stringify(ended)}\n`
      : options.wait
        ? `${ended.changed_count} rows of ${site.name} are being ${command.done}; ${ended.skipped_count} needed nothing. ` +
          `The site's status says what becomes of them.\n` +
          (ended.switched_off.length === 0
            ? ""
            : `Not asked, since they are switched off: ${ended.switched_off.join(", ")}\n`)
        : `Begun at ${site.name}. Look at it: geo bulk show ${ended.id}\n`,
  );
};

/** `geo resync`, `geo reverify`, `geo redrive`: something done to many rows of a site. */
export const addBulkActions = (parent: Command, surroundings: Surroundings): void => {
  for (const one of COMMANDS) {
    const command = parent
      .command(one.name)
      .description(one.description)
      .option("--type <name>", "only objects of this type; default: of every type")
      .option("--key <key...>", "only these objects of the type, by their S3 keys; at most 100");
    command
      .option("--state <state>", "only rows in this replication state: pending, started, synced, failed")
      .option(
        "--verification-state <state>",
        "only synced rows in this one: pending, started, succeeded, failed, disabled",
      );
    if (one.name === "redrive") {
      command.option("--reason <kind>", "only what failed for this reason: forbidden, kms, removal_guard and others");
    }
    addOutputOption(addCautionOptions(addConnectionOptions(command)))
      .option("--force", "do again what was done within the last hour")
      .option("--no-wait", "do not wait until all rows were asked")
      .action(async (raw: unknown) => run(one, readOptions(Options, raw), surroundings));
    addExamples(command, ...one.examples);
  }
};
