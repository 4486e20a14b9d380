import { cloudTestsStep } from "./cloud-tests.ts";
import { runStepCommand } from "./run-steps.ts";
import { OTHER_STEP, STATIC_STEPS, UNIT_STEP } from "./static-steps.ts";

/** `npm test`: everything that proves the project. */
await runStepCommand((say) => [...STATIC_STEPS, UNIT_STEP, OTHER_STEP, cloudTestsStep(say)]);
