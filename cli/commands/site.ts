import type { Command } from "commander";
import * as z from "zod";
import type { SiteSettingsAnswer } from "../../shared/client/contract.ts";
import { addConnectionOptions, connect, connectSecondary } from "../connection.ts";
import { confirmed } from "../output/confirm.ts";
import { grid } from "../output/grid.ts";
import { type Fact, factLines } from "../output/lines.ts";
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
import { columnsOf } from "../output/terminal.ts";
import { isPaused } from "../status/complaints.ts";
import { type SeenSites, seeSites } from "../status/seen-sites.ts";
import { syncSettings } from "../status/sync-settings.ts";
import { sumOf, typesOf } from "../status/type-progress.ts";
import type { Surroundings } from "../surroundings.ts";

const Options = z.object({ ...CONNECTION_OPTIONS, ...CAUTION_OPTIONS, output: OutputFormat });
type Options = z.infer<typeof Options>;

const PAUSING = `
A paused secondary copies nothing, removes nothing and verifies nothing. It goes on hearing of changes and keeps all of them in its
queues and its registry, so that after "geo site resume" it follows everything that happened meanwhile; its API, its status and
its alarms go on as well. What is under way when it is paused is brought to its end. While it is paused its replicas fall behind:
never pause a site that you are about to fail over to.`;

/** What is known of every site, in a row each. */
const siteRows = ({ seen, noted, unreached }: SeenSites) => [
  ...seen.map((site) => ({
    name: site.name,
    role: site.primary ? "primary" : "secondary",
    region: site.status.region,
    health: site.status.health_status.toLowerCase(),
    state: isPaused(site) ? "paused" : "enabled",
    sync: site.primary ? "-" : syncSettings(site),
    url: site.connection?.url ?? site.settings?.url ?? "-",
  })),
  ...noted.map((site) => ({
    name: site.name,
    role: "secondary",
    region: "-",
    health: "not deployed",
    state: site.enabled ? "enabled" : "disabled",
    sync: "-",
    url: site.url ?? "-",
  })),
  ...unreached
    .filter(({ name }) => !seen.some((site) => site.name === name))
    .map(({ name }) => ({ name, role: "-", region: "-", health: "unreachable", state: "-", sync: "-", url: "-" })),
];

const list = async (options: Options, surroundings: Surroundings): Promise<void> => {
  const { out, err } = surroundings;
  const sites = await seeSites(options, surroundings);
  const rows = siteRows(sites);
  for (const { name, problem } of sites.unreached) err(`${printable(`${name}: ${problem}`)}\n`);
  if (options.output === "json") return out(jsonLine(rows));
  const heading = ["name", "role", "region", "health", "state", "sync", "url"] as const;
  out(
    grid(
      heading,
      rows.map((row) => heading.map((column) => printable(row[column]))),
      columnsOf(surroundings),
    ),
  );
};

const settingsFacts = (site: SiteSettingsAnswer, statusSync: string): readonly Fact[] => [
  { label: "Name", text: site.name },
  { label: "Geo Role", text: site.primary ? "Primary" : "Secondary" },
  { label: "Id", text: String(site.id) },
  { label: "URL", text: site.url ?? "none" },
  { label: "Internal URL", text: site.internal_url ?? "none" },
  { label: "State", text: site.enabled ? "enabled" : "paused" },
  ...(site.primary
    ? []
    : [
        { label: "Sync Settings", text: statusSync },
        { label: "Keeps objects", text: site.sync_object_storage === false ? "no" : "yes" },
        { label: "Copies at once, at most", text: String(site.files_max_capacity) },
      ]),
  { label: "Verifications at once, at most", text: String(site.verification_max_capacity) },
  { label: "Verified again after", text: countOf(site.minimum_reverification_interval, "day") },
  { label: "A copy is given up on after", text: countOf(site.blob_download_timeout, "second") },
];

const show = async (options: Options, surroundings: Surroundings): Promise<void> => {
  const { client, site, statuses } = await connect(options, "secondary", surroundings);
  const settings = await client.site(site.id);
  if (options.output === "json") return surroundings.out(jsonLine(settings));
  const facts = settingsFacts(settings, syncSettings({ status: statuses[0], settings }));
  surroundings.out(
    factLines(
      facts.map((fact) => ({ ...fact, text: printable(fact.text) })),
      columnsOf(surroundings),
    ),
  );
};

/** Pauses a secondary, or has it go on. */
const enable = async (enabled: boolean, options: Options, surroundings: Surroundings): Promise<void> => {
  const { out, err, replicables } = surroundings;
  const { client, site, statuses } = await connectSecondary(options, "can not be paused", surroundings);
  const before = await client.site(site.id);
  const { queued } = sumOf(typesOf(statuses[0], replicables).map(({ replicated }) => replicated));
  const say = (changed: boolean, text: string): void =>
    out(
      options.output === "json"
        ? jsonLine({
            site: site.name,
            enabled: changed || !options.dryRun ? enabled : before.enabled,
            changed,
            dry_run: options.dryRun,
          })
        : `${text}\n`,
    );
  const isNow = enabled ? "is not paused" : "is paused";
  if (before.enabled === enabled) return say(false, `${site.name} ${isNow}. Nothing was done.`);
  const meaning = enabled
    ? `${site.name} would go on: ${countOf(queued, "object waits", "objects wait")} in its registry, and what its queues have heard meanwhile.`
    : `${site.name} would copy, remove and verify nothing until "geo site resume --site ${site.name}"; it keeps hearing of changes.`;
  if (options.dryRun) return say(false, `${meaning} Nothing was done.`);
  if (!enabled) {
    err(`${meaning}\n`);
    await confirmed(`Pause ${site.name}?`, options, surroundings);
  }
  await client.changeSite(site.id, { enabled });
  say(
    true,
    enabled
      ? `${site.name} goes on, within ten seconds. See it catch up: geo wait synced --site ${site.name}`
      : `${site.name} is paused, within ten seconds. To go on: geo site resume --site ${site.name}`,
  );
};

/** Most name the site as they would behind --site. */
const named = (name: string | undefined, raw: unknown): Options => {
  const options = readOptions(Options, raw);
  return name === undefined ? options : { ...options, site: name };
};

/** `geo site …`: which sites there are, and pausing one (F94, F98). */
export const addSite = (parent: Command, surroundings: Surroundings): void => {
  const command = parent.command("site").description("Which sites there are, their settings, and pausing one.");
  const added = (name: string, description: string): Command =>
    addOutputOption(addConnectionOptions(command.command(name).description(description)));

  addExamples(
    added("list", "Every site that is known, in a row each.").action(async (raw: unknown) =>
      list(readOptions(Options, raw), surroundings),
    ),
    "geo site list",
    "geo site list --output json",
  );

  addExamples(
    added("show", "A site with its settings.")
      .argument("[name]", "of the site, as behind --site; default: the secondary")
      .action(async (name: string | undefined, raw: unknown) => show(named(name, raw), surroundings)),
    "geo site show ireland",
    "geo site show ireland --output json",
  );

  addExamples(
    addCautionOptions(added("pause", "Has a secondary start no more work, until it is resumed."))
      .argument("[name]", "of the site, as behind --site; default: the secondary")
      .addHelpText("after", PAUSING)
      .action(async (name: string | undefined, raw: unknown) => enable(false, named(name, raw), surroundings)),
    "geo site pause ireland --dry-run",
    "geo site pause ireland --yes",
  );

  addExamples(
    addCautionOptions(added("resume", "Has a paused secondary go on."))
      .argument("[name]", "of the site, as behind --site; default: the secondary")
      .action(async (name: string | undefined, raw: unknown) => enable(true, named(name, raw), surroundings)),
    "geo site resume ireland",
  );
};
