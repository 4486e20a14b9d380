import { setTimeout as passing } from "node:timers/promises";
import { messageOf } from "../../shared/geo/errors.ts";
import { type MemoryExecution, MemoryWorkflow } from "../../shared/memory/workflows.ts";
import type { DestroyingSite } from "../../shared/ports/destroy.ts";
import { buildManifest } from "../../shared/services/batch-destroy/build-manifest.ts";
import { conclude, noteFailure } from "../../shared/services/batch-destroy/conclude.ts";
import { lookAtSecondaries } from "../../shared/services/batch-destroy/look-at-secondaries.ts";
import { handOutSlices, workOnGroup } from "../../shared/services/batch-destroy/work-on-group.ts";

/** What the machine is started with (`workflowInput`). */
interface Input {
  readonly destroy_id: string;
  readonly work: "plan" | "destroy" | "undo";
  readonly run: number;
}

/** The workflow of batch destroys in this process: the same steps, in the machine's order, one group after the other. */
export const embeddedDestroys = (name: string, site: DestroyingSite): MemoryWorkflow => {
  const work = async ({ destroy_id: id, work: kind, run: number }: Input): Promise<void> => {
    const never = Number.POSITIVE_INFINITY;
    if (kind === "plan") return void (await buildManifest(site, id, never));
    const { groups } = await handOutSlices(site, id, kind);
    for (const group of groups) {
      for (let left = await workOnGroup(site, id, kind, group, never); left.more;) {
        await passing(left.wait_seconds * 1_000);
        left = await workOnGroup(site, id, kind, left, never);
      }
    }
    await conclude(site, id, { work: kind, run: number });
    if (kind === "undo") return;
    for (let seen = await lookAtSecondaries(site, id, { run: number, looks: 0 }, never); !seen.done;) {
      await passing(seen.wait_seconds * 1_000);
      seen = await lookAtSecondaries(site, id, { run: number, looks: seen.looks }, never);
    }
  };
  const run = async ({ name: execution, input }: MemoryExecution): Promise<void> => {
    // It is what `workflowInput` made.
    const asked = input as Input;
    try {
      await work(asked);
      workflow.end(execution, { status: "succeeded", output: null });
    } catch (error) {
      await noteFailure(site, asked.destroy_id, asked, messageOf(error));
      workflow.end(execution, { status: "failed", failure: messageOf(error) });
    }
  };
  const workflow = new MemoryWorkflow({ name, clock: site.clock, onStart: (execution) => void run(execution) });
  return workflow;
};
