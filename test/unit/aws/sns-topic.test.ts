import { SNSClient } from "@aws-sdk/client-sns";
import { expect, it } from "vitest";
import { SnsTopic } from "../../../shared/aws/sns-topic.ts";

it("a topic of SNS refuses to delay, before it sends anything", async () => {
  const topic = new SnsTopic(new SNSClient({ region: "eu-west-1", endpoint: "http://127.0.0.1:1" }), "arn:topic");
  const outcome = await topic.send([{ body: "a" }, { body: "b", delaySeconds: 5 }]);
  expect(outcome).toMatchObject({ outcome: "failed", failed: [0, 1] });
  expect(outcome).toHaveProperty("reason", expect.stringContaining("nothing was sent"));
});
