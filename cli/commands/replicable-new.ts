import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Command, Option } from "commander";
import * as z from "zod";
import { CHECKSUM_POLICIES, type Replicable, SHARDING_KEYS } from "../../shared/geo/replicable.ts";
import { CommandError, EXIT } from "../exit-codes.ts";
import { formatted } from "../scaffold/formatted.ts";
import { LIST } from "../scaffold/listed.ts";
import { planNewType } from "../scaffold/plan-new-type.ts";
import { type PlannedFile, writeFiles } from "../scaffold/write-files.ts";
import type { Surroundings } from "../surroundings.ts";

const text = z.string().optional();
const list = z
  .string()
  .transform((value) => value.split(",").map((part) => part.trim()))
  .optional();

const Options = z.object({
  shardingKey: list,
  keyPattern: text,
  model: text,
  table: text,
  uploader: list,
  milestone: text,
  plural: text,
  checksum: text,
  dryRun: z.boolean().default(false),
  yes: z.boolean().default(false),
  output: z.enum(["table", "json"]),
});

const EXAMPLES = `
Examples:
  $ geo replicable new cool_gadget --sharding-key project_id
  $ geo replicable new cool_gadget --sharding-key project_id --key-pattern 'gadgets/{project_id}/{id}/{filename+}'
  $ geo replicable new cool_leaf --plural cool_leaves --sharding-key namespace_id --model Cool::Leaf --dry-run

In a key pattern {name} takes what stands between two slashes, and {name+}, at its end, the rest of the key. One of them is
{id}, the record's id. What it declares is off by default, so that it can be deployed before it is used.`;

interface DoneFile extends PlannedFile {
  readonly action: "created" | "changed";
}

const report = (replicable: Replicable, files: readonly DoneFile[], isDryRun: boolean): string => {
  const { name, names, keyPattern } = replicable;
  const done = files.map(({ path, action }) => `  ${action.padEnd(8)} ${path}`);
  const contents = files.flatMap(({ path, text: content }) => ["", `--- ${path}`, content.trimEnd()]);
  return [
    `${isDryRun ? "Would declare" : "Declared"} ${name}: objects at ${keyPattern.text}`,
    ...done,
    ...(isDryRun
      ? contents
      : [
          `It is off until ${names.flags.replication} is turned on. Next:`,
          `  npm run conformance -- -t ${name}`,
          "  docs/adding-a-replicable.md",
        ]),
    "",
  ].join("\n");
};

const document = (replicable: Replicable, files: readonly DoneFile[], isDryRun: boolean): string => {
  const { name, names, keyPattern } = replicable;
  const told = files.map(({ path, action, text: content }) => ({ path, action, ...(isDryRun ? { content } : {}) }));
  return `${JSON.stringify({ name, key_pattern: keyPattern.text, flag: names.flags.replication, written: !isDryRun, files: told })}\n`;
};

/** `geo replicable new`: declares a type, lists it, and adds it to the page of supported types. */
export const addReplicableNew = (parent: Command, { root, replicables, out, err, ask }: Surroundings): void => {
  parent
    .command("new")
    .description("Declares a new kind of object, in this checkout.")
    .argument("<name>", "snake_case and singular; it never changes, since rows are kept under it")
    .requiredOption(
      "--sharding-key <keys>",
      `what its records belong to: ${SHARDING_KEYS.join(", ")}; several with commas`,
    )
    .option("--key-pattern <pattern>", "where its objects are (default: <table>/{<sharding key>}/{id}/{filename+})")
    .option("--model <class>", "the class whose files these are (default: CoolGadget)")
    .option("--table <table>", "the table of its records (default: cool_gadgets)")
    .option(
      "--uploader <classes>",
      "the class that writes the files (default: CoolGadgetUploader); several with commas",
    )
    .option("--milestone <version>", "the version that introduces it (default: this product's)")
    .option("--plural <name>", "only where English is irregular")
    .option("--checksum <policy>", `how replicas are compared: ${CHECKSUM_POLICIES.join(", ")}`)
    .option("--dry-run", "write nothing; show what would be written")
    .option("--yes", "do not ask before writing")
    .addOption(new Option("--output <form>", "how to answer").choices(["table", "json"]).default("table"))
    .addHelpText("after", EXAMPLES)
    .action(async (name: string, raw: unknown) => {
      const options = Options.parse(raw);
      const { shardingKey: shardingKeys = [], uploader: uploaders, dryRun, yes, output, ...wanted } = options;
      const plan = planNewType(
        { ...wanted, name, shardingKeys, uploaders },
        replicables,
        await readFile(join(root, LIST), "utf8"),
      );
      if (plan.outcome === "refused") {
        throw new CommandError(
          EXIT.usage,
          [`${name} can not be declared, and nothing was written:`, ...plan.problems].join("\n- "),
        );
      }
      const taken = plan.created.find(({ path }) => existsSync(join(root, path)));
      if (taken !== undefined) {
        throw new CommandError(
          EXIT.usage,
          `${taken.path} is there already, and nothing was written; expected no such file`,
        );
      }
      const files: DoneFile[] = [];
      for (const [action, planned] of [
        ["created", plan.created],
        ["changed", plan.changed],
      ] as const) {
        for (const { path, text: source } of planned) {
          files.push({ path, action, text: await formatted(root, path, source) });
        }
      }
      const answer = output === "json" ? document : report;
      if (!dryRun) {
        if (!yes && ask !== undefined) {
          err(`${files.map(({ path, action }) => `${action} ${path}`).join("\n")}\n`);
          if (!(await ask("Write these files?"))) throw new CommandError(EXIT.failure, "nothing was written");
        }
        await writeFiles(root, files);
      }
      out(answer(plan.replicable, files, dryRun));
    });
};
