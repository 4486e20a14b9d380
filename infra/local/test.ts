import { cloudTestsStep } from "./cloud-tests.ts";
import { runStepCommand } from "./run-steps.ts";
import { ANYWHERE_STEP, STATIC_STEPS } from "./static-steps.ts";

/** `npm test`: everything that proves the project. */
await runStepCommand((say) => [...STATIC_STEPS, ANYWHERE_STEP, cloudTestsStep(say)]);
