import { type Command, Option } from "commander";
import * as z from "zod";
import { CommandError, EXIT } from "../exit-codes.ts";

/** How an answer looks: for people, or one JSON document on one line, whose shape does not change. */
export const OutputFormat = z.enum(["table", "json"], { error: "--output: expected table or json" }).default("table");
export type OutputFormat = z.infer<typeof OutputFormat>;

/** The options by which a site's API is found, as `addConnectionOptions` adds them. */
export const CONNECTION_OPTIONS = {
  endpointUrl: z.string().optional(),
  site: z.string().optional(),
  token: z.string().optional(),
};

/** Shows command lines in a command's help, as one would type them. Tests run each of them. */
export const addExamples = (command: Command, ...examples: readonly string[]): Command =>
  command.addHelpText("after", `\nExamples:\n${examples.map((example) => `  $ ${example}`).join("\n")}`);

/** Gives a command the option by which its answer looks otherwise. */
export const addOutputOption = (command: Command): Command =>
  command.addOption(new Option("-o, --output <format>", "table or json").default("table"));

/** Gives a command what every command has that changes much: to only say what it would do, and not to ask. */
export const addCautionOptions = (command: Command): Command =>
  command.option("--dry-run", "only say what would be done").option("--yes", "do not ask");

/** As `addCautionOptions` adds them. */
export const CAUTION_OPTIONS = { dryRun: z.boolean().default(false), yes: z.boolean().default(false) };

/** Reads what Commander parsed. @throws CommandError that names every option that can not be used */
export const readOptions = <Schema extends z.ZodType>(schema: Schema, raw: unknown): z.output<Schema> => {
  const options = schema.safeParse(raw);
  if (options.success) return options.data;
  throw new CommandError(EXIT.usage, options.error.issues.map(({ message }) => message).join("; "));
};

/** One JSON document on one line. */
export const jsonLine = (document: unknown): string => `${JSON.stringify(document)}\n`;

const SECONDS = { s: 1, m: 60, h: 3_600, d: 86_400 } as const;

/**
 * Reads a time span such as `90s`, `10m`, `2h`; a number alone is seconds.
 * @returns milliseconds
 * @throws CommandError of what is none, or is not above 0
 */
export const readSpan = (option: string, text: string): number => {
  const [, amount = "", unit = "s"] = /^(\d+(?:\.\d+)?)(s|m|h|d)?$/.exec(text) ?? [];
  // The pattern lets no other unit through.
  const milliseconds = Number(amount) * SECONDS[unit as keyof typeof SECONDS] * 1_000;
  if (milliseconds > 0) return milliseconds;
  throw new CommandError(EXIT.usage, `${option} is ${JSON.stringify(text)}, expected a time such as 90s, 10m or 2h`);
};
