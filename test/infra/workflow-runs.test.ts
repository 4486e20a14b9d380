import { describe, expect, it } from "vitest";

import { failEachState, INJECTED, runWorkflow, statesOf, type Definition } from "../support/workflow-runs.ts";

const RETRY = [{ ErrorEquals: ["States.ALL"], IntervalSeconds: 60, MaxAttempts: 2, BackoffRate: 2 }];

/** Adds up a list, an hour of waiting before each number, and gives up politely when a number can not be added. */
const machine = {
  StartAt: "Each",
  States: {
    Each: {
      Type: "Map",
      ItemsPath: "$.numbers",
      MaxConcurrency: 1,
      ItemProcessor: {
        StartAt: "Pause",
        States: {
          Pause: { Type: "Wait", Seconds: 3600, Next: "Add" },
          Add: {
            Type: "Task",
            Resource: "arn:aws:lambda:us-east-1:111122223333:function:add",
            Retry: RETRY,
            End: true,
          },
        },
      },
      Catch: [{ ErrorEquals: ["States.ALL"], Next: "GiveUp" }],
      Next: "Done",
    },
    Done: { Type: "Succeed" },
    GiveUp: { Type: "Fail", Error: "CanNotAdd", Cause: "a number could not be added" },
  },
} as unknown as Definition;

const story = (numbers: readonly unknown[]) => ({
  name: `adds ${String(numbers.length)}`,
  begin: () => {
    const world = { sum: 0 };
    const add = (one: unknown): number => {
      if (typeof one !== "number") throw new Error(`${String(one)} is no number`);
      world.sum += one;
      return world.sum;
    };
    return { input: { numbers }, tasks: { Add: add }, world };
  },
});

describe("running a workflow in process", () => {
  it("takes no time for waits and counts what AWS would charge for", async () => {
    const { input, tasks, world } = story([1, 2]).begin();
    const run = await runWorkflow(machine, input, { tasks });
    expect(run.end).toEqual({ outcome: "succeeded", output: [1, 3] });
    expect(run.visited).toEqual(["Each", "Pause", "Add", "Pause", "Add", "Done"]);
    expect(run).toMatchObject({ retries: 0, transitions: 7 });
    expect(world.sum).toBe(3);
  });

  it("fails a task so many times and no more, without waiting between them", async () => {
    const { input, tasks, world } = story([5]).begin();
    const run = await runWorkflow(machine, input, { tasks, failing: { state: "Add", times: 2 } });
    expect(run).toMatchObject({ end: { outcome: "succeeded" }, retries: 2, transitions: 7 });
    expect(world.sum).toBe(5);
  });

  it("says how an execution failed", async () => {
    const { input, tasks } = story(["one"]).begin();
    const { end, retries } = await runWorkflow(machine, input, { tasks });
    expect(end).toEqual({ outcome: "failed", error: "CanNotAdd", cause: "a number could not be added" });
    expect(retries).toBe(2);
  });

  it("fails each state in turn, in a story that comes by it", async () => {
    const broken = await failEachState(machine, [story([1]), story(["one"])]);
    expect(broken.map(({ state, type }) => [state, type])).toEqual(
      [...statesOf(machine)].map(([name, { Type }]) => [name, Type]),
    );
    const ends = Object.fromEntries(
      broken.map(({ state, run: { end } }) => [state, end.outcome === "failed" ? end.error : "succeeded"]),
    );
    expect(ends).toEqual({ Each: INJECTED, Pause: "CanNotAdd", Add: "CanNotAdd", Done: INJECTED, GiveUp: INJECTED });
    expect(broken.find(({ state }) => state === "Pause")?.world.sum).toBe(0);
  });

  it("refuses a state that no story comes by, a task without a handler, and a state that is not there", async () => {
    await expect(failEachState(machine, [story([1])])).rejects.toThrow("no story comes by GiveUp");
    await expect(runWorkflow(machine, {}, { tasks: {} })).rejects.toThrow("no handler for Add");
    const { input, tasks } = story([1]).begin();
    await expect(runWorkflow(machine, input, { tasks, failing: { state: "Ad" } })).rejects.toThrow(
      "no state Ad to fail",
    );
  });
});
