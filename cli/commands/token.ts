import type { Command } from "commander";
import * as z from "zod";
import { TOKEN_DAYS_DEFAULT, TOKEN_DAYS_MAX, TOKEN_SCOPES } from "../../shared/geo/tokens.ts";
import { grid } from "../output/grid.ts";
import { addExamples, addOutputOption, OutputFormat, readOptions } from "../output/options.ts";
import { columnsOf } from "../output/terminal.ts";
import { printable } from "../output/texts.ts";
import type { Surroundings } from "../surroundings.ts";
import type { TokenKeeper } from "../token-keeper.ts";

const Options = z.object({
  siteTable: z.string().optional(),
  region: z.string().optional(),
  site: z.string().optional(),
  name: z.string().default(""),
  scope: z.enum(TOKEN_SCOPES, { error: `--scope: expected ${TOKEN_SCOPES.join(" or ")}` }).default("read_geo"),
  days: z.coerce.number({ error: "--days: expected a number of days" }).default(TOKEN_DAYS_DEFAULT),
  output: OutputFormat,
});
type Options = z.infer<typeof Options>;

const HELP = `
Tokens are made and ended in the site's own table, so it takes AWS rights on that and no token: dynamodb:PutItem to make one,
dynamodb:Query to list, and dynamodb:UpdateItem with it to end one. Credentials are found as the AWS SDK finds them.
Which site: --site-table with --region (GEO_SITE_TABLE, AWS_REGION), else site_table of the file $GEO_SITES_FILE, of
$XDG_CONFIG_HOME/s3-geo/sites.json, or of the demonstration that "npm start" keeps up.`;

const COLUMNS = ["id", "state", "scope", "expires_at", "last_used_at", "name"] as const;

/** `geo token …`: who may call a site's API. */
export const addToken = (parent: Command, surroundings: Surroundings): void => {
  const { out, err } = surroundings;
  const command = parent
    .command("token")
    .description("Makes, lists and ends the tokens that open a site's API.")
    .addHelpText("after", HELP);
  const added = (name: string, description: string, ...examples: readonly string[]): Command => {
    const leaf = command
      .command(name)
      .description(description)
      .option("--site-table <name>", "the site's table, for example s3-geo-ireland-site")
      .option("--region <region>", "where that table is")
      .option("--site <name>", "one of the file of sites (default: its primary)")
      .addHelpText("after", HELP);
    return addExamples(addOutputOption(leaf), ...examples);
  };
  // Only here: every other command would wait for the SDK to load.
  const opened = async (options: Options): Promise<TokenKeeper> => {
    const { openTokens } = await import("../token-keeper.ts");
    return openTokens(options, surroundings);
  };

  added(
    "create",
    "Makes a token. Its secret is shown this once.",
    "geo token create --name prometheus --site-table s3-geo-ireland-site --region eu-west-1",
    "geo token create --name me --scope admin_geo --days 7",
  )
    .option("--name <name>", "whose it is, for lists and logs")
    .option("--scope <scope>", "read_geo only reads, admin_geo does everything", "read_geo")
    .option("--days <number>", `how long it is valid, 1 to ${TOKEN_DAYS_MAX}`, String(TOKEN_DAYS_DEFAULT))
    .action(async (raw: unknown) => {
      const options = readOptions(Options, raw);
      const { name, scope, days } = options;
      const made = await (await opened(options)).create({ name, scope, days });
      if (options.output === "json") return out(`${JSON.stringify(made)}\n`);
      // The secret alone is the answer, so that a script can keep it without ever showing it.
      err(`Token ${made.id} of ${made.name} (${made.scope}), valid until ${made.expires_at}. It is shown this once:\n`);
      out(`${made.token}\n`);
    });

  added("list", "Every token, the newest first; never a secret.", "geo token list --output json").action(
    async (raw: unknown) => {
      const options = readOptions(Options, raw);
      const tokens = await (await opened(options)).list();
      if (options.output === "json") return out(`${JSON.stringify(tokens)}\n`);
      const rows = tokens.map((token) => COLUMNS.map((column) => printable(token[column] ?? "never")));
      out(grid(COLUMNS, rows, columnsOf(surroundings)));
    },
  );

  added("revoke", "Ends a token, from the next call on.", "geo token revoke 0123456789ab")
    .argument("<id>", "12 hex digits, from the list")
    .action(async (id: string, raw: unknown) => {
      const options = readOptions(Options, raw);
      const ended = await (await opened(options)).revoke(id);
      out(
        options.output === "json" ? `${JSON.stringify(ended)}\n` : `${ended.id} of ${ended.name} is ${ended.state}\n`,
      );
    });
};
