import type { Command } from "commander";
import * as z from "zod";
import type { FeatureState } from "../../shared/client/contract.ts";
import { addConnectionOptions, connect, type Connection } from "../connection.ts";
import { CommandError, EXIT } from "../exit-codes.ts";
import { confirmed } from "../output/confirm.ts";
import { grid } from "../output/grid.ts";
import {
  addCautionOptions,
  addExamples,
  addOutputOption,
  CAUTION_OPTIONS,
  CONNECTION_OPTIONS,
  jsonLine,
  OutputFormat,
  readOptions,
} from "../output/options.ts";
import { columnsOf } from "../output/terminal.ts";
import type { Surroundings } from "../surroundings.ts";

const Options = z.object({
  ...CONNECTION_OPTIONS,
  ...CAUTION_OPTIONS,
  changed: z.boolean().default(false),
  output: OutputFormat,
});
type Options = z.infer<typeof Options>;

/** How many names are told to somebody who has none of them right. */
const SUGGESTED_MAX = 5;

const HELP = `
Flags are the primary's and hold at every site, within ten seconds. geo_<type>_replication off: no events, no copies and no
verification of that type anywhere; what is there stays, and a walk through both sides makes up for it later.`;

const known = (flags: readonly FeatureState[], name: string): FeatureState => {
  const found = flags.find((flag) => flag.name === name);
  if (found !== undefined) return found;
  const like = flags.filter((flag) => flag.name.includes(name)).slice(0, SUGGESTED_MAX);
  throw new CommandError(
    EXIT.usage,
    `there is no flag ${JSON.stringify(name)}${like.length === 0 ? "" : `; is it one of ${like.map((flag) => flag.name).join(", ")}?`} All of them: geo flag list`,
  );
};

const isOn = (value: string): boolean => {
  if (value === "on" || value === "off") return value === "on";
  throw new CommandError(EXIT.usage, `<value> is ${JSON.stringify(value)}, expected on or off`);
};

/** What becomes of a flag: set, or with undefined given back to its declaration. */
interface Wish {
  readonly name: string;
  readonly value: boolean | undefined;
}

const change = async ({ name, value }: Wish, options: Options, surroundings: Surroundings): Promise<void> => {
  const { client, site }: Connection = await connect(options, "primary", surroundings);
  if (!site.primary) {
    throw new CommandError(
      EXIT.usage,
      `${site.name} is a secondary, and flags are the primary's: ask the primary (--site)`,
    );
  }
  const before = known(await client.features(), name);
  const after = value === undefined ? before.default : value ? "on" : "off";
  const say = (flag: FeatureState, text: string): void =>
    surroundings.out(options.output === "json" ? jsonLine({ ...flag, dry_run: options.dryRun }) : `${text}\n`);
  if (options.dryRun) {
    return say(before, `${name} is ${before.state} and would be ${after} at every site. Nothing was done.`);
  }
  if (before.state === "on" && after === "off") {
    await confirmed(`${name} is on and would be off at every site. Go on?`, options, surroundings);
  }
  const changed = value === undefined ? await client.resetFeature(name) : await client.setFeature(name, value);
  say(
    changed,
    `${name} is ${changed.state} at every site, within ten seconds${value === undefined ? ", as its type declares it" : ""}.`,
  );
};

const list = async (options: Options, surroundings: Surroundings): Promise<void> => {
  const { client } = await connect(options, "primary", surroundings);
  const all = await client.features();
  const flags = options.changed ? all.filter(({ overridden }) => overridden) : all;
  if (options.output === "json") return surroundings.out(jsonLine(flags));
  if (flags.length === 0) return surroundings.out("Every flag is as its type declares it.\n");
  const rows = flags.map((flag) => [
    flag.name,
    flag.state,
    flag.default,
    flag.overridden ? (flag.changed_at ?? "yes") : "-",
  ]);
  surroundings.out(grid(["name", "state", "default", "set at"], rows, columnsOf(surroundings)));
};

/** `geo flag …`: which types take part, at all sites (F84, F85). */
export const addFlag = (parent: Command, surroundings: Surroundings): void => {
  const command = parent.command("flag").description("Feature flags: which types take part, at all sites.");
  const added = (name: string, description: string): Command =>
    addOutputOption(addConnectionOptions(command.command(name).description(description)));

  addExamples(
    added("list", "Every flag, what it is and what it is declared to be.")
      .option("--changed", "only those that somebody has set")
      .action(async (raw: unknown) => list(readOptions(Options, raw), surroundings)),
    "geo flag list",
    "geo flag list --changed --output json",
  );

  addExamples(
    addCautionOptions(added("set", "Sets a flag at all sites. Asks before it switches one off."))
      .argument("<name>", "such as geo_lfs_object_replication")
      .argument("<value>", "on or off")
      .addHelpText("after", HELP)
      .action(async (name: string, value: string, raw: unknown) =>
        change({ name, value: isOn(value) }, readOptions(Options, raw), surroundings),
      ),
    "geo flag set geo_cool_widget_replication on",
    "geo flag set geo_lfs_object_replication off --dry-run",
  );

  addExamples(
    addCautionOptions(added("reset", "Gives a flag back to what its type declares."))
      .argument("<name>", "such as geo_lfs_object_replication")
      .action(async (name: string, raw: unknown) =>
        change({ name, value: undefined }, readOptions(Options, raw), surroundings),
      ),
    "geo flag reset geo_lfs_object_replication",
  );
};
