import { readFileSync } from "node:fs";

import aslValidator from "asl-validator";
import { describe, expect, it } from "vitest";

import {
  FIRST_INPUT,
  retrySweepWorkflow,
  ROUNDS_PER_EXECUTION_MAX,
} from "../../infra/subsystems/retry-sweep-workflow.ts";
import config from "../../infra/examples/one-primary-three-secondaries.config.ts";
import { asText, ofType, synthesize } from "./support/templates.ts";

const stacks = synthesize(config);
const machines = stacks.flatMap(({ template }) => ofType(template, "AWS::StepFunctions::StateMachine"));
const workflow = retrySweepWorkflow("arn:aws:lambda:us-east-1:111122223333:function:sweep");

/** Goes through the workflow as Step Functions would, with a function that always answers the same. */
const walk = (more: boolean): { readonly sweeps: number; readonly end: string } => {
  let state: { round: number } = { ...FIRST_INPUT };
  let sweeps = 0;
  for (;;) {
    sweeps += 1;
    const [{ And: conditions, Next: again }] = workflow.States.IsThereMore.Choices as [
      (typeof workflow.States.IsThereMore.Choices)[number],
    ];
    const below = conditions.find((one) => "NumericLessThan" in one)?.NumericLessThan ?? 0;
    if (!(more && state.round < below)) return { sweeps, end: workflow.States.IsThereMore.Default };
    expect(again).toBe("NextRound");
    expect(workflow.States.NextRound.Parameters).toEqual({
      "round.$": "States.MathAdd($.round, 1)",
      "sweep.$": "$.sweep",
    });
    expect(workflow.States.NextRound.Next).toBe("Sweep");
    state = { round: state.round + 1 };
  }
};

describe("the sweep's workflow", () => {
  it("is valid Amazon States Language, as deployed, at every site", () => {
    expect(machines).toHaveLength(4);
    for (const { Properties } of machines) {
      const definition: unknown = JSON.parse(asText(Properties.DefinitionString));
      expect(aslValidator(definition)).toMatchObject({ isValid: true });
    }
  });

  it("would be refused if a state led nowhere", () => {
    const broken = structuredClone(workflow) as unknown as { States: { NextRound: { Next: string } } };
    broken.States.NextRound.Next = "Nowhere";
    expect(aslValidator(broken).isValid).toBe(false);
  });

  it("sweeps once when nothing more is due", () => {
    expect(walk(false)).toEqual({ sweeps: 1, end: "Done" });
  });

  it("leaves the rest to the next execution after a bounded number of rounds", () => {
    expect(walk(true)).toEqual({ sweeps: ROUNDS_PER_EXECUTION_MAX, end: "Done" });
  });

  it("tries a failing sweep again, later each time and not all at once, before it fails", () => {
    expect(workflow.States.Sweep.Retry).toEqual([
      {
        ErrorEquals: ["States.ALL"],
        IntervalSeconds: 2,
        MaxAttempts: 4,
        BackoffRate: 2,
        MaxDelaySeconds: 30,
        JitterStrategy: "FULL",
      },
    ]);
    expect(workflow.States.Sweep.Catch).toMatchObject([{ ErrorEquals: ["States.ALL"], Next: "Failed" }]);
    expect(workflow.States.Failed.Type).toBe("Fail");
  });

  it("is a standard one, logged, and its failures call a person", () => {
    for (const { Properties } of machines) {
      expect(Properties).toMatchObject({ StateMachineType: "STANDARD", LoggingConfiguration: { Level: "ALL" } });
    }
    const alarms = stacks.flatMap(({ template }) => ofType(template, "AWS::CloudWatch::Alarm"));
    const failing = alarms.filter(({ Properties }) => String(Properties.AlarmName).endsWith("-retry-sweep-failing"));
    expect(failing.map(({ Properties }) => String(Properties.AlarmName)).sort()).toEqual([
      "s3-geo-ireland-retry-sweep-failing",
      "s3-geo-sydney-retry-sweep-failing",
      "s3-geo-tokyo-retry-sweep-failing",
      "s3-geo-virginia-retry-sweep-failing",
    ]);
  });
});

describe("the sweep's schedule", () => {
  it("starts an execution each minute with the first round, and puts aside starts it can not deliver", () => {
    const schedules = stacks
      .flatMap(({ template }) => ofType(template, "AWS::Scheduler::Schedule"))
      .filter(({ Properties }) => String(Properties.Name).endsWith("-retry-sweep"));
    expect(schedules).toHaveLength(4);
    for (const { Properties } of schedules) {
      expect(Properties).toMatchObject({
        ScheduleExpression: "rate(1 minute)",
        FlexibleTimeWindow: { Mode: "OFF" },
        Target: { Input: JSON.stringify(FIRST_INPUT), RetryPolicy: { MaximumRetryAttempts: 3 } },
      });
      expect(Properties.Target).toHaveProperty("DeadLetterConfig.Arn");
    }
  });
});

describe("runbook sections", () => {
  it("that alarms point to are folders of functions/", () => {
    const alarms = stacks.flatMap(({ template }) => ofType(template, "AWS::CloudWatch::Alarm"));
    const sections = new Set(
      alarms.map(({ Properties }) => /docs\/runbook\.md#([a-z-]+)$/.exec(String(Properties.AlarmDescription))?.[1]),
    );
    for (const section of sections) expect(() => readFileSync(`functions/${String(section)}/env.ts`)).not.toThrow();
  });
});
