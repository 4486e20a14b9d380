import { beforeAll, describe, expect, it } from "vitest";
import type { Workflow } from "../../shared/ports/workflows.ts";

/** A machine whose executions wait until they are let go, or for longer than any test. */
export interface WorkflowUnderTest {
  readonly workflow: Workflow;
  /** Lets an execution come to its end: it succeeds with its own input as its output. */
  finish(execution: string): Promise<void>;
}

/**
 * What every `Workflow` does.
 * @param make one without executions. Called once. One that is started with `{ "wait": false }` may end by itself.
 */
export const workflowContract = (name: string, make: () => Promise<WorkflowUnderTest>): void => {
  describe(`${name} as a workflow`, () => {
    let subject: WorkflowUnderTest;
    beforeAll(async () => {
      subject = await make();
    });

    it("starts an execution, says that it runs, and what it came to", async () => {
      const { workflow } = subject;
      const input = { wait: false, text: "ünï", list: [1] };
      expect(await workflow.start("ends", input)).toEqual({ outcome: "started" });
      await subject.finish("ends");
      await expect
        .poll(() => workflow.describe("ends"), { timeout: 15_000 })
        .toMatchObject({ name: "ends", status: "succeeded", output: input });
      const ended = await workflow.describe("ends");
      expect(ended?.endedAt).toBeGreaterThanOrEqual(ended?.startedAt ?? Number.NaN);
    });

    it("does not start a second execution of a name, whether the first one runs or has ended", async () => {
      const { workflow } = subject;
      await workflow.start("twice", { wait: true });
      const first = await workflow.describe("twice");
      expect(["started", "existed"]).toContain((await workflow.start("twice", { wait: true })).outcome);
      expect(await workflow.start("twice", { wait: true, other: 1 })).toEqual({ outcome: "existed" });
      expect(await workflow.describe("twice")).toEqual(first);
      await workflow.stop("twice", "enough");
      expect(await workflow.start("twice", { wait: true })).toEqual({ outcome: "existed" });
      expect(await workflow.describe("twice")).toMatchObject({ status: "aborted" });
    });

    it("stops an execution, with the reason, and once only", async () => {
      const { workflow } = subject;
      await workflow.start("stopped", { wait: true });
      expect(await workflow.describe("stopped")).toMatchObject({ status: "running" });
      await workflow.stop("stopped", "somebody asked for it");
      const stopped = await workflow.describe("stopped");
      expect(stopped).toMatchObject({ status: "aborted" });
      expect(stopped).not.toHaveProperty("output");
      await workflow.stop("stopped", "again");
      expect(await workflow.describe("stopped")).toEqual(stopped);
    });

    it("knows nothing of an execution that never was, and has nothing to stop", async () => {
      expect(await subject.workflow.describe("never")).toBeUndefined();
      await subject.workflow.stop("never", "for nothing");
      expect(await subject.workflow.describe("never")).toBeUndefined();
    });

    it.each(["", "a b", "a/b", "x".repeat(81)])("refuses %j as a name", async (execution) => {
      await expect(subject.workflow.start(execution, {})).rejects.toMatchObject({ code: "GEO_WORKFLOW_REQUEST" });
    });

    it("refuses an input of more than 256 KiB", async () => {
      await expect(subject.workflow.start("large", "é".repeat(128 * 1024))).rejects.toMatchObject({
        code: "GEO_WORKFLOW_REQUEST",
      });
      expect(await subject.workflow.describe("large")).toBeUndefined();
    });
  });
};
