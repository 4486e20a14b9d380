/** The repository as its readers see it: its files, and what its pages say. */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";

export const ROOT = resolve(import.meta.dirname, "../../..");

/** What tools make, and what is not ours. */
const NOT_OURS = new Set([".git", ".local", "cdk.out", "coverage", "node_modules", "reports"]);

/** Every file of the repository, by its path from the root, in a fixed order. */
export const filesOf = (folder = ROOT): readonly string[] =>
  readdirSync(folder, { withFileTypes: true })
    .toSorted((left, right) => (left.name < right.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return NOT_OURS.has(entry.name) ? [] : filesOf(path);
      return entry.isFile() && !entry.name.endsWith(".log") ? [relative(ROOT, path)] : [];
    });

/** The names of the folders in a folder. */
export const foldersOf = (path: string): readonly string[] =>
  readdirSync(join(ROOT, path), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .toSorted();

export const textOf = (path: string): string => readFileSync(join(ROOT, path), "utf8");

/** Every page: README.md, those in docs/, and the rest. */
export const pages = (): readonly string[] => filesOf().filter((path) => path.endsWith(".md"));

/** A page without its blocks of code, where nothing is a heading or a link. */
export const proseOf = (markdown: string): string => markdown.replaceAll(/^ *(```|~~~).*?^ *\1$/gms, "");

/** The texts of a page's headings. */
export const headingsOf = (markdown: string): readonly string[] =>
  [...proseOf(markdown).matchAll(/^#{1,6} +(.+?) *$/gm)].map(([, heading = ""]) => heading);

/** The name by which a heading is linked to, as GitHub makes it. */
export const anchorOf = (heading: string): string =>
  heading
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\p{M} _-]/gu, "")
    .replaceAll(" ", "-");
