/**
 * Takes a picture of every view of the admin page, light and dark, wide and as on a phone:
 * `node test/page/take-screenshots.ts <folder>`. Those of docs/images are some of them.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { startBrowser } from "./support/browser.ts";
import { pagePair } from "./support/page-pair.ts";
import { viewsOf } from "./support/views.ts";

const WIDTHS = { wide: { width: 1280, height: 800 }, phone: { width: 360, height: 740 } } as const;

const [folder, only] = process.argv.slice(2);
if (folder === undefined) throw new Error("usage: node test/page/take-screenshots.ts <folder> [view]");
await mkdir(folder, { recursive: true });

const pair = await pagePair();
const browser = await startBrowser();
try {
  for (const colorScheme of ["light", "dark"] as const) {
    for (const [width, viewport] of Object.entries(WIDTHS)) {
      for (const { name, site, path } of viewsOf(pair)) {
        if (only !== undefined && !name.startsWith(only)) continue;
        const context = await browser.newContext({ colorScheme, viewport, reducedMotion: "reduce" });
        const page = await context.newPage();
        if (site.adminToken !== "" && name !== "sign-in") {
          await page.addInitScript((token) => sessionStorage.setItem("s3-geo-token", token), site.adminToken);
        }
        page.on("console", (message) => process.stderr.write(`${name}: ${message.type()} ${message.text()}\n`));
        await page.goto(`${site.url}${path}`);
        await page.locator("h1").waitFor();
        await page.locator(".waiting").waitFor({ state: "detached" });
        await page.screenshot({ path: join(folder, `${name}-${colorScheme}-${width}.png`), fullPage: true });
        await context.close();
      }
    }
  }
} finally {
  await browser.close();
  await pair.close();
}
