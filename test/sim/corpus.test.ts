import { describe, expect, test } from "vitest";
import { readCorpus } from "./corpus.ts";
import { simulate } from "./simulate.ts";

describe("what once broke a rule does not break it again", () => {
  test.each(readCorpus())("$name", async ({ finding }) => {
    const run = await simulate(finding.plan);
    expect(run.violation).toBeUndefined();
    // A plan in which nothing happens would pass, too.
    expect(run.steps).toBeGreaterThan(20);
  });
});
