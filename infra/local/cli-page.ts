import { runCli } from "../../cli/run-cli.ts";
import { allCommands, commandTree } from "../../cli/command-tree.ts";
import { makeProgram } from "../../cli/program.ts";
import type { Surroundings } from "../../cli/surroundings.ts";
import type { Replicable } from "../../shared/geo/replicable.ts";

export const CLI_PAGE = "docs/cli.md";

const HEAD = `# The command line

\`geo\` is how an operator asks sites and steers them. In a checkout it is \`npx geo\` (or \`npm run geo --\`); every command has
\`--help\` with examples. It calls the sites' APIs and needs no AWS rights, but for \`geo token\`, which makes what opens the API, and
\`geo doctor\`, which looks at what stands behind it. _This page is made of the commands themselves: \`npm run docs:cli\`._

## Which sites

A command finds its sites, in this order:

1. at \`--endpoint-url\` with a token (\`GEO_ENDPOINT_URL\`, \`GEO_TOKEN\`): one site;
2. in the file \`$GEO_SITES_FILE\`;
3. in \`$XDG_CONFIG_HOME/s3-geo/sites.json\` (\`~/.config/s3-geo/sites.json\`);
4. in \`.local/run.json\`, which the demonstration of \`npm start\` keeps while it is up.

A file of sites looks like this. Each site's \`api_url\` is the output \`ApiUrl\` of its stack; \`token_env\` names the environment
variable that holds its token. A file that holds tokens itself (\`token\`) has to be readable by you alone, or it is refused.
\`region\` and \`site_table\` are for \`geo token\` and \`geo doctor\`.

\`\`\`json
{
  "sites": [
    {
      "name": "virginia",
      "role": "primary",
      "api_url": "https://abcdefgh12.execute-api.us-east-1.amazonaws.com/geo",
      "token_env": "GEO_TOKEN_VIRGINIA",
      "region": "us-east-1",
      "site_table": "s3-geo-virginia-site"
    },
    {
      "name": "ireland",
      "role": "secondary",
      "api_url": "https://ijklmnop34.execute-api.eu-west-1.amazonaws.com/geo",
      "token_env": "GEO_TOKEN_IRELAND",
      "region": "eu-west-1",
      "site_table": "s3-geo-ireland-site"
    }
  ]
}
\`\`\`

Commands about all sites (\`status\`, \`explain\`, \`wait\`, \`preflight\`) ask every site of the file. Of a secondary that does not
answer, its primary tells what it last reported.

## What is printed, and exit codes

Results go to standard output, progress and complaints to standard error. \`--output json\` prints one document on one line; its fields
stay. Where no terminal is, there are no colours, no bars and no control characters, but a line now and then. \`NO_COLOR\`,
\`FORCE_COLOR\`, \`CI\` and \`TERM=dumb\` are respected.

| exit code | meaning                                                                                                         |
| --------- | --------------------------------------------------------------------------------------------------------------- |
| 0         | done                                                                                                            |
| 1         | failed: no answer, a time that was up, or somebody interrupted (then it says how to go on)                      |
| 2         | called in a way that can not work: an unknown command, option, site, type or key, or no answer to its question |
| 3         | done, and what it found is not as it should be: for scripts and cron                                            |
| 4         | not allowed: no token, one that is unknown, expired or revoked, or whose scope does not allow it                |

What changes much asks first; \`--yes\` answers, and \`--dry-run\` only says what would be done.
`;

/** Surroundings of nobody: enough for help, which asks the world nothing. */
const nowhere = (replicables: readonly Replicable[], out: (text: string) => void): Surroundings => ({
  root: "/nowhere",
  replicables,
  out,
  err: out,
});

const helpOf = async (path: string, replicables: readonly Replicable[]): Promise<string> => {
  let text = "";
  await runCli(
    [...path.split(" ").slice(1), "--help"],
    nowhere(replicables, (part) => void (text += part)),
  );
  return text.trimEnd();
};

/** The page of every command: what it takes, what it does, and examples, as its own help has them. */
export const cliPage = async (replicables: readonly Replicable[]): Promise<string> => {
  const [root, ...commands] = allCommands(commandTree(makeProgram(nowhere(replicables, () => {}))));
  if (root === undefined) throw new Error("there are no commands");
  const sections = await Promise.all(
    commands.map(async ({ path, description, commands: beneath }) =>
      beneath.length > 0
        ? `## ${path}\n\n${description}\n`
        : `${path.split(" ").length > 2 ? "###" : "##"} ${path}\n\n\`\`\`text\n${await helpOf(path, replicables)}\n\`\`\`\n`,
    ),
  );
  return [HEAD, ...sections].join("\n");
};
