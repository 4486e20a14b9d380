import { readFileSync } from "node:fs";

import aslValidator from "asl-validator";
import { describe, expect, it } from "vitest";

import config from "../../infra/examples/one-primary-three-secondaries.config.ts";
import { machinesOf, statesOf } from "../support/workflow-runs.ts";
import { ofType, synthesize } from "./support/templates.ts";

const stacks = synthesize(config);
const machines = machinesOf(stacks);
const runbook = readFileSync("docs/runbook.md", "utf8");

/** What only one cloud understands, or what a log would not show: none of it is in a machine of ours. */
const notPortable = (definition: unknown): readonly string[] => {
  const text = JSON.stringify(definition);
  return ["QueryLanguage", "ItemReader", "ResultWriter", "ItemBatcher", "DISTRIBUTED", "arn:aws:states:::"].filter(
    (word) => text.includes(word),
  );
};

describe("every state machine", () => {
  it("is there at all", () => {
    expect(machines.length).toBeGreaterThanOrEqual(4);
  });

  it.each(machines)("$name is valid Amazon States Language", ({ definition }) => {
    // It writes defaults into what it is given.
    expect(aslValidator(structuredClone(definition))).toMatchObject({ isValid: true });
  });

  it.each(machines)("$name is portable: JSONPath, Lambda tasks and inline maps", ({ definition }) => {
    expect(notPortable(definition)).toEqual([]);
  });

  it.each(machines)("$name ends by itself, and bounds how many of a map run at once", ({ definition }) => {
    expect(definition).toHaveProperty("TimeoutSeconds");
    const unbounded = [...statesOf(definition)].filter(
      ([, state]) => state.Type === "Map" && !("MaxConcurrency" in state),
    );
    expect(unbounded.map(([name]) => name)).toEqual([]);
  });

  it.each(machines)("$name tries every task again, later each time and not all at once", ({ definition }) => {
    const tasks = [...statesOf(definition)].filter(([, { Type }]) => Type === "Task");
    // A function's own error has a name that not every cloud passes on: the last clause takes all.
    expect(tasks.map(([name, { Retry }]) => [name, Retry?.at(-1)])).toEqual(
      tasks.map(([name]) => [
        name,
        expect.objectContaining({
          ErrorEquals: ["States.ALL"],
          JitterStrategy: "FULL",
          MaxDelaySeconds: expect.any(Number) as number,
        }),
      ]),
    );
  });

  it("is a standard one, and logged", () => {
    for (const { Properties } of stacks.flatMap(({ template }) =>
      ofType(template, "AWS::StepFunctions::StateMachine"),
    )) {
      expect(Properties).toMatchObject({ StateMachineType: "STANDARD", LoggingConfiguration: { Level: "ALL" } });
    }
  });

  it.each(machines)(
    "$name calls a person when an execution fails or hangs, and names a section that tells of it",
    ({ name }) => {
      const alarms = stacks
        .flatMap(({ template }) => ofType(template, "AWS::CloudWatch::Alarm"))
        .filter(({ Properties }) => [`${name}-failing`, `${name}-timed-out`].includes(String(Properties["AlarmName"])));
      expect(alarms.map(({ Properties }) => String(Properties["MetricName"])).sort()).toEqual([
        "ExecutionsFailed",
        "ExecutionsTimedOut",
      ]);
      for (const { Properties } of alarms) {
        const heading = /docs\/runbook\.md#([a-z-]+)$/.exec(String(Properties["AlarmDescription"]))?.[1] ?? "nowhere";
        expect(String(Properties["AlarmName"]).replace(/^s3-geo-[a-z]+-/, "")).toBe(heading);
        expect(runbook).toContain(`\n### ${heading}\n`);
      }
    },
  );

  it("would be refused if a state led nowhere", () => {
    const [first] = machines;
    const broken = structuredClone(first?.definition) as { States: Record<string, { Next?: string }> } | undefined;
    for (const state of Object.values(broken?.States ?? {})) if (state.Next !== undefined) state.Next = "Nowhere";
    expect(aslValidator(broken).isValid).toBe(false);
  });
});
