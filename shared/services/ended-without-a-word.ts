import { WorkflowUnavailableError } from "../geo/errors.ts";
import type { ExecutionStatus, Workflow } from "../ports/workflows.ts";

const HOW: Readonly<Record<ExecutionStatus, string | undefined>> = {
  running: undefined,
  // What it came to was written down before it ended.
  succeeded: undefined,
  failed: "has failed",
  timed_out: "took longer than it may",
  aborted: "was stopped",
};

/** Whoever writes down that something begins starts it next, within the half minute that a call of the API may take. */
const STARTED_WITHIN_MS = 60_000;

/**
 * Why an execution is not at work that is said to be. Who stops one by hand, and the time that one may take, write nothing
 * where its work is told of, and whoever wrote down that it begins may have died before he started it: nothing would move
 * there, and nobody say so.
 *
 * @param since when it was written down, milliseconds since the epoch; undefined when that is not known
 * @param now milliseconds since the epoch
 * @returns undefined while it runs, and when Step Functions does not answer: what else is told does not depend on it
 */
export const endedWithoutAWord = async (
  workflow: Pick<Workflow, "describe">,
  execution: string,
  since: number | undefined,
  now: number,
): Promise<string | undefined> => {
  try {
    const found = await workflow.describe(execution);
    const isMissed = found === undefined && since !== undefined && now - since > STARTED_WITHIN_MS;
    const how = isMissed ? "was never started" : HOW[found?.status ?? "running"];
    if (how === undefined) return undefined;
    return `its execution ${execution} ${how}${found?.failure === undefined ? "" : ` (${found.failure})`}`;
  } catch (error) {
    if (error instanceof WorkflowUnavailableError) return undefined;
    throw error;
  }
};
