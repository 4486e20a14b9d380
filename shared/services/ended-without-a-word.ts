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

/**
 * How an execution has ended that is said to be at work. Who stops one by hand, and the time that one may take, write nothing
 * where its work is told of: nothing would move there, and nobody say so.
 *
 * @returns undefined while it runs, and when Step Functions does not answer: what else is told does not depend on it
 */
export const endedWithoutAWord = async (
  workflow: Pick<Workflow, "describe">,
  execution: string,
): Promise<string | undefined> => {
  try {
    const found = await workflow.describe(execution);
    const how = found === undefined ? undefined : HOW[found.status];
    if (how === undefined) return undefined;
    return `its execution ${execution} ${how}${found?.failure === undefined ? "" : ` (${found.failure})`}`;
  } catch (error) {
    if (error instanceof WorkflowUnavailableError) return undefined;
    throw error;
  }
};
