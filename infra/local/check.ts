import { runStepCommand } from "./run-steps.ts";
import { STATIC_STEPS, UNIT_STEP } from "./static-steps.ts";

/** `npm run check`: what to run while working; it needs no cloud, and synthesizes and explores nothing. */
await runStepCommand(() => [...STATIC_STEPS, UNIT_STEP]);
