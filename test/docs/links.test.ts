import { existsSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, test } from "vitest";
import { anchorOf, headingsOf, pages, proseOf, ROOT, textOf } from "./support/repository.ts";

/** Links within the repository that lead nowhere, as `target` or `target#heading`. */
const deadLinks = (page: string, markdown: string): readonly string[] =>
  [...proseOf(markdown).matchAll(/\]\(<?([^)\s>]+)>?\)/g)]
    .map(([, target = ""]) => target)
    .filter((target) => !/^[a-z]+:/.test(target))
    .filter((target) => {
      const [path = "", heading] = target.split("#", 2);
      const file = path === "" ? page : normalize(join(dirname(page), decodeURIComponent(path)));
      if (!existsSync(join(ROOT, file))) return true;
      return (
        heading !== undefined &&
        !headingsOf(path === "" ? markdown : textOf(file))
          .map(anchorOf)
          .includes(heading)
      );
    });

describe("links between pages", () => {
  test.each(pages())("of %s lead to a file, and to a heading in it", (page) => {
    expect(deadLinks(page, textOf(page))).toEqual([]);
  });

  test("that lead nowhere would be found", () => {
    const markdown =
      "# Here\n[a](docs/nowhere.md) [b](#here) [c](#there) [d](docs/errors.md#no-such-code) [e](https://x.y/z)";
    expect(deadLinks("README.md", markdown)).toEqual(["docs/nowhere.md", "#there", "docs/errors.md#no-such-code"]);
  });
});

test("every page in docs/ is linked from some other page", () => {
  const linked = new Set(
    pages().flatMap((page) =>
      [...proseOf(textOf(page)).matchAll(/\]\(([^)#\s]+)/g)].map(([, target = ""]) =>
        normalize(join(dirname(page), target)),
      ),
    ),
  );
  expect(pages().filter((page) => page.startsWith("docs/") && !linked.has(page))).toEqual([]);
});

/** Files that pages speak of as if the reader had made them. */
const IMAGINED = new Set(["shared/replicables/cool-gadget.ts"]);

/** Paths of files in our folders, as pages write them in code. */
const filesNamedIn = (markdown: string): readonly string[] =>
  [...markdown.matchAll(/`((?:shared|functions|infra|test|cli|docs)\/[\w./-]+\.(?:ts|py|mjs|md|txt))[`:]/g)].map(
    ([, path = ""]) => path,
  );

describe("a file that a page names in code", () => {
  test.each(pages())("in %s is there", (page) => {
    const absent = filesNamedIn(textOf(page)).filter((path) => !IMAGINED.has(path) && !existsSync(join(ROOT, path)));
    expect(absent).toEqual([]);
  });

  test("would be missed if it were not", () => {
    expect(filesNamedIn("`shared/geo/limits.ts` and `test/a/b.test.ts: c d` and `functions/<x>/env.ts`")).toEqual([
      "shared/geo/limits.ts",
      "test/a/b.test.ts",
    ]);
  });
});
