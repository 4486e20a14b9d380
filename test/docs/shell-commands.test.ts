/** Every command that a page shows in a block of shell is held against what it calls, or marked as needing AWS. */
import { describe, expect, test } from "vitest";
import { asksAws, problemOf } from "./support/known-commands.ts";
import { pages, textOf } from "./support/repository.ts";
import { commandsOf, languagesOf, NEEDS_AWS, shellBlocks, type ShellBlock } from "./support/shell.ts";

const problemsOf = ({ text, marks, line }: ShellBlock): readonly string[] => {
  const commands = commandsOf(text);
  const isMarked = marks.includes(NEEDS_AWS);
  const unmarked = isMarked ? [] : commands.filter(asksAws);
  return [
    ...marks.filter((mark) => mark !== NEEDS_AWS).map((mark) => `there is no mark ${mark}`),
    ...(isMarked && !commands.some(asksAws) ? ["nothing in it needs AWS, so that it needs no mark"] : []),
    ...unmarked.map(({ words }) => `${words.slice(0, 3).join(" ")} needs AWS: mark its block with ${NEEDS_AWS}`),
    ...commands
      .filter((command) => !unmarked.includes(command))
      .flatMap((command) => problemOf(command, isMarked) ?? []),
  ].map((problem) => `line ${line}: ${problem}`);
};

const problemsIn = (markdown: string): readonly string[] => shellBlocks(markdown).flatMap(problemsOf);

const block = (text: string, info = "sh"): string => `\`\`\`${info}\n${text}\n\`\`\``;

describe("a shell command", () => {
  test.each(pages())("of %s is one that there is, or is marked as needing AWS", (page) => {
    expect(problemsIn(textOf(page))).toEqual([]);
  });

  test.each(pages())("of %s stands in a block that says its language", (page) => {
    expect(languagesOf(textOf(page)).filter((language) => language === "")).toEqual([]);
  });

  test("is looked at in more than a hundred places", () => {
    const shown = pages().flatMap((page) => shellBlocks(textOf(page)).flatMap(({ text }) => commandsOf(text)));
    expect(shown.length).toBeGreaterThan(100);
  });

  test.each([
    ["geo fly", "geo has no command fly"],
    ["geo status --fast", "geo status has no option --fast"],
    ["geo explain", "geo explain takes 1 to 1 words, got 0"],
    ["X=$(geo site pause a b)", "geo pause takes 0 to 1 words, got 2"],
    ["npx geo status", "nobody knows npx geo status"],
    ["npm run fly", "package.json has no script fly"],
    ["npm run geo -- fly", "geo has no command fly"],
    ["npm start -- --fast", "Unknown option '--fast'"],
    ["npm start --exit", "npm keeps --exit for itself: put -- before it"],
    ['curl -H "PRIVATE-TOKEN: $T" "$API_URL/api/v4/secrets"', "the API has no GET /api/v4/secrets"],
    ['curl "$API_URL/metrics"', "curl /metrics sends no token"],
    ['curl -H "PRIVATE-TOKEN: $T" "$A/api/v4/geo_sites?fast=1"', "GET /api/v4/geo_sites takes no fast"],
    [
      `curl -X PUT -H "PRIVATE-TOKEN: $T" "$A/api/v4/geo_sites/$S" \\\n -d '{"fast": true}'`,
      "PUT /api/v4/geo_sites/$S takes no fast in its body",
    ],
    [`curl -X POST -H "PRIVATE-TOKEN: $T" "$A/api/v4/features/x" -d '{"value": 1}'`, "expected boolean"],
    ["cat x | rm -rf y", "nobody knows rm -rf y"],
    ["aws s3 ls", "aws s3 ls needs AWS: mark its block with needs-aws"],
    ["npx cdk deploy s3-geo-virginia", "npx cdk deploy needs AWS: mark its block with needs-aws"],
  ])("that is wrong is noticed: %s", (text, said) => {
    expect(problemsIn(block(text)).join("\n")).toContain(said);
  });

  test.each([
    ["sh needs-aws", "geo status", "nothing in it needs AWS"],
    ["sh needs-aws", "npx cdk deploy s3-geo-mars", "the configuration has no stack s3-geo-mars"],
    ["bash fast", "geo status", "there is no mark fast"],
    ["console", "rm -rf y", "nobody knows rm -rf y"],
  ])("in a block of %s is noticed as well: %s", (info, text, said) => {
    expect(problemsIn(block(text, info)).join("\n")).toContain(said);
  });
});

describe("a script is read", () => {
  test("in words without quotes, with comments and continuations left out", () => {
    expect(
      commandsOf(`A=1 npm start -- \\\n  'b c' "d $(geo bulk list) e" # f\ncd x && git clone <this one> > y`),
    ).toEqual([
      { words: ["npm", "start", "--", "b c", "d $(geo bulk list) e"], assigned: ["A"] },
      { words: ["geo", "bulk", "list"], assigned: [] },
      { words: ["cd", "x"], assigned: [] },
      { words: ["git", "clone", "<this one>", "y"], assigned: [] },
    ]);
  });

  test("or refused, with the place at which it can not be", () => {
    expect(() => commandsOf("geo status\ngeo 'x")).toThrow("can not be read as shell: 'x");
  });
});
