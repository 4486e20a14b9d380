import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod/mini";
import { Shape } from "../../shared/config/geo-config.ts";

/** Where the page is, beneath the checkout. */
export const CONFIG_PAGE = "docs/configuration.md";

/** Where the settings of each part are declared: file and constant. What a setting means stands there, in its comment. */
const PARTS: Readonly<Record<string, readonly [file: string, constant: string]>> = {
  "": ["shared/config/geo-config.ts", "Shape"],
  apiThrottle: ["shared/config/geo-config.ts", "Shape"],
  sites: ["shared/config/geo-config.ts", "Site"],
  "sites.existingBucket": ["shared/config/geo-config.ts", "ExistingBucket"],
  removalGuard: ["shared/config/removal-guard-config.ts", "RemovalGuardConfig"],
  largeObjects: ["shared/config/large-object-config.ts", "LargeObjectConfig"],
};

/** The parts, in the order of the page, with what is said of each. */
const SECTIONS: readonly (readonly [part: string, heading: string, text: string])[] = [
  ["", "The installation", "At the top of what `defineGeoConfig` is given."],
  ["sites", "A site", "Each entry of `sites`."],
  [
    "sites.existingBucket",
    "A bucket that you already have",
    "`existingBucket` of a site. Read [Adopting buckets](adopt.md) first.",
  ],
  ["apiThrottle", "What the API lets through", "`apiThrottle`: both numbers, or neither."],
  [
    "removalGuard",
    "The removal guard",
    "`removalGuard`: each number by itself. `floor` may not be above `most`. [What to do when it closes](runbook.md#event-consumer-removals-held-back).",
  ],
  [
    "largeObjects",
    "Large objects",
    "`largeObjects`: each size by itself, in bytes. `workflowBytes` has to be above `singleCopyBytes`.",
  ],
];

/** A setting as the schema has it; `description` is the schema's own word on what it takes. */
interface Setting {
  readonly description?: string | undefined;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Setting>> | undefined;
  readonly required?: readonly string[] | undefined;
  readonly items?: Setting | undefined;
}

const Setting: z.ZodMiniType<Setting> = z.lazy(() =>
  z.object({
    description: z.optional(z.string()),
    default: z.optional(z.unknown()),
    properties: z.optional(z.record(z.string(), Setting)),
    required: z.optional(z.array(z.string())),
    items: z.optional(Setting),
  }),
);

/** Something that no setting takes, so that each says what it expects instead. */
const NOTHING_THAT_IS_TAKEN = Symbol("nothing that is taken");

/** The schema as plain data. Bounds are rules in code, so what a value has to be is taken from the refusal of a wrong one. */
const settingsOf = (shape: z.ZodMiniType): Setting =>
  Setting.parse(
    z.toJSONSchema(shape, {
      io: "input",
      unrepresentable: "any",
      override: ({ zodSchema, jsonSchema }) => {
        const [issue] = z.core.safeParse(zodSchema, NOTHING_THAT_IS_TAKEN).error?.issues ?? [];
        if (issue !== undefined) jsonSchema.description = issue.message.replace(/^expected /, "");
      },
    }),
  );

const partOf = (settings: Setting, part: string): Setting =>
  part.split(".").reduce<Setting>((setting, name) => {
    if (name === "") return setting;
    const found = setting.properties?.[name];
    if (found === undefined) throw new Error(`the configuration has no part ${part}`);
    return found.items ?? found;
  }, settings);

/** What the comment above a setting says, in one line. */
const commentOf = (source: string, constant: string, name: string): string => {
  const [, declaration = ""] = source.split(new RegExp(`^(?:export )?const ${constant} = `, "m"));
  const [body = ""] = declaration.split(/^\}?\);$/m);
  const [, comment] = new RegExp(`/\\*\\*((?:(?!\\*/)[^])*)\\*/\\s+${name}:`).exec(body) ?? [];
  if (comment === undefined) throw new Error(`${constant} says nothing of ${name}: give it a comment`);
  return comment
    .replaceAll(/^\s*\* ?/gm, "")
    .replaceAll(/\s+/g, " ")
    .trim();
};

/** The sentence of a comment that tells the default; the schema knows it better, where it has one. */
const DEFAULT_SENTENCE = /\s*Default(?: (?<value>[^.]*(?:\.\d[^.]*)*)|: (?<words>[^.]*))\./;

const valueText = (value: unknown): string =>
  typeof value === "object" && value !== null && Object.keys(value).length > 0
    ? Object.entries(value)
        .map(([name, one]) => `\`${name}: ${JSON.stringify(one)}\``)
        .join(", ")
    : `\`${JSON.stringify(value)}\``;

const cell = (text: string): string => text.replaceAll("|", "\\|");

/** A line of a part's table. */
const lineOf = (part: string, owner: Setting, name: string, setting: Setting): string => {
  const [file, constant] = PARTS[part] ?? [];
  if (file === undefined || constant === undefined) throw new Error(`nobody says where ${part} is declared`);
  const comment = commentOf(readFileSync(join(import.meta.dirname, "../..", file), "utf8"), constant, name);
  const words = DEFAULT_SENTENCE.exec(comment)?.groups?.["words"];
  const standard =
    setting.default === undefined
      ? (owner.required ?? []).includes(name)
        ? "_required_"
        : (words ?? "none")
      : valueText(setting.default);
  const meaning = comment.replace(DEFAULT_SENTENCE, "");
  return `| \`${name}\` | ${cell(setting.description ?? "")} | ${standard} | ${cell(meaning)} |`;
};

/** The parts that the schema has and the page has no section for: none, or the page is not whole. */
const partsOf = (setting: Setting, path = ""): readonly string[] => [
  path,
  ...Object.entries(setting.properties ?? {}).flatMap(([name, inner]) => {
    const owner = inner.items ?? inner;
    return owner.properties === undefined ? [] : partsOf(owner, path === "" ? name : `${path}.${name}`);
  }),
];

const sectionOf = (settings: Setting, [part, heading, text]: (typeof SECTIONS)[number]): string => {
  const owner = partOf(settings, part);
  const lines = Object.entries(owner.properties ?? {}).map(([name, setting]) => lineOf(part, owner, name, setting));
  return `## ${heading}

${text}

| setting | what it takes | default | what it means |
| --- | --- | --- | --- |
${lines.join("\n")}`;
};

/**
 * The reference of all settings, in Markdown that has yet to be formatted.
 * @throws {Error} when a setting has no comment, or a part of the schema has no section
 */
export const configPage = (shape: z.ZodMiniType = Shape): string => {
  const settings = settingsOf(shape);
  const named = new Set(SECTIONS.map(([part]) => part));
  const forgotten = partsOf(settings).filter((part) => !named.has(part));
  if (forgotten.length > 0) throw new Error(`the page has no section for ${forgotten.join(", ")}`);
  return `# Configuration

Every setting of a deployment. Made from the schema in \`shared/config/\` by \`npm run docs:config\`; edits of this page are lost.

A deployment is one TypeScript file: \`infra/geo.config.ts\`, or another one that is chosen with \`-c config=path/to/file.ts\`
behind any \`cdk\` command. [An example](../infra/examples/one-primary-three-secondaries.config.ts) has every setting
that has a default. It is checked before anything else is done, and everything that is wrong with it is said together
([GEO_INVALID_CONFIG](errors.md#geo_invalid_config)). A setting that does not exist is refused by name.

What is set here takes a deployment to change. What an operator changes while a site runs (selective sync, capacities, flags,
pausing) is not here: see [Operations](operations.md#steering-a-running-site).

Beside each setting by itself, these are checked between them: exactly one primary and at least one secondary; names, regions
and existing buckets once each; all regions of one AWS partition; keys and topics in the region of the site that uses them;
names that come of it no longer than S3 and Lambda take; \`replicables\` and \`keyPatterns\` that are declared, and whose
patterns can not claim one key twice.

${SECTIONS.map((section) => sectionOf(settings, section)).join("\n\n")}
`;
};
