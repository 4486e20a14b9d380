import type { Page } from "playwright-core";
import { startBrowser } from "../support/browser.ts";

/** A browser of a person who looks after sites. */
export interface OperatorsBrowser {
  /** Opens a page of a site and waits until it shows `text`; signs in where it is asked to. */
  open(url: string, token: string, text: string): Promise<Page>;
  close(): Promise<void>;
}

/** How long a page may take to show what is waited for, milliseconds. */
const SHOWN_WITHIN_MS = 30_000;

export const openBrowser = async (): Promise<OperatorsBrowser> => {
  const browser = await startBrowser();
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
