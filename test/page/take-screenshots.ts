/**
 * Takes pictures of the admin page: `node test/page/take-screenshots.ts <folder> [view]` of every view, light and dark, wide and
 * as on a phone; `node test/page/take-screenshots.ts --docs` those of docs/images again.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { startBrowser } from "../support/browser.ts";
import { pagePair } from "./support/page-pair.ts";
import { type ShownView, viewsOf } from "./support/views.ts";

interface Picture {
  readonly view: ShownView;
  readonly file: string;
  readonly colorScheme: "light" | "dark";
  readonly viewport: { readonly width: number; readonly height: number };
  /** Whether all of the page is in the picture, or what the window shows. */
  readonly isWhole: boolean;
}

const WIDTHS = { wide: { width: 1280, height: 800 }, phone: { width: 360, height: 740 } } as const;

/** The pictures of docs/images, by view: how they are lit, and what of the view is wanted. */
const IN_DOCS = {
  sites: { colorScheme: "light", query: "?search=ireland" },
  registries: { colorScheme: "dark", query: "" },
  registry: { colorScheme: "light", query: "" },
} as const;
const IMAGES = join(import.meta.dirname, "../../docs/images");
const WINDOW = { width: 1200, height: 860 };

const [folder, only = ""] = process.argv.slice(2);
if (folder === undefined) throw new Error("usage: node test/page/take-screenshots.ts <folder> [view] | --docs");

const picturesIn = (to: string, views: readonly ShownView[]): readonly Picture[] =>
  views
    .filter(({ name }) => name.startsWith(only))
    .flatMap((view) =>
      (["light", "dark"] as const).flatMap((colorScheme) =>
        Object.entries(WIDTHS).map(([width, viewport]) => {
          const file = join(to, `${view.name}-${colorScheme}-${width}.png`);
          return { view, file, colorScheme, viewport, isWhole: true };
        }),
      ),
    );

const picturesOfDocs = (views: readonly ShownView[]): readonly Picture[] =>
  Object.entries(IN_DOCS).flatMap(([name, { colorScheme, query }]) =>
    views
      .filter((view) => view.name === name)
      .map((view) => ({
        view: { ...view, path: `${view.path}${query}` },
        file: join(IMAGES, `admin-${name}.png`),
        colorScheme,
        viewport: WINDOW,
        isWhole: false,
      })),
  );

const pair = await pagePair();
const browser = await startBrowser();
try {
  const isForDocs = folder === "--docs";
  await mkdir(isForDocs ? IMAGES : folder, { recursive: true });
  const pictures = isForDocs ? picturesOfDocs(viewsOf(pair)) : picturesIn(folder, viewsOf(pair));
  for (const { view, file, colorScheme, viewport, isWhole } of pictures) {
    const context = await browser.newContext({ colorScheme, viewport, reducedMotion: "reduce" });
    const page = await context.newPage();
    if (view.name !== "sign-in") {
      await page.addInitScript((token) => sessionStorage.setItem("s3-geo-token", token), view.site.adminToken);
    }
    await page.goto(`${view.site.url}${view.path}`);
    await page.locator("h1").waitFor();
    await page.locator(".waiting").waitFor({ state: "detached" });
    // The machine that a picture was taken on is nobody's business.
    await page.evaluate(() => {
      for (const link of document.querySelectorAll(".facts-line a")) link.textContent = "geo.example.com";
    });
    await page.screenshot({ path: file, fullPage: isWhole });
    await context.close();
  }
} finally {
  await browser.close();
  await pair.close();
}
