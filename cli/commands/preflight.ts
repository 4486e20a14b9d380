import { setTimeout as passing } from "node:timers/promises";
import type { Command } from "commander";
import * as z from "zod";
import { addConnectionOptions, type Connection } from "../connection.ts";
import { CommandError, EXIT } from "../exit-codes.ts";
import { wrapped } from "../output/lines.ts";
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
import { allOf, countOf } from "../output/texts.ts";
import { type Findings, findHindrances, findUnsettledRows, lookAtQueues } from "../preflight/hindrances.ts";
import { complaintLine } from "../status/complaints.ts";
import { type SeenSites, seeSites } from "../status/seen-sites.ts";
import type { Surroundings } from "../surroundings.ts";

const Options = z.object({ ...CONNECTION_OPTIONS, output: OutputFormat });

type Options = z.infer<typeof Options>;

/** How long until all is looked at again when all was well, milliseconds: as between two looks of `geo wait`. */
const LOOK_AGAIN_MS = 2_000;

const HELP = `
Exits with 0 only when every type that has objects is checksummed at the primary, and synced and verified to the last one at each
secondary (with --site: at that one), nothing has failed, no queue holds a message, no removal is held back, nothing is under way that
changes many objects, both sides were compared to the end, no type that has objects is switched off or not verified, and every site
answers, is healthy and is not paused. It looks twice, and then asks the registries of the types that are counted (of all, if none is)
whether they list anything unfinished that the counters do not tell of, which takes tokens of scope admin_geo. Else it exits with 3 and
names what stands in the way, a line each, with the command that shows or heals it. Stop writing to the primary before you believe it:
it tells of now.`;

/** The secondary that is meant, or all, and the primary, without which nobody can tell what is missing. */
const meant = (all: SeenSites, name: string | undefined): SeenSites => {
  if (name === undefined) return all;
  const isMeant = (site: { readonly name: string; readonly primary?: boolean }): boolean =>
    site.name === name || site.primary === true;
  if (!all.seen.some((site) => site.name === name) && !all.unreached.some((site) => site.name === name)) {
    const names = all.seen.filter(({ primary }) => !primary).map((site) => site.name);
    throw new CommandError(EXIT.usage, `--site is ${JSON.stringify(name)}, expected one of ${names.join(", ")}`);
  }
  // Whoever does not answer may be the primary.
  return { ...all, seen: all.seen.filter(isMeant) };
};

const anyConnection = ({ seen }: SeenSites): Connection => {
  const [first] = seen.flatMap(({ connection }) => (connection === undefined ? [] : [connection]));
  if (first === undefined) throw new CommandError(EXIT.failure, "no site could be asked");
  return first;
};

const show = ({ hindrances, notes, secondaries }: Findings, isJson: boolean, surroundings: Surroundings): void => {
  const { out } = surroundings;
  const isReady = hindrances.length === 0;
  if (isJson) return out(jsonLine({ ready: isReady, hindrances, notes, secondaries }));
  const paint = painter(surroundings);
  const columns = columnsOf(surroundings);
  const lines = (text: string): readonly string[] =>
    wrapped(text, columns - 2).map((line, at) => (at === 0 ? line : `  ${line}`));
  for (const note of notes) out(`${paint("faint", lines(`Note: ${note}`).join("\n"))}\n`);
  for (const hindrance of hindrances) out(`${paint("bad", lines(complaintLine(hindrance)).join("\n"))}\n`);
  if (!isReady) return;
  for (const { name, objects } of secondaries) {
    out(`${paint("good", `${name}: ${allOf(objects, "object")} synced and verified. Nothing stands in the way.`)}\n`);
  }
};

/** Looks at all sites, twice when all is well: what moves between two questions to different sites is met by the second look. */
const judge = async (options: Options, surroundings: Surroundings): Promise<Findings> => {
  const { now = () => Date.now(), replicables, sleep = passing } = surroundings;
  const see = async (): Promise<SeenSites> =>
    meant(await seeSites({ ...options, site: undefined }, surroundings), options.site);
  const look = async (before: SeenSites) => {
    const queues = await lookAtQueues(before);
    const sites = await see();
    const features = await anyConnection(sites).client.features();
    return { sites, features, findings: await findHindrances(sites, queues, features, { replicables, now: now() }) };
  };
  const first = await see();
  if (!first.seen.some(({ primary }) => !primary) && first.unreached.length === 0) {
    throw new CommandError(EXIT.usage, "no secondary is known; expected one in the file of sites (GEO_SITES_FILE)");
  }
  const once = await look(first);
  if (once.findings.hindrances.length > 0) return once.findings;
  await sleep(LOOK_AGAIN_MS);
  const { sites, features, findings } = await look(once.sites);
  if (findings.hindrances.length > 0) return findings;
  return { ...findings, hindrances: await findUnsettledRows(sites, features, replicables) };
};

/** `geo preflight`: whether a secondary could take over now (F99). */
export const addPreflight = (parent: Command, surroundings: Surroundings): void => {
  const command = parent
    .command("preflight")
    .description("Whether secondaries have everything, so that one could take over.");
  addOutputOption(addConnectionOptions(command))
    .addHelpText("after", HELP)
    .action(async (raw: unknown) => {
      const options = readOptions(Options, raw);
      const findings = await judge(options, surroundings);
      show(findings, options.output === "json", surroundings);
      const count = findings.hindrances.length;
      if (count > 0)
        throw new CommandError(EXIT.unhealthy, `${countOf(count, "thing stands", "things stand")} in the way`);
    });
  addExamples(command, "geo preflight", "geo preflight --site ireland --output json");
};
