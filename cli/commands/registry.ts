import type { Command } from "commander";
import * as z from "zod";
import { quoted } from "../../shared/geo/key-codec.ts";
import { globalId, parseGlobalId } from "../../shared/geo/global-id.ts";
import { matchKey } from "../../shared/geo/replicable-match.ts";
import type { Replicable } from "../../shared/geo/replicable.ts";
import { addConnectionOptions, connect, type Connection } from "../connection.ts";
import { CommandError, EXIT } from "../exit-codes.ts";
import { grid } from "../output/grid.ts";
import { factLines } from "../output/lines.ts";
import {
  addExamples,
  addOutputOption,
  CONNECTION_OPTIONS,
  jsonLine,
  OutputFormat,
  readOptions,
} from "../output/options.ts";
import { columnsOf } from "../output/terminal.ts";
import { countOf } from "../output/texts.ts";
import {
  type AskedRegistries,
  askedTypes,
  SORTS,
  STATES,
  typeOfId,
  VERIFICATION_STATES,
} from "../registry/asked-types.ts";
import { listRegistries, type RegistryList } from "../registry/list-registries.ts";
import {
  detailLines,
  LIST_HEADINGS,
  listCells,
  type RegistryAnswer,
  registryAnswer,
} from "../registry/registry-answer.ts";
import type { Surroundings } from "../surroundings.ts";

/** Rows that are listed when nobody says how many, as GitLab's pages have. */
const LIMIT_DEFAULT = 20;
const LIMIT_MAX = 1_000;

const LIMIT_EXPECTED = `--limit: expected a whole number from 1 to ${LIMIT_MAX}`;

const ListOptions = z.object({
  ...CONNECTION_OPTIONS,
  type: z.string().optional(),
  state: z.string().optional(),
  verificationState: z.string().optional(),
  id: z.array(z.string()).optional(),
  keyword: z.string().optional(),
  sort: z.string().optional(),
  limit: z.coerce
    .number({ error: LIMIT_EXPECTED })
    .int({ error: LIMIT_EXPECTED })
    .min(1, { error: LIMIT_EXPECTED })
    .max(LIMIT_MAX, { error: LIMIT_EXPECTED })
    .default(LIMIT_DEFAULT),
  after: z.string().optional(),
  output: OutputFormat,
});

const ShowOptions = z.object({ ...CONNECTION_OPTIONS, output: OutputFormat });

const HELP = `
A registry is what a secondary knows of one object. Without --type, types are listed one after the other, those that have such rows
by the site's counters; an order holds within each type.`;

const atSecondary = async (options: z.infer<typeof ShowOptions>, surroundings: Surroundings): Promise<Connection> => {
  const connection = await connect(options, "secondary", surroundings);
  if (!connection.site.primary) return connection;
  throw new CommandError(
    EXIT.usage,
    `${connection.site.name} is a primary and has no registries: ask a secondary (--site)`,
  );
};

/** What was asked for, in words: `of lfs_object, failed`. */
const askedText = ({ type, state, verificationState, id, keyword }: AskedRegistries): string => {
  const parts = [
    type === undefined ? "" : `of ${type}`,
    state === undefined ? "" : `that is ${state.toLowerCase()}`,
    verificationState === undefined ? "" : `whose verification is ${verificationState.toLowerCase()}`,
    id === undefined ? "" : "with such an id",
    keyword === undefined ? "" : `for ${quoted(keyword)}`,
  ].filter((part) => part !== "");
  return parts.length === 0 ? "" : ` ${parts.join(" ")}`;
};

const listText = (
  { registries, next }: RegistryList,
  asked: AskedRegistries,
  site: string,
  surroundings: Surroundings,
): string => {
  const more = next === null ? "" : `There is more. Go on with the same options and: --after ${next}\n`;
  if (registries.length === 0)
    return `${site} has no registry${askedText(asked)}${next === null ? "" : " so far"}.\n${more}`;
  const table = grid(LIST_HEADINGS, registries.map(listCells), columnsOf(surroundings));
  return `${table}\n${countOf(registries.length, "registry", "registries")} of ${site}. ${more === "" ? "That is all.\n" : more}`;
};

/** The type of a key whose registry is asked for, and beside it the one that it is a partition of: either may hold the row. */
const typesOfKey = (key: string, replicables: readonly Replicable[]): readonly Replicable[] => {
  const match = matchKey(replicables, key);
  if (match === undefined) {
    throw new CommandError(
      EXIT.usage,
      `no type's pattern claims the key ${quoted(key)}; expected a whole S3 key or a registry's id (gid://geo/…). ` +
        `Which keys each type claims: docs/supported-types.md`,
    );
  }
  const { replicable } = match;
  const whole = replicables.find(({ name }) => name === replicable.partitionOf);
  return whole === undefined ? [replicable] : [replicable, whole];
};

const findOne = async (
  { client, site }: Connection,
  wanted: string,
  replicables: readonly Replicable[],
): Promise<RegistryAnswer> => {
  const isId = wanted.startsWith("gid://");
  const types = isId ? [typeOfId(wanted, replicables)] : typesOfKey(wanted, replicables);
  for (const { name, names } of types) {
    const id = isId ? wanted : globalId({ registryClass: names.registryClass, key: wanted });
    const [registry] = (await client.registries(names, { first: 1, ids: [id] })).registries;
    if (registry !== undefined) return registryAnswer(name, registry);
  }
  const named = isId ? parseGlobalId(wanted) : { key: wanted };
  throw new CommandError(
    EXIT.failure,
    `${site.name} has no registry of ${quoted("key" in named ? named.key : wanted)}. What became of the object: geo explain <key>`,
  );
};

/** `geo registry …`: what a secondary knows of each object. */
export const addRegistry = (parent: Command, surroundings: Surroundings): void => {
  const { out, replicables } = surroundings;
  const command = parent
    .command("registry")
    .description("What a secondary knows of each object, and why it has failed.")
    .addHelpText("after", HELP);

  const listing = addOutputOption(
    addConnectionOptions(
      command
        .command("list")
        .description("Objects of a secondary, those that fit what is asked for.")
        .option("--type <name>", "only objects of this type; default: of every type that has such")
        .option("--state <state>", `only in this replication state: ${STATES.join(", ")}`)
        .option("--verification-state <state>", `only in this one: ${VERIFICATION_STATES.join(", ")}`)
        .option("--id <id...>", "only these, by their global ids; at most 100")
        .option("--keyword <text>", "only the one with this S3 key; with --type also with this record's id")
        .option("--sort <order>", `${SORTS.join(", ")} (default: id_asc)`)
        .option("--limit <number>", `so many at most, up to ${LIMIT_MAX}`, String(LIMIT_DEFAULT))
        .option("--after <cursor>", "go on behind the page that told this"),
    ),
  );
  listing.addHelpText("after", HELP).action(async (raw: unknown) => {
    const options = readOptions(ListOptions, raw);
    const { client, site, statuses } = await atSecondary(options, surroundings);
    const types = askedTypes(options, statuses[0], replicables);
    const found = await listRegistries(client, types, options.limit, options.after);
    out(
      options.output === "json"
        ? jsonLine({ site: site.name, registries: found.registries, next: found.next })
        : listText(found, options, site.name, surroundings),
    );
  });

  const showing = addOutputOption(
    addConnectionOptions(
      command
        .command("show")
        .argument("<key or id>", "the whole S3 key, or a registry's global id")
        .description("Everything that a secondary's registry says of one object."),
    ),
  );
  showing.action(async (wanted: string, raw: unknown) => {
    const options = readOptions(ShowOptions, raw);
    const connection = await atSecondary(options, surroundings);
    const registry = await findOne(connection, wanted, replicables);
    if (options.output === "json") return out(jsonLine({ site: connection.site.name, ...registry }));
    out(
      factLines(
        detailLines(registry).map(([label, text]) => ({ label, text })),
        columnsOf(surroundings),
      ),
    );
  });
  addExamples(
    listing,
    "geo registry list --state failed",
    "geo registry list --type lfs_object --verification-state failed --limit 100",
    "geo registry list --type lfs_object --sort last_synced_at_desc --output json",
  );
  addExamples(
    showing,
    "geo registry show lfs_objects/42/4c/8e31f2",
    "geo registry show gid://geo/LfsObjectRegistry/bGZzX29iamVjdHMvNDIvNGMvOGUzMWYy",
  );
};
