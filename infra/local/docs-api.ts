/** Writes docs/api/openapi.json from the API's routes and contracts: `npm run docs:api`. */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { format } from "prettier";
import { API_ROUTES } from "../../shared/client/api-routes.ts";
import { openApi } from "../../shared/client/openapi.ts";
import { ROOT } from "./paths.ts";

/** Where the description is, beneath the checkout. */
export const OPENAPI_FILE = "docs/api/openapi.json";

/** The description as the file has it. */
export const openApiText = (): Promise<string> =>
  format(JSON.stringify(openApi(API_ROUTES)), { parser: "json", printWidth: 120 });

if (import.meta.main) {
  const file = join(ROOT, OPENAPI_FILE);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, await openApiText());
}
