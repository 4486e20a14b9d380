import { CopyObjectCommand, DeleteObjectCommand, PutObjectTaggingCommand } from "@aws-sdk/client-s3";
import { describe, expect, test } from "vitest";
import { missing, primary, secondary } from "../support/cloud.ts";
import { eventually } from "../support/eventually.ts";
import {
  everythingBeforeIsRead,
  objectAt,
  putOnPrimary,
  registryRow,
  sameOnBothSites,
  uniqueKey,
  verified,
  versionsAt,
} from "./support/objects.ts";

const gone = (key: string) =>
  eventually(
    `${key} is gone from the secondary`,
    () => objectAt(secondary, key),
    (object) => object === undefined,
  );

describe.concurrent("an object of the primary", () => {
  test("arrives with its metadata, headers, tags and storage class, and is verified", async () => {
    const key = uniqueKey("two words.txt");
    await putOnPrimary(key, "first", {
      Metadata: { uploader: "user-7" },
      ContentType: "text/plain; charset=utf-8",
      CacheControl: "max-age=60",
      ContentDisposition: 'attachment; filename="a.txt"',
      StorageClass: "STANDARD_IA",
      Tagging: "project=p1&needs+review=yes",
    });
    const row = await verified(key);
    expect(row).toMatchObject({ src_size: 5, retry_count: 0 });
    expect(row?.due_at).toBeUndefined();
    expect(await objectAt(secondary, key)).toEqual({
      text: "first",
      metadata: { uploader: "user-7" },
      contentType: "text/plain; charset=utf-8",
      cacheControl: "max-age=60",
      contentDisposition: 'attachment; filename="a.txt"',
      storageClass: "STANDARD_IA",
      tags: { project: "p1", "needs review": "yes" },
    });
  });

  test.each(["CRC64NVME", "SHA256", "CRC32"] as const)("is verified when it was put with a %s", async (algorithm) => {
    const key = uniqueKey();
    await putOnPrimary(key, `with ${algorithm}`, { ChecksumAlgorithm: algorithm });
    const row = await verified(key);
    // 32 bits prove nothing: the primary computes a SHA-256 then.
    const scheme = algorithm === "CRC64NVME" ? "crc64nvme" : "sha256";
    expect(row?.verification_checksum).toMatch(new RegExp(`^${scheme}:`));
  });

  test("is verified when it is empty", async () => {
    const key = uniqueKey("empty");
    await putOnPrimary(key, "");
    expect(await verified(key)).toMatchObject({ src_size: 0 });
    expect(await objectAt(secondary, key)).toMatchObject({ text: "" });
  });

  test("is replaced on the secondary when it is replaced on the primary, and the old version stays", async () => {
    const key = uniqueKey();
    await putOnPrimary(key, "first");
    await verified(key);
    const before = Date.now();
    await putOnPrimary(key, "second", { Metadata: { edition: "2" } });
    await sameOnBothSites(key);
    await verified(key, before);
    expect(await objectAt(secondary, key)).toMatchObject({ text: "second", metadata: { edition: "2" } });
    expect((await versionsAt(secondary, key)).versions).toBe(2);
  });

  test("gets new metadata on the secondary when only its metadata changed", async () => {
    const key = uniqueKey();
    await putOnPrimary(key, "same bytes", { Metadata: { state: "new" } });
    await verified(key);
    await primary.clients.s3.send(
      new CopyObjectCommand({
        Bucket: primary.bucket,
        Key: key,
        CopySource: `${primary.bucket}/${encodeURIComponent(key)}`,
        MetadataDirective: "REPLACE",
        Metadata: { state: "reviewed" },
        ContentType: "application/json",
      }),
    );
    const { secondary: replica } = await sameOnBothSites(key);
    expect(replica).toMatchObject({
      text: "same bytes",
      metadata: { state: "reviewed" },
      contentType: "application/json",
    });
  });

  test("gets new tags on the secondary, as many or not", async (context) => {
    const reason = missing("event-for-tagging");
    if (reason !== undefined) context.skip(reason);
    const key = uniqueKey();
    await putOnPrimary(key, "tagged", { Tagging: "state=new" });
    await verified(key);
    const retag = (TagSet: readonly { Key: string; Value: string }[]) =>
      primary.clients.s3.send(
        new PutObjectTaggingCommand({ Bucket: primary.bucket, Key: key, Tagging: { TagSet: [...TagSet] } }),
      );
    await retag([{ Key: "owner", Value: "a b+c" }]);
    expect((await sameOnBothSites(key)).secondary?.tags).toEqual({ owner: "a b+c" });
    await retag([
      { Key: "owner", Value: "a b+c" },
      { Key: "state", Value: "old" },
    ]);
    expect((await sameOnBothSites(key)).secondary?.tags).toEqual({ owner: "a b+c", state: "old" });
    await verified(key);
  });

  test("is deleted by a marker, and its versions stay", async () => {
    const key = uniqueKey();
    await putOnPrimary(key, "short-lived");
    await verified(key);
    await primary.clients.s3.send(new DeleteObjectCommand({ Bucket: primary.bucket, Key: key }));
    await gone(key);
    expect(await versionsAt(secondary, key)).toMatchObject({ versions: 1, markers: [expect.any(String)] });
    await eventually(
      "its row is settled as absent",
      () => registryRow(key),
      (row) => row === undefined || (row.state === "absent" && row.attempt_token === undefined),
    );
  });

  test("comes back when its delete marker is taken away", async () => {
    const key = uniqueKey();
    await putOnPrimary(key, "undeleted");
    await verified(key);
    const { VersionId } = await primary.clients.s3.send(new DeleteObjectCommand({ Bucket: primary.bucket, Key: key }));
    await gone(key);
    const before = Date.now();
    await primary.clients.s3.send(
      new DeleteObjectCommand({ Bucket: primary.bucket, Key: key, VersionId: VersionId ?? "" }),
    );
    expect((await sameOnBothSites(key)).secondary).toMatchObject({ text: "undeleted" });
    await verified(key, before);
  });

  test("is neither copied nor left behind when it is deleted before its event is read", async () => {
    const key = uniqueKey();
    await putOnPrimary(key, "gone at once");
    await primary.clients.s3.send(new DeleteObjectCommand({ Bucket: primary.bucket, Key: key }));
    await everythingBeforeIsRead();
    expect(await objectAt(secondary, key)).toBeUndefined();
    expect((await registryRow(key))?.state ?? "absent").toBe("absent");
  });
});
