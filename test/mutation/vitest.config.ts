import process from "node:process";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { GROUPS } from "./groups.ts";

const { tests } = process.env["S3_GEO_MUTATION_GROUP"] === "steps" ? GROUPS.steps : GROUPS.rules;

const order = tests.map((pattern) => pattern.replace(/\*\*.*$/, ""));
const rank = ({ moduleId }: TestSpecification): number => order.findIndex((start) => moduleId.includes(start));

/** In the group's order: a mutant that a unit test kills needs no scenario, and those take longest where a mutant loops. */
class QuickestFirst extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return Promise.resolve(
      files.toSorted((a, b) => rank(a) - rank(b) || (a.moduleId < b.moduleId ? -1 : a.moduleId > b.moduleId ? 1 : 0)),
    );
  }
}

/** The tests of one group, as `stryker.config.mjs` has them run thousands of times. */
export default defineConfig({
  test: {
    include: [...tests],
    testTimeout: 20_000,
    // One module graph for all files: they share no state but memos, and making it anew is most of a mutant's time.
    isolate: false,
    sequence: { sequencer: QuickestFirst },
    // Stryker reports.
    reporters: [{}],
  },
});
