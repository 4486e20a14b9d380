import { describe, expect, it } from "vitest";
import * as z from "zod";

import { CHANGES_OF_A_REPLICA } from "../../shared/geo/reported-changes.ts";
import config from "../../infra/examples/one-primary-three-secondaries.config.ts";
import { defineGeoConfig } from "../../shared/config/geo-config.ts";
import { suspectDrift } from "../../shared/geo/drift.ts";
import { SITE_TABLE_TTL } from "../../shared/geo/physical-names.ts";
import { parseRegistryRow } from "../../shared/geo/registry-row.ts";
import { REPLICATION_STATE } from "../../shared/geo/replication-state.ts";
import { parseS3Notification } from "../../shared/geo/s3-notification.ts";
import { asText, changed, ofType, synthesize, type Template } from "./support/templates.ts";

const stacks = synthesize(config);
const templates = stacks.map(({ template }) => template);
const templateOf = (name: string): Template => {
  const stack = stacks.find((one) => one.name === name);
  if (stack === undefined) throw new Error(`there is no stack ${name}`);
  return stack.template;
};

/** Logical ids of resources whose policy does not refuse every call without TLS. */
const reachableWithoutTls = (
  template: Template,
  type: string,
  policyType: string,
  target: string,
): readonly string[] => {
  const refusing = ofType(template, policyType)
    .filter(
      ({ Properties }) =>
        /"Effect":"Deny"/.test(JSON.stringify(Properties)) &&
        /"aws:SecureTransport":"false"/.test(JSON.stringify(Properties)),
    )
    .flatMap(({ Properties }) => [Properties[target]].flat().map(asText));
  return ofType(template, type)
    .map(({ id }) => id)
    .filter((id) => !refusing.includes(`{${id}}`));
};

const TLS_BY_TYPE = [
  ["AWS::S3::Bucket", "AWS::S3::BucketPolicy", "Bucket"],
  ["AWS::SQS::Queue", "AWS::SQS::QueuePolicy", "Queues"],
  ["AWS::SNS::Topic", "AWS::SNS::TopicPolicy", "Topics"],
] as const;

describe("every bucket", () => {
  const buckets = templates.flatMap((template) => ofType(template, "AWS::S3::Bucket"));

  it("is there once per site and once for manifests, versioned, encrypted, closed to the public, its owner's, and kept", () => {
    expect(buckets).toHaveLength(4 + 1);
    for (const { Properties, DeletionPolicy, UpdateReplacePolicy } of buckets) {
      expect(Properties).toMatchObject({
        VersioningConfiguration: { Status: "Enabled" },
        BucketEncryption: {
          ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: "AES256" } }],
        },
        PublicAccessBlockConfiguration: {
          BlockPublicAcls: true,
          BlockPublicPolicy: true,
          IgnorePublicAcls: true,
          RestrictPublicBuckets: true,
        },
        OwnershipControls: { Rules: [{ ObjectOwnership: "BucketOwnerEnforced" }] },
      });
      expect([DeletionPolicy, UpdateReplacePolicy]).toEqual(["Retain", "Retain"]);
    }
  });

  it("keeps what was replaced or deleted for at least 30 days, and throws abandoned uploads away after 7", () => {
    for (const { Properties } of buckets) {
      expect(Properties.LifecycleConfiguration).toMatchObject({
        Rules: [
          {
            Status: "Enabled",
            AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 },
            NoncurrentVersionExpiration: { NoncurrentDays: 30 },
          },
        ],
      });
    }
  });
});

describe("the primary's bucket", () => {
  const template = templateOf("s3-geo-virginia-storage");
  const [bucket] = ofType(template, "AWS::S3::Bucket");
  const [policy] = ofType(template, "AWS::SNS::TopicPolicy");

  it("reports every change that can make a replica differ, unfiltered, to its topic", () => {
    const { TopicConfigurations: rules } = z
      .object({ TopicConfigurations: z.array(z.object({ Event: z.string(), Topic: z.unknown() }).loose()) })
      .parse(bucket?.Properties.NotificationConfiguration);
    expect(rules.map(({ Event }) => Event)).toEqual([
      "s3:ObjectCreated:*",
      "s3:ObjectRemoved:*",
      "s3:LifecycleExpiration:*",
      "s3:ObjectTagging:*",
      "s3:ObjectAnnotation:*",
      "s3:ObjectRetention:Put",
      "s3:ObjectRestore:Completed",
    ]);
    for (const rule of rules) expect(Object.keys(rule).sort()).toEqual(["Event", "Topic"]);
    expect(new Set(rules.map(({ Topic }) => asText(Topic))).size).toBe(1);
  });

  it("is made after the policy of its topic, which S3 asks when the rules are set", () => {
    expect(bucket?.DependsOn).toContain(policy?.id);
  });

  it("alone may publish through S3 to the topic and use its key, from this account only", () => {
    const statements = [policy, ...ofType(template, "AWS::KMS::Key")].flatMap((resource) => {
      const document = resource?.Properties.PolicyDocument ?? resource?.Properties.KeyPolicy;
      return (document as { Statement: { Sid?: string }[] }).Statement.filter(({ Sid }) => Sid === "S3Publishes");
    });
    expect(statements).toHaveLength(2);
    for (const statement of statements) {
      expect(statement).toMatchObject({
        Effect: "Allow",
        Principal: { Service: "s3.amazonaws.com" },
        Condition: {
          StringEquals: { "aws:SourceAccount": "111122223333" },
          ArnLike: { "aws:SourceArn": "arn:aws:s3:::s3-geo-virginia-111122223333-us-east-1" },
        },
      });
    }
  });
});

describe("a bucket of replicas", () => {
  const template = templateOf("s3-geo-tokyo-storage");
  const [bucket] = ofType(template, "AWS::S3::Bucket");
  const drift = ofType(template, "AWS::SQS::Queue").find(
    ({ Properties }) => Properties.QueueName === "s3-geo-tokyo-replica-drift",
  );
  const policy = ofType(template, "AWS::SQS::QueuePolicy").find(
    ({ Properties }) => asText((Properties.Queues as unknown[])[0]) === `{${drift?.id}}`,
  );

  it("reports what makes a replica differ from its row, unfiltered, to a queue that is kept with it", () => {
    const rules = z
      .object({ QueueConfigurations: z.array(z.object({ Event: z.string(), Queue: z.unknown() }).loose()) })
      .strict()
      .parse(bucket?.Properties.NotificationConfiguration).QueueConfigurations;
    expect(rules.map(({ Event }) => Event)).toEqual([
      "s3:ObjectCreated:*",
      "s3:ObjectRemoved:*",
      "s3:LifecycleExpiration:DeleteMarkerCreated",
      "s3:ObjectTagging:*",
      "s3:ObjectAnnotation:*",
    ]);
    for (const rule of rules) {
      expect(Object.keys(rule).sort()).toEqual(["Event", "Queue"]);
      expect(asText(rule.Queue)).toBe(`{${drift?.id}.Arn}`);
    }
  });

  it("reports only what can be drift, and what is read as a change", () => {
    const copied = parseRegistryRow({ pk: "", sk: "", state: REPLICATION_STATE.synced, rep_version_id: "ours" });
    for (const event of CHANGES_OF_A_REPLICA) {
      const eventName = event.replace("s3:", "").replace("*", "Something");
      expect(suspectDrift({ eventName, versionId: "somebody else's" }, copied)).toMatch(/^(look|touch)$/);
      const body = JSON.stringify({
        Records: [
          {
            eventVersion: "2.3",
            eventSource: "aws:s3",
            eventName,
            s3: { bucket: { name: "bucket" }, object: { key: "key" } },
          },
        ],
      });
      expect(parseS3Notification(body)).toMatchObject({ kind: "changes", changes: [{ eventName }] });
    }
  });

  it("is made after the policy of its queue, which S3 asks when the rules are set", () => {
    expect(bucket?.DependsOn).toContain(policy?.id);
  });

  it("alone may send to the queue through S3, from this account only", () => {
    const { Statement: statements } = z
      .object({ Statement: z.array(z.object({ Effect: z.string() }).loose()) })
      .parse(policy?.Properties.PolicyDocument);
    expect(statements.filter(({ Effect }) => Effect === "Allow")).toEqual([
      expect.objectContaining({
        Principal: { Service: "s3.amazonaws.com" },
        Action: "sqs:SendMessage",
        Condition: {
          StringEquals: { "aws:SourceAccount": "111122223333" },
          ArnLike: { "aws:SourceArn": "arn:aws:s3:::s3-geo-tokyo-111122223333-ap-northeast-1" },
        },
      }),
    ]);
  });

  it.each([
    ["where that is turned off", { replicaDrift: false }],
    ["where something else replicates into it", { syncObjectStorage: false }],
  ] as const)("reports nothing %s: no rule, no queue, no function", (_where, settings) => {
    const { primary, secondaries, selection: _selection, ...rest } = config;
    const [ireland, ...others] = secondaries;
    const quiet = synthesize(
      defineGeoConfig({
        ...rest,
        sites: [primary, ...(ireland ? [{ ...ireland, ...settings }] : []), ...others],
      }),
    );
    const textOf = (name: string) => quiet.find((stack) => stack.name === name)?.text ?? "";
    for (const name of ["s3-geo-ireland-storage", "s3-geo-ireland"]) {
      expect(textOf(name)).not.toMatch(/replica-drift|NotificationConfiguration/);
    }
    for (const name of ["s3-geo-tokyo-storage", "s3-geo-tokyo"]) expect(textOf(name)).toContain("replica-drift");
  });
});

describe("both topics", () => {
  it("are encrypted with the key of their own", () => {
    const template = templateOf("s3-geo-virginia-storage");
    const [key] = ofType(template, "AWS::KMS::Key");
    expect(key?.Properties.EnableKeyRotation).toBe(true);
    const topics = ofType(template, "AWS::SNS::Topic");
    expect(topics.map(({ Properties }) => Properties.TopicName)).toEqual([
      "s3-geo-virginia-bucket-events",
      "s3-geo-virginia-geo-events",
    ]);
    for (const { Properties } of topics) expect(asText(Properties.KmsMasterKeyId)).toBe(`{${key?.id}.Arn}`);
  });
});

describe("buckets, queues and topics", () => {
  it.each(TLS_BY_TYPE)("%s: are reached over TLS only", (type, policyType, target) => {
    expect(templates.flatMap((template) => ofType(template, type)).length).toBeGreaterThan(0);
    expect(templates.flatMap((template) => reachableWithoutTls(template, type, policyType, target))).toEqual([]);
  });

  it("would be found if one were not", () => {
    for (const [type, policyType, target] of TLS_BY_TYPE) {
      const template = templates.find((one) => ofType(one, type).length > 0) as Template;
      const open = changed(template, (copy) => {
        for (const { id } of ofType(copy, policyType)) delete copy.Resources[id];
      });
      expect(reachableWithoutTls(open, type, policyType, target).length).toBeGreaterThan(0);
    }
  });
});

describe("every table", () => {
  const tables = templates.flatMap((template) => ofType(template, "AWS::DynamoDB::Table"));

  it("has string keys, is on demand, restorable, guarded against deletion, and kept", () => {
    expect(tables).toHaveLength(8);
    for (const { Properties, DeletionPolicy, UpdateReplacePolicy } of tables) {
      expect(Properties).toMatchObject({
        KeySchema: [
          { AttributeName: "pk", KeyType: "HASH" },
          { AttributeName: "sk", KeyType: "RANGE" },
        ],
        BillingMode: "PAY_PER_REQUEST",
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
        DeletionProtectionEnabled: true,
      });
      expect([DeletionPolicy, UpdateReplacePolicy]).toEqual(["Retain", "Retain"]);
    }
  });

  it("forgets by itself only what a site keeps for a time: rows of objects stay until somebody removes them", () => {
    const forgetting = tables.filter(({ Properties }) => Properties.TimeToLiveSpecification !== undefined);
    expect(forgetting.map(({ Properties }) => String(Properties.TableName)).toSorted()).toEqual(
      ["ireland", "sydney", "tokyo", "virginia"].map((site) => `s3-geo-${site}-site`),
    );
    for (const { Properties } of forgetting) {
      expect(Properties.TimeToLiveSpecification).toEqual({ AttributeName: SITE_TABLE_TTL, Enabled: true });
    }
  });

  it("of objects has the sparse index of what is due, and a stream of both images", () => {
    const ofObjects = tables.filter(({ Properties }) => !String(Properties.TableName).endsWith("-site"));
    expect(ofObjects.map(({ Properties }) => Properties.TableName)).toEqual(
      expect.arrayContaining(["s3-geo-virginia-verification-state", "s3-geo-tokyo-registry"]),
    );
    for (const { Properties } of ofObjects) {
      expect(Properties).toMatchObject({
        StreamSpecification: { StreamViewType: "NEW_AND_OLD_IMAGES" },
        GlobalSecondaryIndexes: [
          {
            IndexName: "due",
            KeySchema: [
              { AttributeName: "due_pk", KeyType: "HASH" },
              { AttributeName: "due_at", KeyType: "RANGE" },
            ],
            Projection: { ProjectionType: "KEYS_ONLY" },
          },
        ],
      });
      expect(Properties.AttributeDefinitions).toContainEqual({ AttributeName: "due_at", AttributeType: "N" });
    }
  });
});
