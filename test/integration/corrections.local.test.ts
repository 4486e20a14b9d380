import { randomUUID } from "node:crypto";
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  PutBucketNotificationConfigurationCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
} from "@aws-sdk/client-s3";
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SetQueueAttributesCommand,
} from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { clientsFor } from "../../infra/local/clients.ts";
import type { Cloud } from "../../infra/local/cloud.ts";
import { startMiniStack } from "../../infra/local/ministack.ts";
import { installMiniStack } from "../../infra/local/ministack-install.ts";
import { cloud } from "../support/cloud.ts";
import { eventually } from "../support/eventually.ts";

const KEY = "two words+plus.txt";
const REGION = "us-east-1";

/** Puts, tags and deletes one object, and tells what was reported of it. */
const reported = async (on: Cloud, expected: number) => {
  const { s3, sqs } = clientsFor(on, REGION);
  const name = `s3-geo-corrections-${randomUUID()}`;
  await s3.send(new CreateBucketCommand({ Bucket: name }));
  await s3.send(new PutBucketVersioningCommand({ Bucket: name, VersioningConfiguration: { Status: "Enabled" } }));
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: name }));
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["QueueArn"] }));
  const Events = ["s3:ObjectCreated:*", "s3:ObjectRemoved:*", "s3:ObjectTagging:*"] as const;
  await s3.send(
    new PutBucketNotificationConfigurationCommand({
      Bucket: name,
      NotificationConfiguration: { QueueConfigurations: [{ QueueArn: Attributes?.["QueueArn"], Events: [...Events] }] },
    }),
  );
  const object = { Bucket: name, Key: KEY };
  await s3.send(new PutObjectCommand({ ...object, Body: "x", Tagging: "a=1" }));
  await s3.send(new PutObjectTaggingCommand({ ...object, Tagging: { TagSet: [{ Key: "b", Value: "2" }] } }));
  await s3.send(new DeleteObjectCommand(object));

  const events = new Map<string, string>();
  await eventually(
    `${expected} events are reported`,
    async () => {
      const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
      for (const { Body = "{}" } of Messages) {
        const { Records = [] } = JSON.parse(Body) as {
          readonly Records?: readonly {
            readonly eventName: string;
            readonly s3: { readonly object: { readonly key: string } };
          }[];
        };
        for (const { eventName, s3: about } of Records) events.set(eventName, about.object.key);
      }
      return [...events.keys()];
    },
    (seen) => seen.length >= expected,
  );
  return Object.fromEntries(events);
};

const acceptsMegabytes = async (on: Cloud): Promise<boolean> => {
  const { sqs } = clientsFor(on, REGION);
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: `s3-geo-size-${randomUUID()}` }));
  return sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { MaximumMessageSize: "1048576" } })).then(
    () => true,
    () => false,
  );
};

describe.skipIf(cloud.name !== "ministack")("what our launcher corrects in MiniStack", () => {
  let uncorrected: Cloud;
  beforeAll(async () => {
    const found = await installMiniStack();
    if ("reason" in found) throw new Error(found.reason);
    uncorrected = await startMiniStack(found.installation, { corrected: false });
  });
  afterAll(() => uncorrected.stop());

  test("is still wrong without it, so the corrections have to stay", async () => {
    expect(await reported(uncorrected, 2)).toEqual({ "ObjectCreated:Put": KEY, "ObjectRemoved:Delete": KEY });
    expect(await acceptsMegabytes(uncorrected)).toBe(false);
  });

  test.skipIf(!cloud.version.endsWith("+s3-geo"))("is as on AWS with it", async () => {
    const encoded = "two+words%2Bplus.txt";
    expect(await reported(cloud, 3)).toEqual({
      "ObjectCreated:Put": encoded,
      "ObjectTagging:Put": encoded,
      "ObjectRemoved:DeleteMarkerCreated": encoded,
    });
    expect(await acceptsMegabytes(cloud)).toBe(true);
  });
});
