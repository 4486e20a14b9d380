import { describe, expect, test } from "vitest";
import * as z from "zod/mini";
import { formatted } from "../../cli/scaffold/formatted.ts";
import { CONFIG_PAGE, configPage } from "../../infra/local/config-page.ts";
import { Shape } from "../../shared/config/geo-config.ts";
import { ROOT, textOf } from "./support/repository.ts";

/** Every setting's default in numbers, as its comment says it and as the schema has it. */
const saidDefaults = (): readonly (readonly [name: string, said: number])[] =>
  ["geo-config", "removal-guard-config", "large-object-config"].flatMap((file) =>
    [
      ...textOf(`shared/config/${file}.ts`).matchAll(
        /\/\*\*((?:(?!\*\/)[^])*?)Default ([\d,]+)(?:(?!\*\/)[^])*\*\/\s+(\w+):/g,
      ),
    ].map(([, , said = "", name = ""]) => [name, Number(said.replaceAll(",", ""))] as const),
  );

/** The line that a setting has on the page. */
const lineOf = (name: string): string =>
  configPage()
    .split("\n")
    .find((line) => line.startsWith(`| \`${name}\` `)) ?? "";

describe("docs/configuration.md", () => {
  test("is what the schema and its comments come to (npm run docs:config writes it)", async () => {
    expect(textOf(CONFIG_PAGE)).toBe(await formatted(ROOT, CONFIG_PAGE, configPage()));
  });

  test("refuses a setting of which nobody says what it means", () => {
    const more = z.extend(Shape, { speed: z.optional(z.number()) });
    expect(() => configPage(more)).toThrow("Shape says nothing of speed: give it a comment");
  });

  test("refuses settings that would stand in no section", () => {
    const more = z.extend(Shape, { limits: z.strictObject({ most: z.number() }) });
    expect(() => configPage(more)).toThrow("the page has no section for limits");
  });

  test("says of each setting what a value of it has to be", () => {
    const bare = textOf(CONFIG_PAGE).match(/^\| `\w+` +\| +\|.*$/gm);
    expect(bare).toBeNull();
    expect(textOf(CONFIG_PAGE)).not.toContain("Invalid input");
  });

  test.each(saidDefaults())("has the default of %s that its comment tells: %d", (name, said) => {
    expect(lineOf(name).split("|")[3]?.trim()).toBe(`\`${said}\``);
  });
});

test("the example spells out every setting that has a default", () => {
  const example = textOf("infra/examples/one-primary-three-secondaries.config.ts");
  const withDefault = configPage()
    .split("\n")
    .flatMap((line) => {
      const [, name = "", , standard = ""] = line.split("|").map((cell) => cell.trim());
      return standard.startsWith("`") ? [name.replaceAll("`", "")] : [];
    });
  expect(withDefault.length).toBeGreaterThan(15);
  expect(withDefault.filter((name) => !new RegExp(`\\b${name}: `).test(example))).toEqual([]);
});

test("there are settings whose comments tell their defaults", () => {
  expect(saidDefaults().length).toBeGreaterThanOrEqual(10);
});
