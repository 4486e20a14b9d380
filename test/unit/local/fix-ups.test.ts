import { expect, test } from "vitest";
import type { Template } from "../../../infra/local/assembly.ts";
import { UnreadableTemplateError, wantedFixUps } from "../../../infra/local/fix-ups.ts";

const template = (resources: Template["Resources"]): Template => ({ Resources: resources });

const dead = { Type: "AWS::SQS::Queue", Properties: { QueueName: "dead" } };

const table = (TableName: string, Enabled: boolean) => ({
  Type: "AWS::DynamoDB::Table",
  Properties: { TableName, TimeToLiveSpecification: { AttributeName: "expires_at", Enabled } },
});

test("a queue's redrive policy is read from its template, the dead-letter queue by name", () => {
  const policy = { deadLetterTargetArn: { "Fn::GetAtt": ["Dead", "Arn"] }, maxReceiveCount: 7 };
  const live = { Type: "AWS::SQS::Queue", Properties: { QueueName: "live", RedrivePolicy: policy } };
  expect(wantedFixUps(template({ Live: live, Dead: dead }))).toEqual([
    { fixUp: "queue-message-size", queue: "live", maximumMessageSize: 1_048_576 },
    { fixUp: "queue-redrive-policy", queue: "live", deadLetterQueue: "dead", maxReceiveCount: 7 },
    { fixUp: "queue-message-size", queue: "dead", maximumMessageSize: 1_048_576 },
  ]);
});

test("a queue that wants smaller messages gets them", () => {
  const small = { Type: "AWS::SQS::Queue", Properties: { QueueName: "small", MaximumMessageSize: 65_536 } };
  expect(wantedFixUps(template({ Small: small }))).toEqual([
    { fixUp: "queue-message-size", queue: "small", maximumMessageSize: 65_536 },
  ]);
});

test("a redrive policy of another form is refused, not skipped", () => {
  const odd = { Type: "AWS::SQS::Queue", Properties: { QueueName: "odd", RedrivePolicy: "{{resolve:ssm:policy}}" } };
  expect(() => wantedFixUps(template({ Odd: odd }))).toThrow(UnreadableTemplateError);
});

test("a queue without a fixed name is refused, since it can not be found", () => {
  expect(() => wantedFixUps(template({ Nameless: { Type: "AWS::SQS::Queue", Properties: {} } }))).toThrow(
    "Nameless should have a fixed QueueName; it has undefined",
  );
});

test("a table's expiry is wanted only where it is enabled", () => {
  expect(wantedFixUps(template({ On: table("on", true), Off: table("off", false) }))).toEqual([
    { fixUp: "table-time-to-live", table: "on", attribute: "expires_at" },
  ]);
});
