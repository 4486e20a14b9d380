import process from "node:process";
import { pathToFileURL } from "node:url";
import { GROUPS } from "./groups.ts";
import { STRYKER_RUNNER } from "./tools.ts";

/** Set by `npm run mutation`: which of the groups this run is of. */
const name = process.env.S3_GEO_MUTATION_GROUP ?? "rules";

/**
 * How Stryker changes the code that is held, and looks whether a test notices. Run by `npm run mutation`, from the
 * checkout's root.
 */
export default {
  mutate: GROUPS[name].mutate,
  testRunner: "vitest",
  plugins: [pathToFileURL(STRYKER_RUNNER).href],
  // Only the tests that can reach a changed file are run, and of those only the ones that run the changed place.
  vitest: { configFile: "test/mutation/vitest.config.ts", related: true },
  coverageAnalysis: "perTest",
  // A change of what a module says while it loads, such as a constant or a table, would have to be held against every test.
  // Tables of rules are tried cell by cell in their own tests; they are not counted here, either way.
  ignoreStatic: true,
  // Stryker reads the TypeScript configuration with an API that TypeScript 7 does not have; a file that does not exist is
  // not read. Nothing is lost: the tests run the sources as they are.
  tsconfigFile: "no-such-tsconfig.json",
  disableTypeChecks: false,
  // A mutant that was killed, and its test, both unchanged: it is not tried again.
  incremental: true,
  incrementalFile: `.local/mutation/${name}.incremental.json`,
  concurrency: Number(process.env.S3_GEO_MUTATION_AT_ONCE ?? "2"),
  // Generous: a change that is given up on counts as noticed, and on a machine with other work to do the tests of one that
  // nobody notices would be given up on.
  timeoutFactor: 4,
  timeoutMS: 20_000,
  reporters: ["json", "progress-append-only"],
  jsonReporter: { fileName: `.local/mutation/${name}.json` },
  tempDirName: ".local/mutation/sandbox",
  ignorePatterns: [".local", "cdk.out", "docs", "infra", "coverage"],
  thresholds: { high: 95, low: 90, break: 90 },
};
