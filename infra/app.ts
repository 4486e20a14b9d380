/**
 * The CDK app. `-c config=path` deploys another configuration than `infra/geo.config.ts`; the path is relative to the
 * working directory.
 */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

import { App } from "aws-cdk-lib";

import type { GeoConfig } from "../shared/config/geo-config.ts";
import { addGeoStacks, checkWithNag } from "./geo-app.ts";

const app = new App();
const chosen: unknown = app.node.tryGetContext("config");
const path = typeof chosen === "string" ? resolve(chosen) : resolve(import.meta.dirname, "geo.config.ts");
const module = (await import(pathToFileURL(path).href)) as { readonly default?: GeoConfig };
if (module.default === undefined) {
  throw new Error(`${path}: expected \`export default defineGeoConfig({ … })\`, got no default export`);
}
addGeoStacks(app, module.default);
checkWithNag(app);
