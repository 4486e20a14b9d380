import { RULE_FILES, STEP_FILES } from "../support/held-files.ts";

/** Code that is changed, and the tests that have to notice. */
interface MutationGroup {
  readonly mutate: readonly string[];
  /** In the order in which they are asked: what is quick and to the point comes first. */
  readonly tests: readonly string[];
}

/** The rules are held by their own tests alone, the steps by stories of two sites as well. */
export const GROUPS = {
  rules: { mutate: RULE_FILES, tests: ["test/unit/{geo,rules,counters,tokens,status}/", "test/api/"] },
  steps: { mutate: STEP_FILES, tests: ["test/unit/{rules,memory}/", "test/scenario/"] },
} as const satisfies Record<string, MutationGroup>;
export type GroupName = keyof typeof GROUPS;
