import { RULE_FILES, STEP_FILES } from "../support/held-files.ts";

/** Code that is changed, and the tests that have to notice. */
interface MutationGroup {
  readonly mutate: readonly string[];
  /** Patterns of test files, in the order in which they are asked: what is quick and to the point comes first. */
  readonly tests: readonly string[];
}

const unitTestsOf = (...folders: readonly string[]): readonly string[] =>
  folders.map((folder) => `test/unit/${folder}/**/*.test.ts`);

const scenarios = (...names: readonly string[]): readonly string[] =>
  names.map((name) => `test/scenario/${name}.test.ts`);

/**
 * The rules are held by their own tests alone, the steps by stories of two sites as well. Stories of what is built on the
 * steps (batch destroys, walks at scale, storms) are left out: they take seconds each and are about something else.
 */
export const GROUPS = {
  rules: {
    mutate: RULE_FILES,
    tests: [...unitTestsOf("geo", "rules", "counters", "tokens", "status"), "test/api/**/*.test.ts"],
  },
  steps: {
    mutate: STEP_FILES,
    tests: [
      ...unitTestsOf("rules", "memory"),
      ...scenarios(
        "step-values",
        "steps-of-looking",
        "steps",
        "out-of-time",
        "timeouts",
        "resync",
        "looking-again",
        "object-life",
      ),
      ...scenarios("primary-record", "paused-reads", "large-reads", "large-copies", "drift", "sent-twice", "owners"),
      ...scenarios("checksum-kinds", "standing", "sweep", "out-of-pattern", "leaked-uploads", "capacities", "orders"),
      ...scenarios("killed-large-copies", "races", "release", "removals", "re-verification", "consistency"),
      ...scenarios(
        "verification-moments",
        "waiting-and-lag",
        "selective-sync",
        "large-copy-workflow",
        "bulk-update",
        "verification-backfill",
      ),
      ...scenarios("pause"),
    ],
  },
} as const satisfies Record<string, MutationGroup>;
export type GroupName = keyof typeof GROUPS;
