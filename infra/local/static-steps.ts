import { readdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { HOLDING_TESTS } from "../../test/support/held-files.ts";
import { LOCAL, ROOT } from "./paths.ts";
import { commandStep, type Step, vitestStep } from "./step-results.ts";

/** What is seen without running anything of the product. */
export const STATIC_STEPS: readonly Step[] = [
  commandStep("Format", "prettier", "--check", "."),
  commandStep("Lint", "oxlint", "--type-aware", "--deny-warnings"),
  commandStep("Types", "tsc", "-p", "."),
  commandStep("Unused code", "knip"),
];

/**
 * The tests that take milliseconds each. Fails, too, when they leave a line or a branch of the rules and the steps out:
 * which files these are, and the thresholds, is in `vitest.config.ts`.
 */
export const UNIT_STEP: Step = vitestStep("Unit tests and what they cover", [
  "--project",
  "anywhere*",
  "--coverage",
  // Two runs at a time must not share a folder.
  `--coverage.reportsDirectory=${join(LOCAL, "coverage", String(process.pid))}`,
  ...HOLDING_TESTS,
]);

/** Every other test that needs no cloud. Of the folders that there are, so that a new one is not forgotten. */
export const OTHER_STEP: Step = vitestStep("Other tests that run anywhere", [
  "--project",
  "anywhere*",
  ...readdirSync(join(ROOT, "test"), { withFileTypes: true })
    .map((entry) => `test/${entry.name}${entry.isDirectory() ? "/" : ""}`)
    .filter((path) => !HOLDING_TESTS.includes(path)),
]);
