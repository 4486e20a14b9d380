import { SFNClient } from "@aws-sdk/client-sfn";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { SfnWorkflow } from "../../../shared/aws/sfn-workflows.ts";
import { type Answer, CREDENTIALS, openWire, type Wire } from "./support/wire.ts";

const MACHINE = "arn:aws:states:eu-west-1:111122223333:stateMachine:machine";
const EXECUTION = "arn:aws:states:eu-west-1:111122223333:execution:machine:one";

const answer = (status: number, body: object): Answer => ({
  status,
  body: JSON.stringify(body),
  headers: { "content-type": "application/x-amz-json-1.0" },
});
const refusal = (type: string): Answer => answer(400, { __type: `com.amazonaws.states#${type}`, message: "no" });

let wire: Wire;
beforeAll(async () => {
  wire = await openWire();
});
afterAll(() => wire.close());
beforeEach(() => void wire.seen.splice(0));

const workflow = (): SfnWorkflow =>
  new SfnWorkflow(
    new SFNClient({ region: "eu-west-1", endpoint: wire.endpoint, credentials: CREDENTIALS, maxAttempts: 1 }),
    MACHINE,
  );

describe("a state machine of Step Functions", () => {
  it("is asked to start an execution by its ARN, with the name and the input as JSON", async () => {
    wire.answer = answer(200, { executionArn: EXECUTION, startDate: 1 });
    expect(await workflow().start("one", { a: 1 })).toEqual({ outcome: "started" });
    expect(wire.seen.map(({ headers }) => headers["x-amz-target"])).toEqual(["AWSStepFunctions.StartExecution"]);
    expect(workflow().name).toBe("machine");
  });

  it("tells an execution that there has been from one that was started", async () => {
    wire.answer = refusal("ExecutionAlreadyExists");
    expect(await workflow().start("one", {})).toEqual({ outcome: "existed" });
  });

  it.each([
    ["RUNNING", "running"],
    ["PENDING_REDRIVE", "running"],
    ["FAILED", "failed"],
    ["TIMED_OUT", "timed_out"],
    ["ABORTED", "aborted"],
  ])("says of an execution that is %s: %s", async (status, expected) => {
    wire.answer = answer(200, { executionArn: EXECUTION, status, startDate: 1.5 });
    expect(await workflow().describe("one")).toEqual({ name: "one", status: expected, startedAt: 1_500 });
  });

  it("hands out what an execution came to, or why it failed", async () => {
    wire.first.push(
      answer(200, { status: "SUCCEEDED", startDate: 1, stopDate: 2, output: '{"rows":3}' }),
      answer(200, { status: "FAILED", startDate: 1, stopDate: 2, error: "Sweep", cause: "no table" }),
    );
    expect(await workflow().describe("one")).toEqual({
      name: "one",
      status: "succeeded",
      startedAt: 1_000,
      endedAt: 2_000,
      output: { rows: 3 },
    });
    expect(await workflow().describe("one")).toMatchObject({ status: "failed", failure: "Sweep: no table" });
  });

  it("has nothing to stop of an execution that has ended, or never was", async () => {
    wire.first.push(refusal("ValidationException"), refusal("ExecutionDoesNotExist"));
    await workflow().stop("one", "enough");
    await workflow().stop("one", "enough");
    expect(wire.seen).toHaveLength(2);
  });

  it("knows nothing of an execution that never was", async () => {
    wire.answer = refusal("ExecutionDoesNotExist");
    expect(await workflow().describe("one")).toBeUndefined();
  });

  it.each(["StateMachineDoesNotExist", "ExecutionLimitExceeded", "ThrottlingException"])(
    "may be asked again after %s",
    async (type) => {
      wire.answer = refusal(type);
      await expect(workflow().start("one", {})).rejects.toMatchObject({ code: "GEO_WORKFLOW_UNAVAILABLE" });
    },
  );

  it.each(["InvalidName", "InvalidExecutionInput", "InvalidArn"])("will say %s again", async (type) => {
    wire.answer = refusal(type);
    await expect(workflow().start("one", {})).rejects.toMatchObject({ code: "GEO_WORKFLOW_REQUEST" });
  });

  it("may or may not have been started when no answer came", async () => {
    wire.answer = "hang up";
    await expect(workflow().start("one", {})).rejects.toMatchObject({ code: "GEO_WORKFLOW_UNAVAILABLE" });
    await expect(workflow().describe("one")).rejects.toMatchObject({ code: "GEO_WORKFLOW_UNAVAILABLE" });
    await expect(workflow().stop("one", "enough")).rejects.toMatchObject({ code: "GEO_WORKFLOW_UNAVAILABLE" });
  });
});
