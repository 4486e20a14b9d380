/**
 * Writes docs/api/openapi.json and docs/api/README.md from the API's routes and contracts, and docs/api/geo_node_usage.json
 * from the declared types: `npm run docs:api`.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { format } from "prettier";
import { formatted } from "../../cli/scaffold/formatted.ts";
import { usageSchema } from "../../shared/geo/usage-data.ts";
import { replicables } from "../../shared/replicables/index.ts";
import { API_ROUTES } from "../../shared/client/api-routes.ts";
import { openApi } from "../../shared/client/openapi.ts";
import { API_PAGE, apiPage } from "./api-page.ts";
import { ROOT } from "./paths.ts";

/** Where the description is, beneath the checkout. */
export const OPENAPI_FILE = "docs/api/openapi.json";

/** The description as the file has it. */
export const openApiText = (): Promise<string> =>
  format(JSON.stringify(openApi(API_ROUTES)), { parser: "json", printWidth: 120 });

/** Where the schema of the usage object is, beneath the checkout. */
export const USAGE_SCHEMA_FILE = "docs/api/geo_node_usage.json";

/** The schema as the file has it: of all declared types. */
export const usageSchemaText = (): Promise<string> =>
  format(JSON.stringify(usageSchema(replicables)), { parser: "json", printWidth: 120 });

if (import.meta.main) {
  for (const [path, text] of [
    [OPENAPI_FILE, await openApiText()],
    [USAGE_SCHEMA_FILE, await usageSchemaText()],
    [API_PAGE, await formatted(ROOT, API_PAGE, apiPage())],
  ] as const) {
    const file = join(ROOT, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
}
