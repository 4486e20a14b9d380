import type { Command } from "commander";
import * as z from "zod";
import { GeoApiError } from "../../shared/client/client.ts";
import type { SiteSettingsAnswer } from "../../shared/client/contract.ts";
import { findKeyProblem } from "../../shared/geo/key-codec.ts";
import { addConnectionOptions, type Connection, connectAll, reached, type Reach } from "../connection.ts";
import { CommandError, EXIT } from "../exit-codes.ts";
import type { AskedSite, UnaskedSite } from "../explain/asked-site.ts";
import { explanationDocument, explanationText } from "../explain/explanation-text.ts";
import { explain } from "../explain/explanation.ts";
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
import type { Surroundings } from "../surroundings.ts";

const Options = z.object({ ...CONNECTION_OPTIONS, output: OutputFormat });

const HELP = `
Every site that is known is asked, the primary and all secondaries; one that can not be asked is named, and then it is not known
whether the object is safe there. Safe is what was verified, and is of the version that the primary has recorded; what is not
known is not called safe. Of a row in quarantine it says until when an old write may still land, and calls it safe only if it was
read since it came under suspicion. Nothing is changed, and S3 is asked nothing: a change whose event is still on its way is not
known to any site.
Exit codes: 0 safe wherever it is to be kept, 3 not safe or not known, 1 no site could be asked, 2 not a key, 4 not allowed.`;

/** What a site tells of a key, and whom it knows; or why it does not. */
const ask = async (
  reach: Reach,
  key: string,
): Promise<
  (AskedSite & { readonly knows: readonly SiteSettingsAnswer[] }) | (UnaskedSite & { readonly error: Error })
> => {
  if ("problem" in reach) return { name: reach.name, problem: reach.problem.message, error: reach.problem };
  const { client, site } = reach.connection;
  try {
    const [object, knows, queues] = await Promise.all([
      client.object(site.id, key),
      client.sites(),
      client.queues(site.id).catch((error: unknown) => {
        if (error instanceof GeoApiError) return undefined; // they say more of it, and decide nothing
        throw error;
      }),
    ]);
    const keepsObjects = knows.find(({ id }) => id === site.id)?.sync_object_storage !== false;
    return { name: site.name, object, queues, keepsObjects, knows };
  } catch (error) {
    if (!(error instanceof GeoApiError)) throw error;
    return { name: site.name, problem: error.message, error };
  }
};

/** Sites that the primary has heard of, or that somebody has noted there, and that no file of sites names. */
const unnamed = (
  connections: readonly Connection[],
  noted: readonly SiteSettingsAnswer[],
  names: ReadonlySet<string>,
): readonly UnaskedSite[] =>
  [...connections.flatMap(({ statuses }) => statuses), ...noted]
    .map(({ name }) => name)
    .filter((name, place, all) => !names.has(name) && all.indexOf(name) === place)
    .map((name) => ({ name, problem: "the primary knows it, and the file of sites does not say where it is" }));

/** `geo explain`: the life of one object, on every site. */
export const addExplain = (parent: Command, surroundings: Surroundings): void => {
  const { out, now = () => Date.now() } = surroundings;
  const command = parent
    .command("explain")
    .argument("<key>", "the whole S3 key")
    .description("What became of one object, on every site, and what to do about it.");
  addOutputOption(addConnectionOptions(command))
    .addHelpText("after", HELP)
    .action(async (key: string, raw: unknown) => {
      const options = readOptions(Options, raw);
      const problem = findKeyProblem(key);
      if (problem !== undefined) throw new CommandError(EXIT.usage, `<key>: ${problem}`);
      const all = await connectAll(options, surroundings);
      const connections = reached(all);
      const answers = await Promise.all(all.map((reach) => ask(reach, key)));
      const told = answers.filter((answer) => "object" in answer);
      const [first, ...others] = told;
      const [failure] = answers.flatMap((answer) => ("error" in answer ? [answer.error] : []));
      if (first === undefined) throw failure ?? new CommandError(EXIT.failure, "no site could be asked");
      const unasked = [
        ...answers.flatMap((answer) => ("error" in answer ? [{ name: answer.name, problem: answer.problem }] : [])),
        ...(options.site === undefined
          ? unnamed(
              connections,
              told.flatMap(({ knows }) => knows),
              new Set(all.map(({ name }) => name)),
            )
          : []),
      ];
      const explanation = explain([first, ...others], unasked);
      out(
        options.output === "json"
          ? jsonLine(explanationDocument(explanation))
          : explanationText(explanation, {
              columns: columnsOf(surroundings),
              paint: painter(surroundings),
              now: now(),
            }),
      );
      if (!explanation.safe) throw new CommandError(EXIT.unhealthy, "it is not known to be safe everywhere");
    });
  addExamples(
    command,
    "geo explain lfs_objects/42/4c/8e31f2",
    "geo explain lfs_objects/42/4c/8e31f2 --site ireland",
    "geo explain 'uploads/-/system/user/avatar/1/my photo.png' --output json",
  );
};
