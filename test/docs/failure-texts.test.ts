import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { FAILURE_TEXTS } from "../../shared/geo/failure-policy.ts";

/** The table of the runbook under "Many rows fail": how a text begins, and what to look at. */
const rows = readFileSync("docs/runbook.md", "utf8")
  .split("\n")
  .map((line) => /^\| (?<text>[^|]+?) +\| (?<look>[^|]+?) +\|$/.exec(line)?.groups)
  .filter((row) => row !== undefined);

describe("the runbook says what to look at", () => {
  test.each(Object.entries(FAILURE_TEXTS))("when rows fail with %s (F13)", (_kind, text) => {
    const row = rows.find(
      (one) => one["text"] !== undefined && one["text"].length > 15 && text.startsWith(one["text"]),
    );
    expect(row?.["look"] ?? "").toMatch(/\w{3,}/);
  });
});
