import { expect, test } from "vitest";
import { formatted } from "../../cli/scaffold/formatted.ts";
import { supportPage, SUPPORT_PAGE } from "../../cli/scaffold/support-page.ts";
import { DUE_PARTITIONS } from "../../shared/geo/limits.ts";
import { replicables } from "../../shared/replicables/index.ts";
import { ROOT, textOf } from "./support/repository.ts";

test("the page of supported types is what the declarations say (npm run docs:types writes it)", async () => {
  expect(textOf(SUPPORT_PAGE)).toBe(await formatted(ROOT, SUPPORT_PAGE, supportPage(replicables)));
});

test("the page has a line for every type, with what it is by default and whether it is an experiment (F86, F93)", () => {
  const rows = textOf(SUPPORT_PAGE).match(/^\| `.*$/gm) ?? [];
  const cells = rows.map((row) => row.split("|").map((cell) => cell.trim()));
  expect(cells.map(([, name]) => name)).toEqual(replicables.map(({ name }) => `\`${name}\``));
  expect(cells.map(([, , , , standard, , mark]) => [standard, mark])).toEqual(
    replicables.map(({ enabledByDefault }) => (enabledByDefault ? ["on", ""] : ["off", "experiment"])),
  );
});

test("what an idle installation asks DynamoDB is said for at most as many types as are on by default", () => {
  const performance = textOf("docs/performance.md");
  const [, kinds] = /of which (\d+) are on/.exec(performance) ?? [];
  const [, queries] = /\| (\d+) queries of an empty index a minute and site/.exec(performance) ?? [];
  expect(Number(kinds)).toBeLessThanOrEqual(replicables.filter(({ enabledByDefault }) => enabledByDefault).length);
  expect(Number(queries)).toBe(Number(kinds) * DUE_PARTITIONS);
});
