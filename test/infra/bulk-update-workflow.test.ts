import { describe, expect, it } from "vitest";

import config from "../../infra/examples/one-primary-three-secondaries.config.ts";
import { BULK_SLICE_MS } from "../../shared/geo/bulk-progress.ts";
import { BULK_STEPS, readBulkStep } from "../../shared/geo/bulk-step.ts";
import { accepted, bulkUpdating } from "../support/bulk-updating.ts";
import { twoSites } from "../support/two-sites.ts";
import { failEachState, machineNamed, runWorkflow, statesOf } from "../support/workflow-runs.ts";
import { asText, ofType, synthesize } from "./support/templates.ts";

const stacks = synthesize(config);
const machine = machineNamed(stacks, "s3-geo-ireland-bulk-update").definition;

const BULK_ID = "0123456789abcdef";
const INPUT = { bulk_id: BULK_ID, execution: 1, round: 1 };
const ENDED = { status: "ended" };

/** The function, answering from a list, and what it was asked for. */
const answering = (...answers: readonly object[]) => {
  const asked: string[] = [];
  let next = 0;
  const task = (input: unknown): unknown => {
    const { step, reason } = readBulkStep(input);
    asked.push(reason === "" ? step : `${step}: ${reason}`);
    if (step !== "slice") return ENDED;
    next += 1;
    return answers[next - 1] ?? ENDED;
  };
  return { asked, tasks: { WorkSlice: task, HandOver: task, NoteFailure: task } };
};

const NEVER_ENDS = Array.from({ length: 1_000 }, () => ({ status: "more" }));

describe("the workflow of bulk updates", () => {
  it("is there at every site", () => {
    const names = ["virginia", "tokyo", "ireland", "sydney"].map((site) => `s3-geo-${site}-bulk-update`);
    for (const name of names)
      expect([...statesOf(machineNamed(stacks, name).definition).keys()]).toContain("WorkSlice");
  });

  it("works slice by slice, waits as long as it is told to, and ends when the request has", async () => {
    const { asked, tasks } = answering({ status: "more" }, { status: "wait", wait_seconds: 30 }, { status: "more" });
    const run = await runWorkflow(machine, INPUT, { tasks });
    expect(run.end.outcome).toBe("succeeded");
    const rounds = ["NextRound", "WaitForQueue NextRound", "NextRound", "Done"];
    expect(run.visited.join(" ")).toBe(rounds.map((ending) => `WorkSlice WhatNext ${ending}`).join(" "));
    expect(asked).toEqual(["slice", "slice", "slice", "slice"]);
    // Four transitions of the machine for each slice of twenty seconds, or five where it has to wait.
    expect(run.transitions).toBe(14);
  });

  it("never goes on for ever: another execution goes on after 500 slices", async () => {
    const { asked, tasks } = answering(...NEVER_ENDS);
    const run = await runWorkflow(machine, INPUT, { tasks });
    expect(run.end.outcome).toBe("succeeded");
    expect(asked.filter((step) => step === "slice")).toHaveLength(500);
    expect(asked.at(-1)).toBe("go_on");
    // Five events of the task, two of each other state: well below the 25,000 that a history holds.
    const events = run.visited.reduce((sum, state) => sum + (state === "WorkSlice" ? 5 : 2), 0);
    expect(events).toBeLessThan(10_000);
  });

  it("tries a slice again that failed, and writes down why when it keeps failing", async () => {
    const once = answering();
    const passing = await runWorkflow(machine, INPUT, {
      tasks: once.tasks,
      failing: { state: "WorkSlice", times: 3 },
    });
    expect(passing.end.outcome).toBe("succeeded");
    expect(passing.retries).toBe(3);
    const always = answering();
    const failing = await runWorkflow(machine, INPUT, { tasks: always.tasks, failing: { state: "WorkSlice" } });
    expect(failing.end).toMatchObject({ outcome: "failed", error: "BulkUpdateFailed" });
    expect(always.asked).toEqual([expect.stringMatching(/^note_failure: InjectedFailure/)]);
  });

  it("gives its function only what the function reads", () => {
    const tasks = [...statesOf(machine).values()].filter(({ Type }) => Type === "Task") as unknown as readonly {
      readonly Parameters: { readonly step: string };
    }[]; // a task of this machine has parameters
    expect(tasks.map(({ Parameters }) => Parameters.step).toSorted()).toEqual([...BULK_STEPS].toSorted());
  });

  it("leaves its function time to finish the page that it is at", () => {
    const functions = stacks
      .flatMap(({ template }) => ofType(template, "AWS::Lambda::Function"))
      .filter(({ Properties }) => asText(Properties["FunctionName"]).endsWith("-bulk-update"));
    expect(functions).toHaveLength(4);
    for (const { Properties } of functions) {
      expect(Number(Properties["Timeout"]) * 1_000).toBeGreaterThanOrEqual(3 * BULK_SLICE_MS);
    }
  });
});

const KEYS = Array.from({ length: 5 }, (_, id) => `cool_widgets/${id}/widget.bin`);

/** Two sites with a request that is made before the first task runs, and the machine's tasks as the function does them. */
const begin = (through: "to the end" | "with a full queue" | "through all rounds") => {
  const world = twoSites();
  for (const key of KEYS) world.primaryBucket.put(key, "text");
  const bulk = bulkUpdating(world);
  const begun = (async () => {
    await world.settle();
    return accepted(await bulk.ask({ action: "resync", replicable_name: "cool_widget" })).answer.id;
  })();
  let slices = 0;
  const task = async (input: unknown): Promise<unknown> => {
    const asked = { ...Object(input), bulk_id: await begun } as Readonly<Record<string, unknown>>;
    slices += 1;
    if (through === "with a full queue" && slices === 1) return { status: "wait", wait_seconds: 30 };
    if (through === "through all rounds" && asked["step"] === "slice") return { status: "more" };
    const failure = asked["failure"] as { readonly Error: string; readonly Cause: string } | undefined;
    return bulk.step(readBulkStep(asked).step, asked, failure);
  };
  return { input: INPUT, tasks: { WorkSlice: task, HandOver: task, NoteFailure: task }, world: { world, bulk, begun } };
};

const refuse = (): never => {
  throw new Error("no table");
};

/** The same, with a function that can not be used. */
const beginInVain = () => {
  const begun = begin("to the end");
  return { ...begun, tasks: { ...begun.tasks, WorkSlice: refuse } };
};

describe("whichever state fails, once and for all,", () => {
  it("the same request made again brings every row to its end (F77, F103)", async () => {
    const broken = await failEachState(machine, [
      ...(["to the end", "with a full queue", "through all rounds"] as const).map((name) => ({
        name,
        begin: () => begin(name),
      })),
      { name: "in vain", begin: beginInVain },
    ]);
    expect(broken.map(({ state }) => state).toSorted()).toEqual([...statesOf(machine).keys()].toSorted());
    const ends: unknown[] = [];
    for (const { state, run, world: made } of broken) {
      const { world, bulk } = made;
      const id = await made.begun;
      // The execution that the machine ran has ended as the machine did; one that went on after it runs.
      const ending =
        run.end.outcome === "succeeded"
          ? ({ status: "succeeded", output: null } as const)
          : ({ status: "failed", failure: run.end.error } as const);
      bulk.workflow.end(`${id}-1`, ending);
      await bulk.ask({ action: "resync", replicable_name: "cool_widget" });
      await bulk.run();
      await world.settle();
      const rows = await Promise.all(KEYS.map((key) => world.row(key)));
      ends.push({
        state,
        request: (await bulk.update(id)).state,
        rows: rows.map((row) => `${row?.state} ${row?.verification_state}`),
        copiedAgain: KEYS.filter((key) => world.replicaBucket.versions(key).length >= 2),
      });
    }
    expect(ends).toEqual(
      broken.map(({ state }) => ({
        state,
        request: "succeeded",
        rows: KEYS.map(() => "synced succeeded"),
        copiedAgain: KEYS,
      })),
    );
  });
});
