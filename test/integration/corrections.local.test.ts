import { randomUUID } from "node:crypto";
import process from "node:process";
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  PutBucketNotificationConfigurationCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  S3ServiceException,
  UploadPartCommand,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SetQueueAttributesCommand,
} from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Clients, clientsFor } from "../../infra/local/clients.ts";
import type { Cloud } from "../../infra/local/cloud.ts";
import { startMiniStack } from "../../infra/local/ministack.ts";
import { installMiniStack, type MiniStackInstallation } from "../../infra/local/ministack-install.ts";
import { cloud } from "../support/cloud.ts";
import { peakMemoryOf } from "../support/cloud-memory.ts";
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

/** The tags of a version whose key hides behind a delete marker, or the name of the refusal. */
const tagsOfHidden = async (on: Cloud): Promise<unknown> => {
  const { s3 } = clientsFor(on, REGION);
  const Bucket = `s3-geo-corrections-${randomUUID()}`;
  await s3.send(new CreateBucketCommand({ Bucket }));
  await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }));
  const { VersionId } = await s3.send(new PutObjectCommand({ Bucket, Key: KEY, Body: "x", Tagging: "a=1" }));
  await s3.send(new DeleteObjectCommand({ Bucket, Key: KEY }));
  try {
    const { TagSet } = await s3.send(new GetObjectTaggingCommand({ Bucket, Key: KEY, VersionId }));
    return TagSet;
  } catch (error) {
    if (error instanceof S3ServiceException) return error.name;
    throw error;
  }
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

/** Whether processes of this machine say how much memory they have. */
const SHOWS_MEMORY = process.platform === "linux";

const MIB = 1024 * 1024;

/** Parts that are large enough to be kept in a file, and so many of them that they show among what else a process needs. */
const PART_BYTES = 16 * MIB;
const PARTS = [1, 2, 3];
const contentOf = (number: number): Buffer => Buffer.alloc(PART_BYTES, `part ${number} of many `);

type Part = (number: number, UploadId: string | undefined) => Promise<string | undefined>;

/** Makes an object of parts; its version. */
const putTogether = async ({ s3 }: Clients, target: { readonly Bucket: string; readonly Key: string }, part: Part) => {
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand(target));
  const Parts: { readonly PartNumber: number; readonly ETag: string | undefined }[] = [];
  for (const PartNumber of PARTS) Parts.push({ PartNumber, ETag: await part(PartNumber, UploadId) });
  const complete = new CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload: { Parts } });
  return (await s3.send(complete)).VersionId;
};

/** Puts an object in parts and copies it in parts; a reader of the copy, and by how much the cloud's memory grew at most. */
const copiedInParts = async (on: Cloud) => {
  const clients = clientsFor(on, REGION);
  const { s3 } = clients;
  const Bucket = `s3-geo-bodies-${randomUUID()}`;
  await s3.send(new CreateBucketCommand({ Bucket }));
  await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }));
  const before = (await peakMemoryOf(on.endpoint ?? "")) ?? Number.NaN;
  const source = { Bucket, Key: "source" };
  const version = await putTogether(clients, source, async (PartNumber, UploadId) => {
    const put = new UploadPartCommand({ ...source, UploadId, PartNumber, Body: contentOf(PartNumber) });
    return (await s3.send(put)).ETag;
  });
  const copy = { Bucket, Key: "copy" };
  const VersionId = await putTogether(clients, copy, async (PartNumber, UploadId) => {
    const [first, end] = [(PartNumber - 1) * PART_BYTES, PartNumber * PART_BYTES];
    const { CopyPartResult } = await s3.send(
      new UploadPartCopyCommand({
        ...copy,
        UploadId,
        PartNumber,
        CopySource: `${Bucket}/source?versionId=${version}`,
        CopySourceRange: `bytes=${first}-${end - 1}`,
      }),
    );
    return CopyPartResult?.ETag;
  });
  const grown = ((await peakMemoryOf(on.endpoint ?? "")) ?? Number.NaN) - before;
  const read = async (Range?: string): Promise<Buffer> => {
    const { Body } = await s3.send(
      new GetObjectCommand({ ...copy, VersionId, ...(Range === undefined ? {} : { Range }) }),
    );
    return Buffer.from((await Body?.transformToByteArray()) ?? []);
  };
  return { grown, read };
};

describe.skipIf(cloud.name !== "ministack")("what our launcher corrects in MiniStack", () => {
  let installation: MiniStackInstallation;
  let uncorrected: Cloud;
  beforeAll(async () => {
    const found = await installMiniStack();
    if ("reason" in found) throw new Error(found.reason);
    ({ installation } = found);
    uncorrected = await startMiniStack(installation, { corrected: false });
  });
  afterAll(() => uncorrected.stop());

  test("is still wrong without it, so the corrections have to stay", async () => {
    const { events } = await reported(uncorrected, 2);
    expect(events).toEqual({ "ObjectCreated:Put": { key: KEY }, "ObjectRemoved:Delete": { key: KEY } });
    expect(await ignoresDelay(uncorrected)).toBe(true);
    expect(await acceptsMegabytes(uncorrected)).toBe(false);
    expect(await tagsOfHidden(uncorrected)).toBe("NoSuchKey");
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
    expect(await tagsOfHidden(cloud)).toEqual([{ Key: "a", Value: "1" }]);
  });

  test.skipIf(!SHOWS_MEMORY)("would hold what it has in parts several times without it", async () => {
    const { grown } = await copiedInParts(uncorrected);
    // The parts, what they come to, and both again of the copy.
    expect(grown).toBeGreaterThan(3 * PARTS.length * PART_BYTES);
  });

  test.skipIf(!SHOWS_MEMORY)("holds one part at a time with it", async () => {
    // One that does nothing else meanwhile.
    const corrected = await startMiniStack(installation);
    try {
      const { read, grown } = await copiedInParts(corrected);
      expect(grown).toBeLessThan(PARTS.length * PART_BYTES);
      expect((await read()).equals(Buffer.concat(PARTS.map(contentOf)))).toBe(true);
      const seam = Buffer.concat([contentOf(1).subarray(-7), contentOf(2).subarray(0, 5)]);
      expect((await read(`bytes=${PART_BYTES - 7}-${PART_BYTES + 4}`)).equals(seam)).toBe(true);
    } finally {
      await corrected.stop();
    }
  });
});
