/** Writes the reference of all settings from the configuration's schema: `npm run docs:config`. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { formatted } from "../../cli/scaffold/formatted.ts";
import { CONFIG_PAGE, configPage } from "./config-page.ts";
import { ROOT } from "./paths.ts";

await writeFile(join(ROOT, CONFIG_PAGE), await formatted(ROOT, CONFIG_PAGE, configPage()));
