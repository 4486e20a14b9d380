import { describe, expect, test } from "vitest";
import * as z from "zod";
import { pages, textOf } from "./support/repository.ts";

const { scripts } = z.object({ scripts: z.record(z.string(), z.string()) }).parse(JSON.parse(textOf("package.json")));

/** npm's own commands. */
const NPM_ITSELF = new Set(["ci", "install"]);

/** The scripts that a page tells its reader to run, in code of either kind. */
const commandsIn = (markdown: string): readonly string[] => {
  const code = [...markdown.matchAll(/```.*?```|`[^`\n]+`/gs)].map(([text]) => text).join("\n");
  return [...code.matchAll(/\bnpm (run )?([a-z][a-z:-]*)/g)]
    .filter(([, run, name = ""]) => run !== undefined || !NPM_ITSELF.has(name))
    .map(([, , name = ""]) => name);
};

describe("a command that a page names", () => {
  test.each(pages())("in %s is a script of package.json", (page) => {
    expect(commandsIn(textOf(page)).filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
  });

  test("would be found if it were none", () => {
    expect(commandsIn("`npm start`, `npm ci`, `npm run fly`\n```sh\nnpm test -- --x\nnpm run swim\n```")).toEqual([
      "start",
      "fly",
      "test",
      "swim",
    ]);
  });
});

test("README names the commands that a newcomer needs", () => {
  expect(commandsIn(textOf("README.md"))).toEqual(expect.arrayContaining(["start", "test", "check"]));
});
