import type { Command } from "commander";
import * as z from "zod";
import type { DestroyProgress, DestroyWish } from "../../shared/client/destroy-contract.ts";
import { addConnectionOptions, connect, type Connection } from "../connection.ts";
import { planText, progressLine, watchDestroy } from "../destroy/watch-destroy.ts";
import { CommandError, EXIT } from "../exit-codes.ts";
import { addExamples, addOutputOption, CONNECTION_OPTIONS, OutputFormat, readOptions } from "../output/options.ts";
import type { Surroundings } from "../surroundings.ts";

const Options = z.object({
  ...CONNECTION_OPTIONS,
  output: OutputFormat,
  wait: z.boolean().default(true),
  watch: z.boolean().default(false),
  yes: z.boolean().default(false),
  confirm: z.string().optional(),
  type: z.string().optional(),
  namespace: z.string().optional(),
  project: z.string().optional(),
  organization: z.string().optional(),
  prefix: z.string().optional(),
  key: z.array(z.string()).optional(),
});
type Options = z.infer<typeof Options>;

const HELP = `
Nothing is destroyed without a dry run, and only what it showed: an object that is overwritten meanwhile stays. Objects are
hidden behind delete markers; as long as their versions are kept, "geo destroy undo" brings them back.`;

const wishOf = (options: Options): DestroyWish => {
  const parents: readonly DestroyWish[] = [
    ...(options.namespace === undefined ? [] : [{ namespace_id: options.namespace }]),
    ...(options.project === undefined ? [] : [{ project_id: options.project }]),
    ...(options.organization === undefined ? [] : [{ organization_id: options.organization }]),
    ...(options.prefix === undefined ? [] : [{ prefix: options.prefix }]),
    ...(options.key === undefined ? [] : [{ keys: options.key }]),
  ];
  const [parent] = parents;
  if (parent === undefined || parents.length > 1) {
    throw new CommandError(
      EXIT.usage,
      `expected exactly one of --namespace, --project, --organization, --prefix, --key; got ${parents.length}`,
    );
  }
  return { ...parent, ...(options.type === undefined ? {} : { replicable_name: options.type }) };
};

/** The number that is confirmed: the one that was given, or the one that is shown and agreed to. */
const countToConfirm = async (options: Options, seen: DestroyProgress, { ask, err }: Surroundings): Promise<number> => {
  if (options.confirm !== undefined) {
    const count = Number(options.confirm);
    if (Number.isSafeInteger(count) && count > 0) return count;
    throw new CommandError(EXIT.usage, `--confirm is ${JSON.stringify(options.confirm)}, expected a number of objects`);
  }
  if (options.yes) return seen.object_count;
  err(planText(seen));
  if (ask === undefined) {
    throw new CommandError(
      EXIT.usage,
      "nobody is there to ask; expected --confirm with the number that was shown, or --yes",
    );
  }
  if (await ask(`Destroy these ${seen.object_count} objects on every site?`)) return seen.object_count;
  throw new CommandError(EXIT.failure, "nothing was destroyed");
};

const inALine = (destroy: DestroyProgress): string => `${progressLine(destroy)}\n`;

/** `geo destroy …`: destroys all objects of a parent, and brings them back (F80-F83). */
export const addDestroy = (parent: Command, surroundings: Surroundings): void => {
  const { out } = surroundings;
  const command = parent
    .command("destroy")
    .description("Destroys all objects of a namespace, a project, a prefix or a list, on every site.")
    .addHelpText("after", HELP);
  const added = (name: string, description: string, ...examples: readonly string[]): Command =>
    addExamples(
      addOutputOption(addConnectionOptions(command.command(name).description(description)).addHelpText("after", HELP)),
      ...examples,
    );
  const say = (options: Options, destroy: DestroyProgress, text: (destroy: DestroyProgress) => string): void =>
    out(options.output === "json" ? `${JSON.stringify(destroy)}\n` : text(destroy));
  const opened = (options: Options): Promise<Connection> => connect(options, "primary", surroundings);

  /** Waits, unless told not to, and fails if it did not come to what was wanted. */
  const settled = async (
    connection: Connection,
    id: string,
    options: Options,
    wanted: DestroyProgress["state"],
    text = inALine,
  ): Promise<void> => {
    const destroy = options.wait
      ? await watchDestroy(connection, id, surroundings)
      : await connection.client.destroy(connection.site.id, id);
    say(options, destroy, text);
    if (options.wait && destroy.state !== wanted) {
      throw new CommandError(
        EXIT.failure,
        `it is ${destroy.state}, expected ${wanted}${destroy.problem === null ? "" : `: ${destroy.problem}`}`,
      );
    }
    if (options.wait && destroy.restore_failed_count > 0) {
      throw new CommandError(
        EXIT.failure,
        `${destroy.restore_failed_count} objects could not be brought back${destroy.problem === null ? "" : ` (${destroy.problem})`}; ` +
          `mend the reason and undo it again: geo destroy undo ${destroy.id}`,
      );
    }
  };

  added(
    "plan",
    "A dry run: lists what would be destroyed, and destroys nothing.",
    "geo destroy plan --namespace 42",
    "geo destroy plan --project 7 --type job_artifact",
    "geo destroy plan --prefix namespace_uploads/42/",
  )
    .option("--namespace <id>", "a namespace with all its descendants")
    .option("--project <id>", "a project, by the keys of its objects")
    .option("--organization <id>", "an organization")
    .option("--prefix <text>", "every key that begins so and is of a declared type")
    .option("--key <key...>", "these keys")
    .option("--type <name>", "objects of this type only (default: of every type)")
    .option("--no-wait", "do not wait until everything is listed")
    .action(async (raw: unknown) => {
      const options = readOptions(Options, raw);
      const wish = wishOf(options);
      const connection = await opened(options);
      const { id } = await connection.client.planDestroy(connection.site.id, wish);
      await settled(connection, id, options, "planned", planText);
    });

  added(
    "confirm",
    "Destroys what a dry run has shown, or goes on with a destroy that stopped.",
    "geo destroy confirm 0a1b2c3d4e5f --confirm 1234",
  )
    .argument("<id>", "of the dry run")
    .option("--confirm <count>", "the number of objects that it showed")
    .option("--yes", "confirm the number that it shows now, without a question")
    .option("--no-wait", "do not wait until it is done")
    .action(async (id: string, raw: unknown) => {
      const options = readOptions(Options, raw);
      const connection = await opened(options);
      const seen = await connection.client.destroy(connection.site.id, id);
      const count = await countToConfirm(options, seen, surroundings);
      await connection.client.confirmDestroy(connection.site.id, id, count);
      await settled(connection, id, options, "destroyed");
    });

  added("show", "How far a destroy has come.", "geo destroy show 0a1b2c3d4e5f --watch")
    .argument("<id>", "12 letters and digits, from the list")
    .option("--watch", "wait until nothing is under way")
    .action(async (id: string, raw: unknown) => {
      const options = readOptions(Options, raw);
      const connection = await opened(options);
      const destroy = options.watch
        ? await watchDestroy(connection, id, surroundings)
        : await connection.client.destroy(connection.site.id, id);
      say(options, destroy, destroy.state === "planned" || destroy.state === "refused" ? planText : inALine);
    });

  added("list", "The newest destroys.", "geo destroy list").action(async (raw: unknown) => {
    const options = readOptions(Options, raw);
    const { client, site } = await opened(options);
    const destroys = await client.destroys(site.id);
    if (options.output === "json") return out(`${JSON.stringify(destroys)}\n`);
    for (const { id, requested_at: at, state, object_count: count } of destroys) {
      out(`${at}  ${id}  ${state}  ${count} objects\n`);
    }
  });

  added("cancel", "Ends a destroy; what is hidden stays hidden.", "geo destroy cancel 0a1b2c3d4e5f")
    .argument("<id>", "12 letters and digits, from the list")
    .action(async (id: string, raw: unknown) => {
      const options = readOptions(Options, raw);
      const { client, site } = await opened(options);
      await client.cancelDestroy(site.id, id);
      say(options, await client.destroy(site.id, id), inALine);
    });

  added("undo", "Brings back what a destroy has hidden; never over something newer.", "geo destroy undo 0a1b2c3d4e5f")
    .argument("<id>", "12 letters and digits, from the list")
    .option("--no-wait", "do not wait until it is done")
    .action(async (id: string, raw: unknown) => {
      const options = readOptions(Options, raw);
      const connection = await opened(options);
      await connection.client.undoDestroy(connection.site.id, id);
      await settled(connection, id, options, "undone");
    });
};
