/**
 * The code that is held to the highest bar: every line and branch of it is run by a test, as `vitest.config.ts` measures.
 * Patterns are from the checkout's root.
 */

/** The pure rules. */
export const RULE_FILES = ["shared/geo/*.ts"];

/** The protocol's steps, and the writes that they are made of. */
export const STEP_FILES = [
  "shared/services/blob-sync/*.ts",
  "shared/services/verification/*.ts",
  "shared/services/record-checksum.ts",
  "shared/tables/registry/*.ts",
  "shared/tables/verification-state/*.ts",
  "shared/tables/write-columns.ts",
];

/** The tests that run them: all that need neither a cloud nor a minute. */
export const HOLDING_TESTS = ["test/unit/", "test/scenario/", "test/api/"];
