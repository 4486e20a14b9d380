import { dirname, join, normalize } from "node:path";
import { expect, test } from "vitest";
import { textOf } from "../../docs/support/repository.ts";

/** The part of a file that only imports; what stands in texts further below is no import of its own. */
const headOf = (source: string): string =>
  source.split(/^(?:export )?(?:const|let|class|interface|type|function|abstract)\b/m)[0] ?? "";

/** What a file loads before its first line runs: not its types, and not what it loads when it is needed. */
const loadedBy = (path: string): readonly string[] =>
  [...headOf(textOf(path)).matchAll(/^(?:import|export)\b(?!\s+type\b)[^;"]*?\bfrom\s+"([^"]+)"/gm)].map(
    ([, from = ""]) => (from.startsWith(".") ? normalize(join(dirname(path), from)) : from),
  );

/** Everything that is loaded with a file, packages by their names. */
const loadedWith = (path: string, seen = new Set<string>()): ReadonlySet<string> => {
  for (const loaded of loadedBy(path)) {
    if (seen.has(loaded)) continue;
    seen.add(loaded);
    if (loaded.endsWith(".ts")) loadedWith(loaded, seen);
  }
  return seen;
};

test("no command waits for what only some need: the SDK, the formatter", () => {
  const loaded = loadedWith("cli/geo.ts");
  expect(loaded).toContain("commander");
  expect(loaded).toContain("cli/commands/doctor.ts");
  expect([...loaded].filter((name) => name.startsWith("@aws-sdk/") || name === "prettier")).toEqual([]);
});
