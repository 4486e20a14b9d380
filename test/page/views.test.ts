import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isRequired, isThere, startBrowser, WHY_NOT } from "../support/browser.ts";
import { endedWell, findingsOf, loaded, lookAt } from "./support/looking.ts";
import { pagePair } from "./support/page-pair.ts";
import { type ShownView, viewsOf } from "./support/views.ts";

/** Every view of the admin page, in a real browser: accessible, in place at any width, and silent towards everybody else. */

/** Of all that axe looks at, colours alone are others in the dark. */
const LOOKS = [
  { colorScheme: "light", width: 1280, rules: undefined },
  { colorScheme: "light", width: 360, rules: undefined },
  { colorScheme: "dark", width: 360, rules: ["color-contrast"] },
  { colorScheme: "dark", width: 1280, rules: ["color-contrast"] },
] as const;

/** Views that are looked at side by side: as many as a small machine has cores. */
const LANES = 2;

describe.skipIf(!isThere && !isRequired)(`the admin page in a browser (${isThere ? "Chromium" : WHY_NOT})`, () => {
  let browser: Browser;
  let pair: Awaited<ReturnType<typeof pagePair>>;
  beforeAll(async () => {
    [browser, pair] = await Promise.all([startBrowser(), pagePair()]);
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await pair?.close();
  });

  test("has no view that axe finds fault with, light or dark, wide or on a phone, that is wider than its window, or that asks anybody else (F94)", async () => {
    const found: string[] = [];
    const look = async ({ name, site, path, heading }: ShownView): Promise<void> => {
      const watched = await lookAt(browser, site, path, name === "sign-in" ? {} : { token: site.adminToken });
      const { page } = watched;
      await loaded(page);
      expect(await page.locator("h1").innerText()).toBe(heading);
      for (const { colorScheme, width, rules } of LOOKS) {
        await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
        await page.setViewportSize({ width, height: 800 });
        for (const finding of await findingsOf(page, rules))
          found.push(`${name}, ${colorScheme}, ${width} px: ${finding}`);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth);
        if (wide > width) found.push(`${name} is ${wide} px wide in a window of ${width}`);
      }
      await endedWell(watched);
    };
    const lane = async (number: number): Promise<void> => {
      for (const view of viewsOf(pair).filter((_, index) => index % LANES === number)) await look(view);
    };
    await Promise.all(Array.from({ length: LANES }, (_, number) => lane(number)));
    expect(found).toEqual([]);
  }, 240_000);
});
