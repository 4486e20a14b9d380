import { setTimeout as passing } from "node:timers/promises";
import { BULK_SLICE_MS } from "../../shared/geo/bulk-progress.ts";
import { readBulkStep } from "../../shared/geo/bulk-step.ts";
import { messageOf } from "../../shared/geo/errors.ts";
import { type MemoryExecution, MemoryWorkflow } from "../../shared/memory/workflows.ts";
import type { BulkSite } from "../../shared/services/bulk-update/bulk-site.ts";
import { takeBulkStep } from "../../shared/services/bulk-update/take-step.ts";

/** The workflow of bulk updates in this process: the same steps, in the machine's order, without its bound of rounds. */
export const embeddedBulkUpdates = (name: string, site: Omit<BulkSite, "workflow">): MemoryWorkflow => {
  const work = async ({ name: execution, input }: MemoryExecution): Promise<void> => {
    const step = (what: "slice" | "note_failure", failure?: unknown) =>
      takeBulkStep(
        { ...site, workflow },
        readBulkStep({ ...Object(input), step: what, ...(failure === undefined ? {} : { failure }) }),
        site.clock.now() + BULK_SLICE_MS,
      );
    try {
      let answer = await step("slice");
      while (answer.status !== "ended") {
        await passing(answer.status === "wait" ? answer.wait_seconds * 1_000 : 0);
        answer = await step("slice");
      }
      workflow.end(execution, { status: "succeeded", output: answer });
    } catch (error) {
      await step("note_failure", { Error: "Error", Cause: messageOf(error) });
      workflow.end(execution, { status: "failed", failure: messageOf(error) });
    }
  };
  const workflow = new MemoryWorkflow({ name, clock: site.clock, onStart: (execution) => void work(execution) });
  return workflow;
};
