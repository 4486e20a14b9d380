/** Writes the page of the command line from the commands themselves: `npm run docs:cli`. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { formatted } from "../../cli/scaffold/formatted.ts";
import { replicables } from "../../shared/replicables/index.ts";
import { CLI_PAGE, cliPage } from "./cli-page.ts";
import { ROOT } from "./paths.ts";

await writeFile(join(ROOT, CLI_PAGE), await formatted(ROOT, CLI_PAGE, await cliPage(replicables)));
