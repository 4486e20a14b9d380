import type { Command } from "commander";
import * as z from "zod";
import { addConnectionOptions } from "../connection.ts";
import { CommandError, EXIT } from "../exit-codes.ts";
import { lookUntil } from "../look-until.ts";
import {
  addExamples,
  addOutputOption,
  CONNECTION_OPTIONS,
  jsonLine,
  OutputFormat,
  readOptions,
  readSpan,
} from "../output/options.ts";
import { painter } from "../output/paint.ts";
import { columnsOf } from "../output/terminal.ts";
import { complaintLine, ofStatus, ofUnreached } from "../status/complaints.ts";
import { type SeenSites, seeSites } from "../status/seen-sites.ts";
import { statusDocument } from "../status/status-document.ts";
import { statusLine, statusText, type StatusView } from "../status/status-text.ts";
import type { Surroundings } from "../surroundings.ts";

const Options = z.object({
  ...CONNECTION_OPTIONS,
  all: z.boolean().default(false),
  watch: z.boolean().default(false),
  interval: z.string().default("5s"),
  check: z.boolean().default(false),
  output: OutputFormat,
});
type Options = z.infer<typeof Options>;

const HELP = `
Every site that is known is asked; of one that does not answer, its primary tells what it last reported. "Queued" are objects that
wait or are being copied (read), "failed" those that are tried again later.`;

/** Clears the screen and begins at its top. */
const FROM_THE_TOP = "\u001b[H\u001b[2J";

/** What is not as it should be at any of them. */
const complaintsOf = (sites: SeenSites, { replicables, now = () => Date.now() }: Surroundings) => [
  ...ofUnreached(sites),
  ...sites.seen.flatMap((site) => ofStatus(site, now(), replicables)),
];

const show = (sites: SeenSites, options: Options, surroundings: Surroundings): void => {
  const { out, replicables, screen, now = () => Date.now() } = surroundings;
  if (options.output === "json") {
    return out(jsonLine(statusDocument(sites, complaintsOf(sites, surroundings), replicables)));
  }
  const view: StatusView = {
    replicables,
    all: options.all,
    columns: columnsOf(surroundings),
    paint: painter(surroundings),
    now: now(),
  };
  if (!options.watch) return out(statusText(sites, view));
  if (screen !== undefined) return out(`${FROM_THE_TOP}${statusText(sites, view)}\nCtrl-C ends this.\n`);
  out(sites.seen.map((site) => statusLine(site, view)).join(""));
};

const run = async (options: Options, surroundings: Surroundings): Promise<void> => {
  const everyMs = readSpan("--interval", options.interval);
  const look = (): Promise<SeenSites> => seeSites(options, surroundings);
  const tell = (sites: SeenSites): void => show(sites, options, surroundings);
  const watched = options.watch
    ? await lookUntil({ look, tell, isSettled: () => false, everyMs }, surroundings)
    : { seen: await look() };
  const { seen } = watched;
  if (!options.watch && seen !== undefined) tell(seen);
  if (!options.check || seen === undefined) return;
  const complaints = complaintsOf(seen, surroundings);
  if (complaints.length > 0) {
    throw new CommandError(
      EXIT.unhealthy,
      `not healthy:\n${complaints.map((one) => `  ${complaintLine(one)}\n`).join("")}`,
    );
  }
};

/** `geo status`: how far every site has come, as Geo's `geo:status` tells it. */
export const addStatus = (parent: Command, surroundings: Surroundings): void => {
  const command = parent.command("status").description("How far every site has come, type by type.");
  addOutputOption(addConnectionOptions(command).addHelpText("after", HELP))
    .option("--all", "types without a single object as well")
    .option("--watch", "show it again and again, until Ctrl-C")
    .option("--interval <time>", "time between two looks of --watch", "5s")
    .option("--check", "exit with 3 when a site is unhealthy, paused, not reached or old news, or objects failed")
    .action(async (raw: unknown) => run(readOptions(Options, raw), surroundings));
  addExamples(
    command,
    "geo status",
    "geo status --site ireland --all",
    "geo status --watch --interval 10s",
    "geo status --check --output json",
  );
};
