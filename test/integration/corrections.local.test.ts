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

/** Puts, tags and deletes one object; what was reported of it, with the version that each event named, if any. */
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
  const put = await s3.send(new PutObjectCommand({ ...object, Body: "x", Tagging: "a=1" }));
  await s3.send(new PutObjectTaggingCommand({ ...object, Tagging: { TagSet: [{ Key: "b", Value: "2" }] } }));
  const deleted = await s3.send(new DeleteObjectCommand(object));

  const events = new Map<string, { readonly key: string; readonly versionId?: string }>();
  await eventually(
    `${expected} events are reported`,
    async () => {
      const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
      for (const { Body = "{}" } of Messages) {
        const { Records = [] } = JSON.parse(Body) as {
          readonly Records?: readonly {
            readonly eventName: string;
            readonly s3: { readonly object: { readonly key: string; readonly versionId?: string } };
          }[];
        };
        for (const { eventName, s3: about } of Records) {
          const { key, versionId } = about.object;
          events.set(eventName, { key, ...(versionId === undefined ? {} : { versionId }) });
        }
      }
      return [...events.keys()];
    },
    (seen) => seen.length >= expected,
  );
  return { events: Object.fromEntries(events), versions: { put: put.VersionId, marker: deleted.VersionId } };
};

/** Whether what S3 sends to a queue with a delay can be received at once. */
const ignoresDelay = async (on: Cloud): Promise<boolean> => {
  const { s3, sqs } = clientsFor(on, REGION);
  const name = `s3-geo-delay-${randomUUID()}`;
  await s3.send(new CreateBucketCommand({ Bucket: name }));
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: name, Attributes: { DelaySeconds: "900" } }));
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["QueueArn"] }));
  await s3.send(
    new PutBucketNotificationConfigurationCommand({
      Bucket: name,
      NotificationConfiguration: {
        QueueConfigurations: [{ QueueArn: Attributes?.["QueueArn"], Events: ["s3:ObjectCreated:*"] }],
      },
    }),
  );
  await s3.send(new PutObjectCommand({ Bucket: name, Key: KEY, Body: "x" }));
  const { visible } = await eventually(
    "S3 has sent its test message and the event",
    async () => {
      const { Attributes: counted = {} } = await sqs.send(
        new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] }),
      );
      return {
        visible: Number(counted["ApproximateNumberOfMessages"]),
        delayed: Number(counted["ApproximateNumberOfMessagesDelayed"]),
      };
    },
    (counts) => counts.visible + counts.delayed >= 2,
  );
  return visible > 0;
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
    const { events } = await reported(uncorrected, 2);
    expect(events).toEqual({ "ObjectCreated:Put": { key: KEY }, "ObjectRemoved:Delete": { key: KEY } });
    expect(await ignoresDelay(uncorrected)).toBe(true);
    expect(await acceptsMegabytes(uncorrected)).toBe(false);
  });

  test.skipIf(!cloud.version.endsWith("+s3-geo"))("is as on AWS with it", async () => {
    const key = "two+words%2Bplus.txt";
    const { events, versions } = await reported(cloud, 3);
    expect(events).toEqual({
      "ObjectCreated:Put": { key, versionId: versions.put },
      "ObjectTagging:Put": { key, versionId: versions.put },
      "ObjectRemoved:DeleteMarkerCreated": { key, versionId: versions.marker },
    });
    expect(versions.put).not.toBe(versions.marker);
    expect(await ignoresDelay(cloud)).toBe(false);
    expect(await acceptsMegabytes(cloud)).toBe(true);
  });
});
