import { describe, expect, test } from "vitest";
import { grid } from "../../../cli/output/grid.ts";
import { factLines, reflowed } from "../../../cli/output/lines.ts";
import { readSpan } from "../../../cli/output/options.ts";
import { painter } from "../../../cli/output/paint.ts";
import { terminalOf } from "../../../cli/output/terminal.ts";
import {
  agoText,
  allOf,
  bytesText,
  countOf,
  percentText,
  printable,
  shareText,
  shortSpan,
  spanText,
} from "../../../cli/output/texts.ts";

const SCREEN = { isTTY: true, columns: 100 };
const PIPE = { isTTY: false, columns: 0 };

describe("what is written to", () => {
  test("is drawn on and coloured where both streams are a terminal", () => {
    const { screen, colours, bars } = terminalOf({ TERM: "xterm" }, SCREEN, SCREEN);
    expect([screen?.columns(), colours, bars]).toEqual([100, true, SCREEN]);
  });

  test.each([
    ["answers go into a pipe", {}, PIPE, SCREEN, { screen: false, colours: false, bars: true }],
    ["progress goes into a file", {}, SCREEN, PIPE, { screen: true, colours: true, bars: false }],
    ["NO_COLOR is set", { NO_COLOR: "1" }, SCREEN, SCREEN, { screen: true, colours: false, bars: true }],
    [
      "NO_COLOR is empty, which says nothing",
      { NO_COLOR: "" },
      SCREEN,
      SCREEN,
      { screen: true, colours: true, bars: true },
    ],
    ["FORCE_COLOR is set for a pipe", { FORCE_COLOR: "1" }, PIPE, PIPE, { screen: false, colours: true, bars: false }],
    ["FORCE_COLOR is 0", { FORCE_COLOR: "0" }, SCREEN, SCREEN, { screen: true, colours: false, bars: true }],
    ["the terminal is dumb", { TERM: "dumb" }, SCREEN, SCREEN, { screen: false, colours: false, bars: false }],
    ["it is a build", { CI: "true" }, SCREEN, SCREEN, { screen: true, colours: true, bars: false }],
  ] as const)("when %s", (_, env, out, err, wanted) => {
    const { screen, colours, bars } = terminalOf(env, out, err);
    expect({ screen: screen !== undefined, colours, bars: bars !== undefined }).toEqual(wanted);
  });

  test("is as wide as a screen usually is when it does not say", () => {
    expect(terminalOf({}, { isTTY: true, columns: 0 }, PIPE).screen?.columns()).toBe(80);
  });

  test("gets colours only where somebody wants them", () => {
    expect(painter({})("bad", "no")).toBe("no");
    expect(painter({ colours: true })("bad", "no")).toBe("\u001b[31mno\u001b[39m");
  });
});

describe("numbers for people", () => {
  test.each([
    [bytesText(0), "0 B"],
    [bytesText(1_023), "1023 B"],
    [bytesText(1_024), "1.0 KiB"],
    [bytesText(110_310_605), "105.2 MiB"],
    [bytesText(5e15), "4.4 PiB"],
    [percentText(0, 0), "100%"],
    [percentText(1, 3), "33.33%"],
    [percentText(99_999_999, 100_000_000), "99.99%"],
    [percentText(3, 3), "100%"],
    [percentText(-1, 3), "0.00%"],
    [shareText(1_234, 5_678), "1,234/5,678 (21.73%)"],
    [countOf(1, "row"), "1 row"],
    [countOf(2, "entry", "entries"), "2 entries"],
    [allOf(0, "object"), "There is no object that is not"],
    [allOf(1, "object"), "The only object is"],
    [spanText(0.42), "0.4 seconds"],
    [spanText(1), "1 second"],
    [spanText(119), "119 seconds"],
    [spanText(180), "3 minutes"],
    [spanText(3 * 3_600), "3 hours"],
    [spanText(3 * 86_400), "3 days"],
    [shortSpan(12), "12 s"],
    [shortSpan(0.42), "0.4 s"],
    [shortSpan(180), "3 min"],
    [shortSpan(3 * 3_600), "3 h"],
    [shortSpan(3 * 86_400), "3 d"],
    [agoText(1_000, 61_000), "60 seconds ago"],
    [agoText(2_000, 1_000), "0 seconds ago"],
  ])("%s", (text, wanted) => {
    expect(text).toBe(wanted);
  });
});

test.each(["\u001b[2J", "\r", "\u0007", "\u009b31m", "\u202e", "\n", "\u2028"])(
  "a text from elsewhere says nothing to a terminal: %j",
  (bad) => {
    expect(printable(`a${bad}b`)).not.toContain(bad.slice(0, 1));
  },
);

describe("lines", () => {
  const facts = [
    { label: "Health Status", text: "Healthy" },
    { label: "Sync", text: "one two three four five six seven eight nine ten" },
  ];

  test("have their colons in one column, and go on beneath their text", () => {
    expect(factLines(facts, 56)).toBe(
      "Health Status: Healthy\n         Sync: one two three four five six seven eight\n               nine ten\n",
    );
  });

  test("stand beneath their label where the screen is narrow", () => {
    expect(factLines(facts, 30)).toBe(
      "Health Status: Healthy\nSync:\n  one two three four five six\n  seven eight nine ten\n",
    );
  });

  test("of a table are cells with headings before them where it does not fit", () => {
    const rows = [
      ["a", "one"],
      ["b", "two"],
    ];
    expect(grid(["name", "number"], rows, 40)).toBe("name  number\na     one\nb     two\n");
    expect(grid(["name", "number"], rows, 8)).toBe("name    a\nnumber  one\n\nname    b\nnumber  two\n");
    expect(grid(["name"], [], 80)).toBe("name\n");
  });

  test("of help are broken anew, but for what is indented, headed or a usage", () => {
    const help =
      "Usage: geo x [options] and more\n\nSome text that\ngoes on.\n\nOptions:\n  --all  every one of them\n";
    expect(reflowed(help, 12)).toBe(
      "Usage: geo x [options] and more\n\nSome text\nthat goes\non.\n\nOptions:\n  --all  every one of them\n",
    );
  });
});

describe("a time span", () => {
  test.each([
    ["90s", 90_000],
    ["10m", 600_000],
    ["1.5h", 5_400_000],
    ["1d", 86_400_000],
    ["30", 30_000],
  ])("%s", (text, wanted) => {
    expect(readSpan("--timeout", text)).toBe(wanted);
  });

  test.each(["", "0", "-1m", "1w", "1 m", "m"])("is not %j", (text) => {
    expect(() => readSpan("--timeout", text)).toThrow(`--timeout is ${JSON.stringify(text)}, expected a time such as`);
  });
});
