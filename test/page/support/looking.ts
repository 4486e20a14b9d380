import { AxeBuilder } from "@axe-core/playwright";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { expect } from "vitest";
import type { OpenSite } from "./page-pair.ts";

/** A person who looks at the page: with or without a token, light or dark, wide or on a phone. */
export interface Looking {
  readonly token?: string;
  readonly colorScheme?: "light" | "dark";
  readonly width?: number;
}

/** What a page did that it must not do. */
export interface Watched {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Requests to anywhere but the site itself. */
  readonly elsewhere: readonly string[];
  /** Errors of the page, and what its policy stopped. */
  readonly complaints: readonly string[];
}

/** Opens a page, and takes down whatever it does that it must not. */
export const lookAt = async (
  browser: Browser,
  site: OpenSite,
  path: string,
  { token, colorScheme, width }: Looking = {},
): Promise<Watched> => {
  const context = await browser.newContext({
    colorScheme: colorScheme ?? "light",
    viewport: { width: width ?? 1280, height: 800 },
    reducedMotion: "reduce",
  });
  context.setDefaultTimeout(30_000); // a machine that tests many things at once is slow
  const page = await context.newPage();
  const elsewhere: string[] = [];
  const complaints: string[] = [];
  page.on("request", (request) => {
    if (!request.url().startsWith(`${site.url}/`)) elsewhere.push(request.url());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    // A call that is refused is told of in the console by the browser itself; what it led to is for each test to say.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource"))
      complaints.push(message.text());
  });
  if (token !== undefined) await page.addInitScript((value) => sessionStorage.setItem("s3-geo-token", value), token);
  await page.goto(`${site.url}${path}`);
  await page.locator("h1").waitFor();
  return { page, context, elsewhere, complaints };
};

/** Waits until everything that is asked for is there. */
export const loaded = async (page: Page): Promise<void> => {
  await page.locator(".waiting").waitFor({ state: "detached" });
};

/** Fails for what a page did that it must not, and ends it. */
export const endedWell = async ({ context, elsewhere, complaints }: Watched): Promise<void> => {
  expect(elsewhere).toEqual([]);
  expect(complaints).toEqual([]);
  await context.close();
};

/**
 * What axe finds, in a line each.
 * @param rules which rules are looked at. Default: all
 */
export const findingsOf = async (page: Page, rules?: readonly string[]): Promise<readonly string[]> => {
  // In the page itself: there are no frames, for which it would open another page each time.
  const axe = new AxeBuilder({ page }).setLegacyMode();
  const { violations } = await (rules === undefined ? axe : axe.withRules([...rules])).analyze();
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 160)} ${failureSummary ?? ""}`),
  );
};
