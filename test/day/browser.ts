import process from "node:process";
import { type Browser, chromium, type Page } from "playwright-core";

/** Debian's place of it, or what `S3_GEO_CHROMIUM` names. */
const executablePath = process.env["S3_GEO_CHROMIUM"] ?? "/usr/bin/chromium";

/** Without these Chromium asks its makers' hosts for this and that. */
const QUIET = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** A browser of a person who looks after sites. */
export interface OperatorsBrowser {
  /** Opens a page of a site and waits until it shows `text`; signs in where it is asked to. */
  open(url: string, token: string, text: string): Promise<Page>;
  close(): Promise<void>;
}

/** How long a page may take to show what is waited for, milliseconds. */
const SHOWN_WITHIN_MS = 30_000;

export const openBrowser = async (): Promise<OperatorsBrowser> => {
  const browser: Browser = await chromium.launch({ executablePath, headless: true, args: QUIET });
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  return {
    open: async (url, token, text) => {
      const page = await context.newPage();
      await page.goto(url);
      const field = page.locator("input[type=password]");
      const shown = page.getByText(text).first();
      await field.or(shown).first().waitFor({ timeout: SHOWN_WITHIN_MS });
      if (await field.isVisible()) {
        await field.fill(token);
        await field.press("Enter");
      }
      await shown.waitFor({ timeout: SHOWN_WITHIN_MS });
      return page;
    },
    close: () => browser.close(),
  };
};
