import { CreateStateMachineCommand, DeleteStateMachineCommand } from "@aws-sdk/client-sfn";
import { afterAll, describe, expect, it } from "vitest";
import { sfnClient } from "../../shared/aws/clients.ts";
import { SfnWorkflow } from "../../shared/aws/sfn-workflows.ts";
import { contractCloud, hasCloud, PRIMARY_REGION, uniqueName } from "./support/contract-cloud.ts";
import { workflowContract } from "./workflow.contract.ts";

/** Waits for very long when it is told to, and hands out what it was given. */
const DEFINITION = {
  StartAt: "IsToWait",
  States: {
    IsToWait: {
      Type: "Choice",
      Choices: [{ Variable: "$.wait", BooleanEquals: true, Next: "Wait" }],
      Default: "Done",
    },
    // A hundred hours, since a local cloud may cut waits short.
    Wait: { Type: "Wait", Seconds: 360_000, Next: "Done" },
    Done: { Type: "Succeed" },
  },
};

describe.skipIf(!hasCloud)("On the cloud at AWS_ENDPOINT_URL (skipped while that is not set)", () => {
  const sfn = sfnClient(PRIMARY_REGION);
  const cleanUp: (() => Promise<unknown>)[] = [];
  afterAll(async () => {
    for (const step of cleanUp) await step();
  });

  workflowContract("A state machine of Step Functions", async () => {
    const { account } = await contractCloud();
    const { stateMachineArn = "" } = await sfn.send(
      new CreateStateMachineCommand({
        name: uniqueName("workflow"),
        definition: JSON.stringify(DEFINITION),
        // A role that it never needs; a cloud that looks at roles has to have it.
        roleArn: `arn:aws:iam::${account}:role/s3-geo-contract-workflow`,
      }),
    );
    cleanUp.push(() => sfn.send(new DeleteStateMachineCommand({ stateMachineArn })));
    // What is not told to wait ends by itself.
    return { workflow: new SfnWorkflow(sfn, stateMachineArn), finish: async () => {} };
  });

  it("A machine that is not there yet may be there later", async () => {
    const { account } = await contractCloud();
    const missing = `arn:aws:states:${PRIMARY_REGION}:${account}:stateMachine:${uniqueName("missing")}`;
    await expect(new SfnWorkflow(sfn, missing).start("one", {})).rejects.toMatchObject({
      code: "GEO_WORKFLOW_UNAVAILABLE",
    });
  });
});
