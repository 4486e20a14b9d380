import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { pages, ROOT, textOf } from "./support/repository.ts";

interface NamedTest {
  readonly file: string;
  readonly name: string;
}

/** What a page names as `file: test`, across line breaks. */
const namedTests = (markdown: string): readonly NamedTest[] =>
  [...markdown.matchAll(/`(test\/[^`:\s]+\.ts):\s+([^`]+)`/g)].map(([, file = "", name = ""]) => ({
    file,
    name: name.replaceAll(/\s+/g, " "),
  }));

/** The names that a file's tests and tables of cases have: every literal text in it. */
const isNamedIn = (source: string, name: string): boolean =>
  ['"', "'", "`"].some((quote) => source.includes(`${quote}${name}${quote}`));

const missing = (named: readonly NamedTest[]): readonly NamedTest[] =>
  named.filter(({ file, name }) => !existsSync(join(ROOT, file)) || !isNamedIn(textOf(file), name));

describe("a test that a page names", () => {
  test.each(pages())("in %s exists under that name", (page) => {
    expect(missing(namedTests(textOf(page)))).toEqual([]);
  });

  test("would be missed if it were not there", () => {
    const page = "`test/scenario/races.test.ts: R99: no such race` and `test/nowhere.test.ts: a test`";
    expect(missing(namedTests(page))).toEqual([
      { file: "test/scenario/races.test.ts", name: "R99: no such race" },
      { file: "test/nowhere.test.ts", name: "a test" },
    ]);
  });
});

describe("docs/protocol.md", () => {
  const page = textOf("docs/protocol.md");

  test("numbers its rules without a gap", () => {
    const numbers = [...page.matchAll(/^(\d+)\. \*\*/gm)].map(([, number]) => Number(number));
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
    expect(numbers.length).toBeGreaterThan(0);
  });

  /** Each race with what is said of it. */
  const races = (): readonly { readonly names: readonly string[]; readonly text: string }[] => {
    const [, section = ""] = page.split("\n## Races\n");
    const [list = ""] = section.split("\n## ");
    return list
      .split(/^- \*\*/m)
      .slice(1)
      .map((text) => ({ names: (/^(R\d+(?:, R\d+)*)\*\*/.exec(text)?.[1] ?? "").split(", "), text }));
  };

  test("speaks of every race, R1 to R39", () => {
    const names = races().flatMap((race) => race.names);
    expect(names).toEqual(Array.from({ length: 39 }, (_, index) => `R${index + 1}`));
  });

  test("names for every race a test that holds its answer", () => {
    const without = races().filter(({ text }) => namedTests(text).length === 0);
    expect(without.map(({ names }) => names)).toEqual([]);
  });

  test("names for every rule a test that holds it", () => {
    const [, section = ""] = page.split("\n## Rules\n");
    const [rules = ""] = section.split("\n## ");
    const without = rules
      .split(/^(?=\d+\. \*\*)/m)
      .filter((rule) => /^\d+\. /.test(rule) && namedTests(rule).length === 0);
    expect(without.map((rule) => rule.slice(0, 40))).toEqual([]);
  });

  test("points from each race to rules that are there", () => {
    const count = [...page.matchAll(/^\d+\. \*\*/gm)].length;
    const pointedTo = [...page.matchAll(/\brules? ((?:\d+(?:, | and )?)+)/g)].flatMap(([, list = ""]) =>
      [...list.matchAll(/\d+/g)].map(([number]) => Number(number)),
    );
    expect(pointedTo.length).toBeGreaterThan(0);
    expect(pointedTo.filter((number) => number < 1 || number > count)).toEqual([]);
  });

  test("names, for every race that a test is called after, that test", () => {
    const source = textOf("test/scenario/races.test.ts");
    const raceTests = [...source.matchAll(/test\("(R\d+[^"]*)"/g)].map(([, name = ""]) => name);
    const named = new Set(namedTests(page).map(({ name }) => name));
    expect(raceTests.length).toBeGreaterThan(0);
    expect(raceTests.filter((name) => !named.has(name))).toEqual([]);
  });
});
