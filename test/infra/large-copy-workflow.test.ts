import { describe, expect, it } from "vitest";

import config from "../../infra/examples/one-primary-three-secondaries.config.ts";
import { largeCopying } from "../support/large-copying.ts";
import { failEachState, machineNamed, runWorkflow, statesOf } from "../support/workflow-runs.ts";
import { asText, ofType, synthesize } from "./support/templates.ts";

const stacks = synthesize(config);
const machine = machineNamed(stacks, "s3-geo-ireland-large-copy").definition;

const KEY = "cool_widgets/42/widget.bin";
const LARGE = "a very large object, really";
const INPUT = { replicable_name: "cool_widget", key: KEY, version_id: "v", round: 1 };

/** A world with one large object, and the function on it as the machine calls it. */
const story = () => {
  const world = largeCopying();
  const { versionId } = world.primaryBucket.put(KEY, LARGE);
  let held = true;
  const take = async (input: unknown): Promise<unknown> => {
    // The row is somebody else's at first.
    if (held) {
      held = false;
      await world.settle();
      return { status: "wait", wait_seconds: 60 };
    }
    return world.take(input);
  };
  return { input: { ...INPUT, version_id: versionId }, tasks: { Advance: take, CopyBatch: take }, world };
};

const broken = (): never => {
  throw new Error("out of order");
};

/** The same, and the function does not work. */
const brokenStory = () => {
  const told = story();
  return { ...told, tasks: { Advance: broken, CopyBatch: broken } };
};

const waits = () => ({ status: "wait", wait_seconds: 60 });

describe("the workflow of large copies", () => {
  it("is there at every secondary, and not at the primary", () => {
    for (const site of ["tokyo", "ireland", "sydney"]) {
      expect([...statesOf(machineNamed(stacks, `s3-geo-${site}-large-copy`).definition).keys()]).toContain("CopyBatch");
    }
    expect(() => machineNamed(stacks, "s3-geo-virginia-large-copy")).toThrow("no machine s3-geo-virginia-large-copy");
  });

  it("waits for the row, has the parts copied, and completes", async () => {
    const { input, tasks, world } = story();
    const run = await runWorkflow(machine, input, { tasks });
    expect(run.end.outcome).toBe("succeeded");
    expect(run.visited).toEqual(
      "Advance WhatNext WaitForRow NextRound Advance WhatNext CopyParts CopyBatch NextRound Advance WhatNext Done".split(
        " ",
      ),
    );
    await world.settle();
    expect(world.replicaText(KEY)).toBe(LARGE);
    expect(world.parts).toHaveLength(7);
  });

  it("never goes on for ever", async () => {
    const run = await runWorkflow(machine, INPUT, { tasks: { Advance: waits, CopyBatch: waits } });
    expect(run.end.outcome).toBe("succeeded");
    expect(run.visited.filter((state) => state === "Advance")).toHaveLength(40);
  });

  it("loses nothing by the failure of any of its states: the next execution goes on from there", async () => {
    const runs = await failEachState(machine, [
      { name: "a large object", begin: story },
      { name: "a function that does not work", begin: brokenStory },
    ]);
    expect(runs.filter(({ run }) => run.end.outcome === "succeeded")).toEqual([]);
    expect(runs.map(({ state }) => state)).toContain("CopyBatch");
    for (const { world } of runs) {
      await world.settle();
      const input = world.workflow.executions.at(-1)?.input;
      await world.execute(input);
      await world.settle();
      expect(world.replicaText(KEY)).toBe(LARGE);
      expect(new Set(world.parts).size).toBe(7);
      expect(world.parts.length).toBeLessThanOrEqual(8);
    }
  });

  it("tries again what failed for a moment", async () => {
    for (const state of ["Advance", "CopyBatch"]) {
      const { input, tasks } = story();
      const run = await runWorkflow(machine, input, { tasks, failing: { state, times: 2 } });
      expect(run.end.outcome).toBe("succeeded");
    }
  });

  it("is swept for uploads of nobody once a day", () => {
    const schedules = stacks.flatMap(({ template }) => ofType(template, "AWS::Scheduler::Schedule"));
    const sweeping = schedules.filter(({ Properties }) => String(Properties["Name"]).endsWith("-large-copy"));
    expect(sweeping).toHaveLength(3);
    for (const { Properties } of sweeping) {
      expect(Properties).toMatchObject({
        ScheduleExpression: expect.stringMatching(/^rate\(1 day\)|rate\(1440 minutes\)$/) as string,
      });
      expect(asText((Properties["Target"] as { Input: unknown }).Input)).toBe('{"step":"sweep_uploads"}');
    }
  });
});
