import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { build } from "esbuild";
import { BUILT_PAGE_FILE, type BuiltFile, type BuiltPage } from "../functions/admin-page/built-page.ts";
import { CAPACITY_BOUNDS } from "../shared/geo/capacities.ts";
import { modelNameOf } from "../shared/geo/data-management.ts";
import { REVERIFICATION_DAYS } from "../shared/geo/site-settings.ts";
import { replicables } from "../shared/replicables/index.ts";
import type { TypeNames } from "./type-names.ts";

/** Makes the admin page out of `web/`: run when its function is bundled, and by local sites and tests in their process. */

const SCRIPT = join(import.meta.dirname, "main.tsx");
const STYLE = join(import.meta.dirname, "styles/main.css");

const ICON = join(import.meta.dirname, "icon.svg");

/** Browsers of 2024 and later, for `light-dark()` and nested rules. */
const BROWSERS = ["chrome123", "firefox120", "safari17.5"];

/** What the page has to know of the declared types. The types themselves would bring along how keys are matched. */
const declaredTypes = (): readonly TypeNames[] =>
  replicables.map((replicable) => ({
    name: replicable.name,
    plural: replicable.names.plural,
    title: replicable.names.titlePlural,
    registriesField: replicable.names.registriesField,
    registryClass: replicable.names.registryClass,
    registryEnumKey: replicable.names.registryEnumKey,
    model: modelNameOf(replicable),
    replicationFlag: replicable.names.flags.replication,
  }));

const fileOf = (extension: "js" | "css" | "svg", text: string): BuiltFile => {
  const digest = createHash("sha256").update(text, "utf8").digest("hex").slice(0, 16);
  return { name: `main-${digest}.${extension}`, text };
};

/** Bundles the page. The same sources give the same bytes. */
export const buildPage = async (): Promise<BuiltPage> => {
  const { outputFiles } = await build({
    entryPoints: { script: SCRIPT, style: STYLE },
    bundle: true,
    minify: true,
    write: false,
    outdir: "built", // nothing is written; names follow from it
    format: "esm",
    platform: "browser",
    target: BROWSERS,
    jsx: "automatic",
    jsxImportSource: "preact",
    legalComments: "none",
    define: {
      DECLARED_TYPES: JSON.stringify(declaredTypes()),
      SETTING_BOUNDS: JSON.stringify({ capacity: CAPACITY_BOUNDS, days: REVERIFICATION_DAYS }),
    },
    logLevel: "warning",
  });
  const textOf = (extension: "js" | "css"): string => {
    const found = outputFiles.find(({ path }) => path.endsWith(`.${extension}`));
    if (found === undefined) throw new Error(`the page's bundle has no .${extension} file`);
    return found.text;
  };
  return {
    script: fileOf("js", textOf("js")),
    style: fileOf("css", textOf("css")),
    icon: fileOf("svg", await readFile(ICON, "utf8")),
  };
};

if (import.meta.main) {
  const [folder] = process.argv.slice(2);
  if (folder === undefined) throw new Error("usage: node web/build.ts <folder to write page.json to>");
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, BUILT_PAGE_FILE), JSON.stringify(await buildPage()));
}
