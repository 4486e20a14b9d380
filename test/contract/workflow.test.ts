import { ManualClock } from "../../shared/memory/clock.ts";
import { MemoryWorkflow } from "../../shared/memory/workflows.ts";
import { workflowContract } from "./workflow.contract.ts";

workflowContract("A state machine in memory", async () => {
  const workflow = new MemoryWorkflow({ name: "machine", clock: new ManualClock() });
  return {
    workflow,
    finish: async (execution) => {
      const output = workflow.executions.find(({ name }) => name === execution)?.input;
      workflow.end(execution, { status: "succeeded", output });
    },
  };
});
