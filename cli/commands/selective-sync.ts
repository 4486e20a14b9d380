import type { Command } from "commander";
import * as z from "zod";
import type { SiteChange } from "../../shared/client/contract.ts";
import { addConnectionOptions, connectSecondary } from "../connection.ts";
import { CommandError, EXIT } from "../exit-codes.ts";
import { confirmed } from "../output/confirm.ts";
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
import { countOf, printable } from "../output/texts.ts";
import { type Selection, selectionOf, selectionText } from "../status/sync-settings.ts";
import { sumOf, typesOf } from "../status/type-progress.ts";
import type { Surroundings } from "../surroundings.ts";

const Options = z.object({
  ...CONNECTION_OPTIONS,
  ...CAUTION_OPTIONS,
  namespaces: z.string().optional(),
  shards: z.string().optional(),
  organizations: z.string().optional(),
  output: OutputFormat,
});
type Options = z.infer<typeof Options>;

const KINDS = ["namespaces", "shards", "organizations"] as const;

const HELP = `
What a site does not want any more is hidden behind delete markers, through the removal guard: beyond 5 % of a type within an hour (at
least 100 objects) the guard holds removals back until somebody releases them, so that a slip of the pen costs little. What it wants
anew is copied. Objects whose owner nobody can tell are wanted by no rule.`;

const wishOf = (options: Options): Selection => {
  const given = KINDS.flatMap((type) => (options[type] === undefined ? [] : [{ type, text: options[type] }]));
  const [one] = given;
  if (one === undefined || given.length > 1) {
    throw new CommandError(
      EXIT.usage,
      `expected exactly one of --namespaces, --shards, --organizations; got ${given.length}`,
    );
  }
  const ids = [...new Set(one.text.split(",").map((id) => id.trim()))].filter((id) => id !== "");
  if (ids.length > 0) return { type: one.type, ids };
  throw new CommandError(
    EXIT.usage,
    `--${one.type} is ${JSON.stringify(one.text)}, expected ids with commas between them; to want everything: geo selective-sync clear`,
  );
};

/** What a new selection leaves out and takes in; null: perhaps anything. */
interface Difference {
  readonly leavesOut: readonly string[] | null;
  readonly takesIn: readonly string[] | null;
}

const differenceOf = (before: Selection, after: Selection): Difference => {
  if (before.type === after.type) {
    return {
      leavesOut: before.ids.filter((id) => !after.ids.includes(id)),
      takesIn: after.ids.filter((id) => !before.ids.includes(id)),
    };
  }
  return {
    leavesOut: after.type === null ? [] : null,
    takesIn: before.type === null ? [] : null,
  };
};

const differenceText = (kind: Selection["type"], { leavesOut, takesIn }: Difference): string => {
  const part = (verb: string, ids: readonly string[] | null, otherwise: string): readonly string[] => {
    if (ids === null) return [otherwise];
    return ids.length === 0 ? [] : [`${verb} ${kind ?? "everything"} ${printable(ids.join(", "))}`];
  };
  return [
    ...part("leaves out", leavesOut, "leaves out whatever the new rule does not name"),
    ...part("takes in", takesIn, "takes in whatever only the new rule names"),
  ].join("; ");
};

const changeOf = ({ type, ids }: Selection): SiteChange => {
  if (type === null) return { selective_sync_type: null };
  const list = {
    namespaces: { selective_sync_namespace_ids: ids },
    shards: { selective_sync_shards: ids },
    organizations: { selective_sync_organization_ids: ids },
  };
  return { selective_sync_type: type, ...list[type] };
};

const change = async (after: Selection, options: Options, surroundings: Surroundings): Promise<void> => {
  const { out, err, replicables } = surroundings;
  const { client, site, statuses } = await connectSecondary(options, "wants everything", surroundings);
  const before = selectionOf(await client.site(site.id));
  const difference = differenceOf(before, after);
  const isNarrower = difference.leavesOut === null || difference.leavesOut.length > 0;
  const { total } = sumOf(typesOf(statuses[0], replicables).map(({ replicated }) => replicated));
  const what = `${site.name}: ${selectionText(before)} -> ${selectionText(after)}`;
  const text = differenceText(after.type, difference);
  const say = (changed: boolean, saying: string): void =>
    out(
      options.output === "json"
        ? jsonLine({
            site: site.name,
            before,
            after,
            leaves_out: difference.leavesOut,
            takes_in: difference.takesIn,
            replicas_at_most: isNarrower ? total : 0,
            changed,
          })
        : saying,
    );
  if (selectionText(before) === selectionText(after))
    return say(false, `${what}. That is what it has; nothing was done.\n`);
  const removal = isNarrower
    ? `Of its ${countOf(total, "replica")}, those that it does not want any more would be hidden behind delete markers. The removal guard holds ` +
      `them back beyond 5 % of a type within an hour, until they are released.\n`
    : "";
  const preview = `${what}${text === "" ? "" : `\nThat ${text}.`}\n${removal}`;
  if (options.dryRun) return say(false, `${preview}Nothing was done.\n`);
  if (isNarrower) {
    err(preview);
    await confirmed(`Narrow what ${site.name} keeps?`, options, surroundings);
  }
  await client.changeSite(site.id, changeOf(after));
  say(
    true,
    `${what}. Within minutes every type is walked through under the new rule; see it: geo status --site ${site.name}\n`,
  );
};

/** `geo selective-sync …`: which objects a secondary wants (F51-F53). */
export const addSelectiveSync = (parent: Command, surroundings: Surroundings): void => {
  const command = parent.command("selective-sync").description("Which objects a secondary wants.");
  const added = (name: string, description: string): Command =>
    addOutputOption(addConnectionOptions(command.command(name).description(description)));

  addExamples(
    added("show", "What a secondary wants now.").action(async (raw: unknown) => {
      const options = readOptions(Options, raw);
      const { client, site } = await connectSecondary(options, "wants everything", surroundings);
      const selection = selectionOf(await client.site(site.id));
      surroundings.out(
        options.output === "json"
          ? jsonLine({ site: site.name, ...selection })
          : `${site.name}: ${selectionText(selection)}\n`,
      );
    }),
    "geo selective-sync show",
  );

  addExamples(
    addCautionOptions(added("set", "Has a secondary want only what a rule names."))
      .option("--namespaces <ids>", "these with all below them, commas between the ids")
      .option("--shards <names>", "what these shards have")
      .option("--organizations <ids>", "what these organizations have")
      .addHelpText("after", HELP)
      .action(async (raw: unknown) => {
        const options = readOptions(Options, raw);
        await change(wishOf(options), options, surroundings);
      }),
    "geo selective-sync set --namespaces 7,42 --dry-run",
    "geo selective-sync set --organizations 1 --yes",
  );

  addExamples(
    addCautionOptions(added("clear", "Has a secondary want everything again.")).action(async (raw: unknown) =>
      change({ type: null, ids: [] }, readOptions(Options, raw), surroundings),
    ),
    "geo selective-sync clear",
  );
};
