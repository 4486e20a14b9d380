import process from "node:process";
import { endOnSignals, InterruptedError, stopEverything } from "./processes.ts";
import { runSteps, type Step, sumResults } from "./step-results.ts";

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** Runs a command that is made of steps, to its last line `N passed, N failed, N skipped` and its exit code. */
export const runStepCommand = async (steps: (say: (line: string) => void) => readonly Step[]): Promise<void> => {
  let code = 130;
  endOnSignals(() => code);
  try {
    const startedAt = Date.now();
    const { passed, failed, skipped } = sumResults(await runSteps(steps(say), say));
    say(`All of it took ${((Date.now() - startedAt) / 1_000).toFixed(0)} s`);
    code = failed === 0 && passed > 0 ? 0 : 1;
    await stopEverything();
    say(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  } catch (error) {
    if (!(error instanceof InterruptedError)) {
      code = 1;
      process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    }
    await stopEverything();
  }
  process.exit(code);
};
