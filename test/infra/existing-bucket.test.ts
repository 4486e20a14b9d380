import { describe, expect, it } from "vitest";
import * as z from "zod";

import { CHANGES_OF_A_REPLICA } from "../../shared/geo/reported-changes.ts";
import { defineGeoConfig } from "../../shared/config/geo-config.ts";
import { asText, ofType, synthesize, type Template } from "./support/templates.ts";

const SOURCE_KEY = "arn:aws:kms:us-east-1:111122223333:key/source";
const REPLICA_KEY = "arn:aws:kms:eu-west-1:111122223333:key/replica";

const stacks = synthesize(
  defineGeoConfig({
    account: "111122223333",
    sites: [
      {
        name: "virginia",
        role: "primary",
        region: "us-east-1",
        existingBucket: { name: "their-uploads", versioned: true, kmsKeyArn: SOURCE_KEY },
      },
      {
        name: "ireland",
        role: "secondary",
        region: "eu-west-1",
        existingBucket: { name: "their-replicas", versioned: true, kmsKeyArn: REPLICA_KEY },
      },
    ],
  }),
);
const templateOf = (name: string): Template => {
  const stack = stacks.find((one) => one.name === name);
  if (stack === undefined) throw new Error(`there is no stack ${name}`);
  return stack.template;
};

describe("an existing bucket", () => {
  it("is used, and none is made but the one for manifests", () => {
    const made = stacks.flatMap(({ template }) => ofType(template, "AWS::S3::Bucket"));
    expect(made.map(({ Properties }) => Properties["BucketName"])).toEqual([
      expect.stringMatching(/^s3-geo-virginia-manifests-/),
    ]);
    expect(JSON.stringify(templateOf("s3-geo-ireland"))).toContain("arn:aws:s3:::their-replicas/*");
  });

  it("of either site gets our rules beside those it has", () => {
    const added = stacks.map(
      ({ name, template }) => [name, ofType(template, "Custom::S3BucketNotifications")] as const,
    );
    expect(added.filter(([, found]) => found.length > 0).map(([name]) => name)).toEqual([
      "s3-geo-ireland-storage",
      "s3-geo-virginia-storage",
    ]);
    const [rules] = ofType(templateOf("s3-geo-virginia-storage"), "Custom::S3BucketNotifications");
    expect(rules?.Properties).toMatchObject({ BucketName: "their-uploads", Managed: false });
    const { TopicConfigurations: topics } = z
      .object({ TopicConfigurations: z.array(z.object({ Events: z.array(z.string()) }).loose()) })
      .parse(rules?.Properties.NotificationConfiguration);
    expect(topics.flatMap(({ Events }) => Events)).toHaveLength(7);
    expect(topics.filter((topic) => "Filter" in topic)).toEqual([]);
  });

  it("of replicas reports what may be drift to the queue, after the queue's policy, and alone may send there", () => {
    const template = templateOf("s3-geo-ireland-storage");
    const [rules] = ofType(template, "Custom::S3BucketNotifications");
    expect(rules?.Properties).toMatchObject({ BucketName: "their-replicas", Managed: false });
    const { QueueConfigurations: queues } = z
      .object({
        QueueConfigurations: z.array(z.object({ Events: z.array(z.string()), QueueArn: z.unknown() }).loose()),
      })
      .strict()
      .parse(rules?.Properties.NotificationConfiguration);
    expect(queues.flatMap(({ Events }) => Events)).toEqual([...CHANGES_OF_A_REPLICA]);
    expect(queues.filter((queue) => "Filter" in queue)).toEqual([]);
    const drift = ofType(template, "AWS::SQS::Queue").find(({ Properties }) =>
      String(Properties.QueueName).endsWith("-replica-drift"),
    );
    expect(new Set(queues.map(({ QueueArn }) => asText(QueueArn)))).toEqual(new Set([`{${drift?.id}.Arn}`]));
    const policy = ofType(template, "AWS::SQS::QueuePolicy").find(({ Properties }) =>
      JSON.stringify(Properties.Queues).includes(String(drift?.id)),
    );
    expect(rules?.DependsOn).toContain(policy?.id);
    const allowed = z
      .object({ Statement: z.array(z.object({ Effect: z.string(), Condition: z.unknown() }).loose()) })
      .parse(policy?.Properties.PolicyDocument)
      .Statement.filter(({ Effect }) => Effect === "Allow");
    expect(allowed.map(({ Condition }) => Condition)).toEqual([
      {
        StringEquals: { "aws:SourceAccount": "111122223333" },
        ArnLike: { "aws:SourceArn": "arn:aws:s3:::their-replicas" },
      },
    ]);
  });

  it("may alone publish to the primary's topic", () => {
    expect(JSON.stringify(ofType(templateOf("s3-geo-virginia-storage"), "AWS::SNS::TopicPolicy"))).toContain(
      '"aws:SourceArn":"arn:aws:s3:::their-uploads"',
    );
  });

  it("is read and written with its own keys, by those who copy and verify", () => {
    const policies = ofType(templateOf("s3-geo-ireland"), "AWS::IAM::Policy");
    const policyOf = (part: string): string => JSON.stringify(policies.find(({ id }) => id.includes(part)));
    expect(policyOf("EventConsumer")).toContain(SOURCE_KEY);
    expect(policyOf("EventConsumer")).toContain("kms:GenerateDataKey");
    expect(policyOf("Verification")).toContain(REPLICA_KEY);
    expect(policyOf("Verification")).not.toContain("kms:GenerateDataKey");
    expect(policyOf("ReplicaDrift")).toContain(REPLICA_KEY);
    expect(policyOf("ReplicaDrift")).not.toContain("kms:GenerateDataKey");
  });
});
