import { describe, expect, test } from "vitest";
import { USAGE_SCHEMA_FILE, usageSchemaText } from "../../infra/local/docs-api.ts";
import { apiSite } from "../api/support/site.ts";
import { textOf } from "./support/repository.ts";

/** Names in the first column of the page's tables. */
const documented = (): readonly string[] =>
  textOf("docs/api/status-fields.md")
    .split("\n")
    .flatMap((line) => {
      const [, first = ""] = line.startsWith("| `") ? line.split("|") : [];
      return [...first.matchAll(/`([a-z_]+)`/g)].map(([, name = ""]) => name);
    });

describe("docs/api/status-fields.md", () => {
  test.each(["primary", "secondary"] as const)(
    "has every field of a %s's status, once, and no other (F58)",
    async (role) => {
      const response = await apiSite(role).app.request("/api/v4/geo_sites/status");
      const [status] = (await response.json()) as readonly [object];
      const others = new Set(Object.keys(status).filter((field) => !field.startsWith("cool_widgets_")));
      const names = documented();
      expect(new Set(names).size).toBe(names.length);
      expect(
        Object.keys(status)
          .filter((field) => field.startsWith("cool_widgets_"))
          .toSorted(),
      ).toEqual(names.filter((name) => name.startsWith("cool_widgets_")).toSorted());
      expect(names.filter((name) => !name.startsWith("cool_widgets_") && !others.has(name))).toEqual([]);
      // Of the fields of other types one stands for all.
      const ofTypes = [...others].filter((field) => !names.includes(field));
      expect(ofTypes.filter((field) => !names.includes(`cool_widgets_${suffixOf(field, names)}`))).toEqual([]);
    },
  );

  test("tells what is always null of what is null", async () => {
    const [, section = ""] = textOf("docs/api/status-fields.md").split("## Always null");
    const names = [...section.matchAll(/^\| `([a-z_]+)`/gm)].map(([, name = ""]) => name);
    for (const role of ["primary", "secondary"] as const) {
      const response = await apiSite(role).app.request("/api/v4/geo_sites/status");
      const [status] = (await response.json()) as readonly [Readonly<Record<string, unknown>>];
      for (const name of names) expect([name, status[name]]).toEqual([name, null]);
    }
    expect(names.length).toBeGreaterThan(10);
  });
});

/** The end of a type's field that one of the documented ones has as well. */
const suffixOf = (field: string, names: readonly string[]): string =>
  names
    .filter((name) => name.startsWith("cool_widgets_"))
    .map((name) => name.slice("cool_widgets_".length))
    .find((suffix) => field.endsWith(`_${suffix}`)) ?? field;

test("docs/api/geo_node_usage.json is what `npm run docs:api` makes of the declared types (F70)", async () => {
  expect(textOf(USAGE_SCHEMA_FILE)).toBe(await usageSchemaText());
});
