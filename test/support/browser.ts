import { existsSync } from "node:fs";
import process from "node:process";
import { chromium, type Browser } from "playwright-core";

/** The browser that pages are looked at in. Nothing is downloaded: it is the machine's own. */
export const CHROMIUM = process.env["S3_GEO_CHROMIUM"] ?? "/usr/bin/chromium";

/** Whether its absence is a failure, as in CI, or a reason to pass the tests over. */
export const isRequired = process.env["GEO_REQUIRE_BROWSER"] === "1" || process.env["GEO_REQUIRE_CLOUD"] === "1";

export const isThere = existsSync(CHROMIUM);

/** Without it that each test names in what it is skipped for. */
export const WHY_NOT = `no Chromium at ${CHROMIUM}; S3_GEO_CHROMIUM names one, GEO_REQUIRE_BROWSER=1 makes this a failure`;

/** Starts it without anything that asks the world by itself. */
export const startBrowser = (): Promise<Browser> =>
  chromium.launch({
    executablePath: CHROMIUM,
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
