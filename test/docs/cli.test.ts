import { describe, expect, test } from "vitest";
import { allCommands, type CommandNode, commandTree } from "../../cli/command-tree.ts";
import { makeProgram } from "../../cli/program.ts";
import { formatted } from "../../cli/scaffold/formatted.ts";
import { CLI_PAGE, cliPage } from "../../infra/local/cli-page.ts";
import { replicables } from "../../shared/replicables/index.ts";
import { pages, ROOT, textOf } from "./support/repository.ts";

const tree = commandTree(makeProgram({ root: "/nowhere", replicables, out: () => {}, err: () => {} }));
const commands = new Map(allCommands(tree).map((command) => [command.path, command]));

/** Command lines of `geo` in a page's code, up to what a shell would take for itself. */
const commandLines = (markdown: string): readonly string[] => {
  const blocks = [...markdown.matchAll(/```(?:sh|bash|console)\n(.*?)```/gs)].flatMap(([, code = ""]) =>
    code.split("\n"),
  );
  const inline = [...markdown.replaceAll(/```.*?```/gs, "").matchAll(/`(geo [^`\n]+)`/g)].map(([, code = ""]) => code);
  return [...blocks, ...inline].flatMap((line) =>
    [...line.matchAll(/(?:^|[(;&|]|\$ )\s*(?:npx )?(geo [a-z][^#|&;>)<…]*)/g)].map(([, text = ""]) => text.trim()),
  );
};

/** What a command line says that no command understands; nothing when it can be typed. */
const misunderstood = (line: string): string | undefined => {
  let command: CommandNode = tree;
  let skipsValue = false;
  for (const word of line.split(/\s+/).slice(1)) {
    const found = commands.get(`${command.path} ${word}`);
    if (found !== undefined) {
      command = found;
    } else if (word.startsWith("-")) {
      const option = command.options.find(({ long, short }) => long === word.split("=")[0] || short === word);
      if (option === undefined) return `${line}: ${command.path} has no option ${word}`;
      skipsValue = option.takesValue;
    } else if (command.commands.length > 0 && !skipsValue) {
      return `${line}: ${command.path} has no command ${word}`;
    }
  }
  return undefined;
};

describe("docs/cli.md", () => {
  test("is what the commands come to (npm run docs:cli writes it)", async () => {
    expect(textOf(CLI_PAGE)).toBe(await formatted(ROOT, CLI_PAGE, await cliPage(replicables)));
  });

  test("has every command", () => {
    const headings = [...textOf(CLI_PAGE).matchAll(/^#{2,3} (geo .*)$/gm)].map(([, path]) => path);
    expect(headings).toEqual([...commands.keys()].slice(1));
  });
});

describe("a command line of geo that a page shows", () => {
  test.each(pages())("in %s can be typed", (page) => {
    expect(commandLines(textOf(page)).flatMap((line) => misunderstood(line) ?? [])).toEqual([]);
  });

  test("would be found if it could not", () => {
    const page =
      "`geo fly`\n```sh\ngeo status --fast   # no\nTOKEN=$(geo token make --name x)\ngeo site list | jq\n```\n";
    expect(commandLines(page).map(misunderstood)).toEqual([
      "geo status --fast: geo status has no option --fast",
      "geo token make --name x: geo token has no command make",
      undefined,
      "geo fly: geo has no command fly",
    ]);
  });
});
