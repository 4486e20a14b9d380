import { defineConfig } from "vitest/config";
import { RULE_FILES, STEP_FILES } from "./test/support/held-files.ts";

/**
 * What breaks the sites for everybody while it runs, has a function's workers start anew in the middle of what they do for
 * others, or needs the machine's time for a cloud of its own: these run one file after the other.
 */
const ALONE = [
  "wire-faults",
  "killed-workers",
  "backfill",
  "selective-sync",
  "retry-storm",
  "large-copies",
  "interrupted-start",
].map((name) => `test/integration/${name}.local.test.ts`);

/** A day at sites that nobody else has used yet: in its evening everything at them has to be in order. */
const FIRST = ["test/integration/operators-day.local.test.ts"];

/** Files that share the sites at the same time. They wait for them far more than they compute: two cores carry several. */
const CLOUD_FILES_AT_ONCE = 3;

/**
 * What ends every process and server that this one has started, as a command does when it ends: nothing could be started
 * after it in the same worker.
 */
const APART = ["test/unit/local/embedded-world.test.ts", "test/page/**/*.test.ts"];

/** As Node itself resolves them: "development" is another graphql than the one that packages import. */
const RESOLVED_AS_NODE = { resolve: { conditions: ["module-sync", "node"] } };

const CLOUD = {
  globalSetup: ["test/support/cloud-setup.ts"],
  testTimeout: 120_000,
  hookTimeout: 120_000,
  // The sites are shared and the tests mostly wait: they tell each other apart by their keys.
  maxConcurrency: 20,
};

/**
 * Two kinds of test: those that run anywhere, and `*.local.test.ts`, which need a cloud (any endpoint, or AWS). The
 * cloud is found, started and deployed to once for all of them.
 */
export default defineConfig({
  test: {
    // Asked for with `--coverage`, as `npm run coverage`, `npm run check` and `npm test` do: fails below its thresholds.
    coverage: {
      provider: "v8",
      include: [...RULE_FILES, ...STEP_FILES],
      thresholds: { lines: 100, branches: 100, functions: 100, statements: 100 },
      reporter: [["text", { skipFull: true }]],
      reportsDirectory: ".local/coverage",
    },
    projects: [
      {
        ssr: RESOLVED_AS_NODE,
        test: {
          name: "anywhere",
          include: ["test/**/*.test.ts"],
          exclude: ["**/*.local.test.ts", ...APART],
          testTimeout: 20_000,
          // They compute and wait for nothing: left to itself vitest keeps a core for its own.
          maxWorkers: "100%",
          sequence: { groupOrder: 1 },
          // One module graph per worker: to load the code anew for each of 200 files was more than half of their time. What a
          // module keeps are memos; a test that depends on a fresh one makes it itself, or is one of those apart.
          isolate: false,
        },
      },
      {
        ssr: RESOLVED_AS_NODE,
        // One after the other: each has a browser, or servers, that take the machine.
        test: {
          name: "anywhere-apart",
          include: APART,
          testTimeout: 20_000,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          ...CLOUD,
          name: "cloud-first",
          include: FIRST,
          // Not 0: where there is one worker only, vitest runs that group after every other.
          sequence: { groupOrder: 3 },
        },
      },
      {
        test: {
          ...CLOUD,
          name: "cloud",
          include: ["test/**/*.local.test.ts"],
          exclude: [...FIRST, ...ALONE],
          maxWorkers: CLOUD_FILES_AT_ONCE,
          sequence: { groupOrder: 4 },
        },
      },
      {
        test: {
          ...CLOUD,
          name: "cloud-alone",
          include: ALONE,
          fileParallelism: false,
          sequence: { groupOrder: 5 },
        },
      },
    ],
  },
});
