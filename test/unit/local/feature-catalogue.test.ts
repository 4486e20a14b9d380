import { describe, expect, test } from "vitest";
import { FEATURES, featuresNamed, featuresShown, type RanTest } from "../../../infra/local/feature-catalogue.ts";

const ran = (name: string, passed = true): RanTest => ({ file: "test/some.test.ts", name, passed });

const testsOf = (id: string, tests: readonly RanTest[]): readonly string[] | undefined =>
  featuresShown(tests).find((feature) => feature.id === id)?.tests;

test("there are 107 features, in order, each with a title of its own", () => {
  const titles: readonly string[] = Object.values(FEATURES);
  expect(Object.keys(FEATURES)).toEqual(Array.from({ length: 107 }, (_, index) => `F${index + 1}`));
  expect(new Set(titles).size).toBe(107);
});

describe("a title", () => {
  test.each<readonly [string, readonly string[]]>([
    ["lets what left go (F46)", ["F46"]],
    ["no events and no sync (F84, F85)", ["F84", "F85"]],
    ["registry consistency (F44-F47)", ["F44", "F45", "F46", "F47"]],
    ["a key such as cool_widgets/F9x or 0xF9", []],
    ["F2 and F10 are two features", ["F2", "F10"]],
    ["the other way round (F47-F44)", []],
  ])("%s names %j", (title, named) => {
    expect(featuresNamed(title)).toEqual(named);
  });
});

describe("a feature", () => {
  test("is shown by the tests that name it, by file and name", () => {
    const tests = [ran("goes away (F46)"), ran("comes and goes (F46, F47)"), ran("something else")];
    expect(testsOf("F46", tests)).toEqual([
      "test/some.test.ts: goes away (F46)",
      "test/some.test.ts: comes and goes (F46, F47)",
    ]);
    expect(testsOf("F47", tests)).toHaveLength(1);
    expect(testsOf("F48", tests)).toEqual([]);
  });

  test("that a failing test names is not shown, whatever others say", () => {
    expect(testsOf("F46", [ran("goes away (F46)"), ran("and stays away (F46)", false)])).toEqual([]);
  });

  test("is listed also when nothing shows it", () => {
    expect(featuresShown([])).toHaveLength(107);
    expect(featuresShown([ran("no such row (F200)")]).every(({ tests }) => tests.length === 0)).toBe(true);
  });
});
