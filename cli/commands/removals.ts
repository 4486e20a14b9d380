import type { Command } from "commander";
import * as z from "zod";
import type { RemovalGuardState } from "../../shared/client/contract.ts";
import { RELEASE_BOUNDS, RELEASE_MINUTES_DEFAULT } from "../../shared/geo/removal-guard.ts";
import { addConnectionOptions, connectSecondary } from "../connection.ts";
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
import { countOf, countText, spanText } from "../output/texts.ts";
import { typeNamed } from "../registry/asked-types.ts";
import { timeText } from "../registry/registry-answer.ts";
import type { Surroundings } from "../surroundings.ts";

const whole = (name: string, { least, most }: { readonly least: number; readonly most: number }) => {
  const error = `--${name}: expected a whole number from ${least} to ${most}`;
  return z.coerce.number({ error }).int({ error }).min(least, { error }).max(most, { error });
};

const ListOptions = z.object({ ...CONNECTION_OPTIONS, output: OutputFormat });

const ReleaseOptions = z.object({
  ...CONNECTION_OPTIONS,
  ...CAUTION_OPTIONS,
  removals: whole("removals", RELEASE_BOUNDS.removals),
  minutes: whole("minutes", RELEASE_BOUNDS.minutes).default(RELEASE_MINUTES_DEFAULT),
  output: OutputFormat,
});

const HELP = `
When far more objects of a type are deleted on the primary within an hour than people delete, a secondary holds removals back: an
emptied or wrong bucket looks exactly like people who tidy up. Look first (docs/runbook.md, RemovalHeldBack), release then.`;

const AT_PRIMARY = "removes nothing";

const rowOf = (guard: RemovalGuardState): readonly string[] => [
  guard.replicable_name,
  countText(guard.removals),
  guard.limit === null ? "-" : countText(guard.limit),
  guard.paused_at === null ? "-" : timeText(guard.paused_at),
  guard.release === null ? "-" : `${countText(guard.release.removals)} until ${timeText(guard.release.until)}`,
];

const list = async (options: z.infer<typeof ListOptions>, surroundings: Surroundings): Promise<void> => {
  const { out } = surroundings;
  const { client, site } = await connectSecondary(options, AT_PRIMARY, surroundings);
  const guards = await client.removalGuards(site.id);
  if (options.output === "json") return out(jsonLine({ site: site.name, removal_guards: guards }));
  const used = guards.filter(({ limit }) => limit !== null);
  out(
    used.length === 0
      ? `${site.name} has never removed anything.\n`
      : grid(
          ["type", "removals this hour", "limit", "held back since", "released"],
          used.map(rowOf),
          columnsOf(surroundings),
        ),
  );
};

const release = async (
  type: string,
  options: z.infer<typeof ReleaseOptions>,
  surroundings: Surroundings,
): Promise<void> => {
  const { out, replicables } = surroundings;
  const { name } = typeNamed(type, replicables);
  const { client, site } = await connectSecondary(options, AT_PRIMARY, surroundings);
  const { removals, minutes } = options;
  const what = `${countOf(removals, "more removal")} of ${name} at ${site.name}, within ${spanText(minutes * 60)}`;
  if (options.dryRun) {
    const wish = { dry_run: true, site: site.name, replicable_name: name, removals, minutes };
    return out(options.output === "json" ? jsonLine(wish) : `Would let through: ${what}. Nothing was done.\n`);
  }
  await confirmed(`Let through ${what}?`, options, surroundings);
  const released = await client.releaseRemovals(site.id, name, { removals, minutes });
  out(
    options.output === "json"
      ? jsonLine({ site: site.name, ...released })
      : `Let through: ${what}. What was held back is tried again within ${spanText(released.retried_within_seconds)}; ` +
          `at once: geo redrive --site ${site.name} --type ${name} --reason removal_guard --yes\n`,
  );
};

/** `geo removals …`: what the removal guards of a secondary hold back, and letting it through. */
export const addRemovals = (parent: Command, surroundings: Surroundings): void => {
  const command = parent
    .command("removals")
    .description("Removals that a secondary's guards hold back, and letting them through.")
    .addHelpText("after", HELP);

  const listing = command.command("list").description("The guard of every type that has ever removed anything.");
  addOutputOption(addConnectionOptions(listing)).action(async (raw: unknown) =>
    list(readOptions(ListOptions, raw), surroundings),
  );
  addExamples(listing, "geo removals list", "geo removals list --site ireland --output json");

  const releasing = command
    .command("release")
    .argument("<type>", "such as lfs_object")
    .description("Lets so many more removals of a type through. Asks first.")
    .requiredOption("--removals <number>", "how many; some more than you expect")
    .option("--minutes <number>", "how long that holds", String(RELEASE_MINUTES_DEFAULT));
  addOutputOption(addCautionOptions(addConnectionOptions(releasing)))
    .addHelpText("after", HELP)
    .action(async (type: string, raw: unknown) => release(type, readOptions(ReleaseOptions, raw), surroundings));
  addExamples(
    releasing,
    "geo removals release lfs_object --removals 5000",
    "geo removals release lfs_object --removals 5000 --minutes 120 --yes",
  );
};
