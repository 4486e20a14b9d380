import { commandStep, type Step, vitestStep } from "./step-results.ts";

/** What is seen without running anything of the product. */
export const STATIC_STEPS: readonly Step[] = [
  commandStep("Format", "prettier", "--check", "."),
  commandStep("Lint", "oxlint", "--type-aware", "--deny-warnings"),
  commandStep("Types", "tsc", "-p", "."),
  commandStep("Unused code", "knip"),
];

/** The tests that take milliseconds each. */
export const UNIT_STEP: Step = vitestStep("Unit tests", ["--project", "anywhere", "test/unit", "test/scenario"]);

/** Every test that needs no cloud. */
export const ANYWHERE_STEP: Step = vitestStep("Tests that run anywhere", ["--project", "anywhere"]);
