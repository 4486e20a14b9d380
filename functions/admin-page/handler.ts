import { readFileSync } from "node:fs";
import { PowertoolsTelemetry } from "../../shared/aws/powertools-telemetry.ts";
import { systemClock } from "../../shared/aws/system-clock.ts";
import { flushing } from "../../shared/lambda/flushing.ts";
import { httpHandler } from "../../shared/lambda/http-handler.ts";
import { parseEnv } from "../../shared/lambda/parse-env.ts";
import { BUILT_PAGE_FILE, type BuiltPage } from "./built-page.ts";
import { env } from "./env.ts";
import { pageApp } from "./page-app.ts";

const { SITE_NAME: siteName } = parseEnv(env, process.env);
const telemetry = new PowertoolsTelemetry({ siteName, service: "admin-page" });

// Written by web/build.ts when this function was bundled, and deployed with it: of this form by construction.
const page = JSON.parse(readFileSync(new URL(BUILT_PAGE_FILE, import.meta.url), "utf8")) as BuiltPage;

/** Serves the admin page. */
export const handler = flushing(telemetry, httpHandler(pageApp(page), { clock: systemClock, telemetry }));
