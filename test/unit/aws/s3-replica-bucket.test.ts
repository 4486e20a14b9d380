import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { S3ReplicaBucket } from "../../../shared/aws/s3-replica-bucket.ts";
import type { CompleteRequest, CopyRequest } from "../../../shared/ports/object-store.ts";
import { VersioningCheck } from "../../../shared/aws/versioning-check.ts";
import { type Answer, openWire, s3ClientOn, s3Error, type Wire } from "./support/wire.ts";

const REQUEST: CopyRequest = {
  key: "a b/c+d?.txt",
  sourceVersionId: "v1",
  sourceEtag: '"source"',
  size: 7,
  storageClass: "STANDARD_IA",
  headers: {},
  metadata: {},
  replica: { expect: "nothing" },
};

const COPIED =
  '<?xml version="1.0" encoding="UTF-8"?>\n<CopyObjectResult><ETag>"copy"</ETag><LastModified>2026-01-01T00:00:00.000Z</LastModified></CopyObjectResult>';

let wire: Wire;
beforeAll(async () => {
  wire = await openWire();
});
afterAll(() => wire.close());
beforeEach(() => void wire.seen.splice(0));

const replica = (options: { readonly endpoint?: string; readonly timeLimitMs?: number } = {}): S3ReplicaBucket => {
  const client = s3ClientOn(options.endpoint ?? wire.endpoint);
  return new S3ReplicaBucket({
    client,
    writer: client,
    copier: client,
    bucket: "replica",
    primaryBucket: "primary",
    accountId: "123456789012",
    timeLimitMs: () => options.timeLimitMs ?? 5_000,
  });
};

describe("a copy", () => {
  it("pins the source, states what it expects, and names both owners", async () => {
    wire.answer = { status: 200, body: COPIED, headers: { "x-amz-version-id": "r1" } };
    expect(await replica().copyFromPrimary(REQUEST)).toEqual({ outcome: "copied", versionId: "r1", etag: '"copy"' });
    expect(wire.seen).toHaveLength(1);
    expect(wire.seen[0]?.headers).toMatchObject({
      "x-amz-copy-source": "primary/a%20b/c%2Bd%3F.txt?versionId=v1",
      "x-amz-copy-source-if-match": '"source"',
      "if-none-match": "*",
      "x-amz-metadata-directive": "COPY",
      "x-amz-tagging-directive": "COPY",
      "x-amz-storage-class": "STANDARD_IA",
      "x-amz-expected-bucket-owner": "123456789012",
      "x-amz-source-expected-bucket-owner": "123456789012",
    });
    expect(wire.seen[0]?.headers["if-match"]).toBeUndefined();
  });

  it("names the version that it expects to overwrite", async () => {
    wire.answer = { status: 200, body: COPIED };
    await replica().copyFromPrimary({ ...REQUEST, replica: { expect: "version_with_etag", etag: '"old"' } });
    expect(wire.seen[0]?.headers).toMatchObject({ "if-match": '"old"' });
    expect(wire.seen[0]?.headers["if-none-match"]).toBeUndefined();
  });

  const condition = "<Condition>x-amz-copy-source-If-Match</Condition>";
  it.each<[string, Answer, object]>([
    ["a source version that is not there", { status: 404, body: s3Error("NoSuchVersion") }, { outcome: "gone" }],
    ["a source key that is not there", { status: 404, body: s3Error("NoSuchKey") }, { outcome: "gone" }],
    [
      "a bucket that is not there, which is no absence of an object",
      { status: 404, body: s3Error("NoSuchBucket") },
      { outcome: "failed", failure: { kind: "rejected" } },
    ],
    [
      "a false condition on the source, named",
      { status: 412, body: s3Error("PreconditionFailed", "", condition) },
      { outcome: "gone" },
    ],
    ["a false condition, unnamed", { status: 412, body: s3Error("PreconditionFailed") }, { outcome: "lost" }],
    ["a 412 that carries no name at all", { status: 412 }, { outcome: "lost" }],
    [
      "a race at the destination (R35)",
      { status: 409, body: s3Error("ConditionalRequestConflict") },
      { outcome: "lost" },
    ],
    [
      "a request to slow down",
      { status: 503, body: s3Error("SlowDown") },
      { outcome: "failed", failure: { kind: "throttled" } },
    ],
    ["a service that failed in the middle", { status: 500, body: s3Error("InternalError") }, { outcome: "unknown" }],
    ["a gateway that gave up", { status: 502 }, { outcome: "unknown" }],
    ["a service that is not available", { status: 503, body: s3Error("ServiceUnavailable") }, { outcome: "unknown" }],
    ["a 200 with an error in its body", { status: 200, body: s3Error("InternalError") }, { outcome: "unknown" }],
    ["a 200 that slows down in its body", { status: 200, body: s3Error("SlowDown") }, { outcome: "unknown" }],
    ["a 200 with nothing in its body", { status: 200 }, { outcome: "unknown" }],
    ["a connection that breaks", "hang up", { outcome: "unknown" }],
    [
      "a refusal",
      { status: 403, body: s3Error("AccessDenied") },
      { outcome: "failed", failure: { kind: "forbidden" } },
    ],
    [
      "a key that is not ours to use",
      { status: 403, body: s3Error("AccessDenied", "not authorized to perform: kms:Decrypt on resource") },
      { outcome: "failed", failure: { kind: "kms" } },
    ],
    [
      "a disabled key",
      { status: 400, body: s3Error("KMS.DisabledException") },
      { outcome: "failed", failure: { kind: "kms" } },
    ],
    [
      "an archived source",
      { status: 403, body: s3Error("InvalidObjectState") },
      { outcome: "failed", failure: { kind: "archived" } },
    ],
    [
      "a source of more than 5 GB",
      {
        status: 400,
        body: s3Error(
          "InvalidRequest",
          "The specified copy source is larger than the maximum allowable size for a copy source: 5368709120",
        ),
      },
      { outcome: "failed", failure: { kind: "too_large" } },
    ],
    [
      "a wrong request",
      { status: 400, body: s3Error("InvalidArgument") },
      { outcome: "failed", failure: { kind: "rejected" } },
    ],
  ])("that meets %s is sent once and ends as it should", async (_what, answer, expected) => {
    wire.answer = answer;
    expect(await replica().copyFromPrimary(REQUEST)).toMatchObject(expected);
    expect(wire.seen).toHaveLength(1);
  });

  it("that gets no answer in time has an unknown outcome", async () => {
    wire.answer = "say nothing";
    expect(await replica({ timeLimitMs: 50 }).copyFromPrimary(REQUEST)).toMatchObject({ outcome: "unknown" });
  });

  it("that never reached anybody failed for certain", async () => {
    const closed = await openWire();
    closed.close();
    expect(await replica({ endpoint: closed.endpoint }).copyFromPrimary(REQUEST)).toMatchObject({
      outcome: "failed",
      failure: { kind: "unavailable" },
    });
  });
});

describe("a removal", () => {
  it("names no version, and the ETag that it expects", async () => {
    wire.answer = { status: 204, headers: { "x-amz-version-id": "m1", "x-amz-delete-marker": "true" } };
    expect(await replica().remove("key", '"e"')).toEqual({ outcome: "removed", deleteMarkerVersionId: "m1" });
    expect(wire.seen).toMatchObject([{ method: "DELETE", headers: { "if-match": '"e"' } }]);
    expect(wire.seen[0]?.url).not.toContain("versionId");
  });

  it.each<[string, Answer, object]>([
    ["something else", { status: 412, body: s3Error("PreconditionFailed") }, { outcome: "lost" }],
    ["nothing", { status: 404, body: s3Error("NoSuchKey") }, { outcome: "lost" }],
    ["a race", { status: 409, body: s3Error("ConditionalRequestConflict") }, { outcome: "lost" }],
    ["no bucket", { status: 404, body: s3Error("NoSuchBucket") }, { outcome: "failed", failure: { kind: "rejected" } }],
    [
      "a refusal",
      { status: 403, body: s3Error("AccessDenied") },
      { outcome: "failed", failure: { kind: "forbidden" } },
    ],
    ["a broken connection", "hang up", { outcome: "unknown" }],
    ["a failing service", { status: 500 }, { outcome: "unknown" }],
  ])("that finds %s is sent once and ends as it should", async (_what, answer, expected) => {
    wire.answer = answer;
    expect(await replica().remove("key", '"e"')).toMatchObject(expected);
    expect(wire.seen).toHaveLength(1);
  });
});

describe("a bucket that has stopped to keep versions under a running function", () => {
  const ENABLED = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
  const SUSPENDED = "<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>";
  const COMPLETED = '<CompleteMultipartUploadResult><ETag>"whole-1"</ETag></CompleteMultipartUploadResult>';
  const COMPLETE: CompleteRequest = {
    key: "key",
    uploadId: "u1",
    parts: [{ number: 1, etag: '"one"', size: 7 }],
    size: 7,
    crc64nvme: undefined,
    replica: { expect: "nothing" },
  };

  const checked = async () => {
    const client = s3ClientOn(wire.endpoint);
    const accountId = "123456789012";
    const versioning = new VersioningCheck([{ client, bucket: "replica", accountId }]);
    wire.answer = { status: 200, body: ENABLED };
    await versioning.assertEnabled();
    const bucket = new S3ReplicaBucket({
      client,
      writer: client,
      copier: client,
      bucket: "replica",
      primaryBucket: "primary",
      accountId,
      timeLimitMs: () => 5_000,
      versioning,
    });
    return { bucket, versioning };
  };

  const WRITES: readonly (readonly [string, number, string, (bucket: S3ReplicaBucket) => Promise<object>, object])[] = [
    ["a copy", 200, COPIED, (bucket) => bucket.copyFromPrimary(REQUEST), { outcome: "copied", versionId: "r1" }],
    [
      "a completed upload",
      200,
      COMPLETED,
      (bucket) => bucket.completeUpload(COMPLETE),
      { outcome: "completed", versionId: "r1" },
    ],
    [
      "a removal",
      204,
      "",
      (bucket) => bucket.remove("key", '"e"'),
      { outcome: "removed", deleteMarkerVersionId: "r1" },
    ],
  ];

  describe.each(WRITES)("%s", (_what, status, body, write, done) => {
    it.each([
      ["names none", undefined],
      ["names the one that is called null", "null"],
    ])("has an unknown end when its answer %s, and stops the next work", async (_when, versionId) => {
      const { bucket, versioning } = await checked();
      wire.answer = { status, body, headers: versionId === undefined ? {} : { "x-amz-version-id": versionId } };
      expect(await write(bucket)).toEqual({
        outcome: "unknown",
        detail: expect.stringContaining("GEO_BUCKET_NOT_VERSIONED") as string,
      });
      wire.answer = { status: 200, body: SUSPENDED };
      await expect(versioning.assertEnabled()).rejects.toMatchObject({ code: "GEO_BUCKET_NOT_VERSIONED" });
    });

    it("is done when its answer names a version, and nobody asks again", async () => {
      const { bucket, versioning } = await checked();
      wire.answer = { status, body, headers: { "x-amz-version-id": "r1" } };
      expect(await write(bucket)).toMatchObject(done);
      await versioning.assertEnabled();
      expect(wire.seen).toHaveLength(2);
    });
  });
});
