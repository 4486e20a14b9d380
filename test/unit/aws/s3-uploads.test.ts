import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { S3Uploads } from "../../../shared/aws/s3-uploads.ts";
import type { CompleteRequest, PartRequest, UploadRequest } from "../../../shared/ports/object-store.ts";
import { type Answer, openWire, s3ClientOn, s3Error, type Wire } from "./support/wire.ts";

const BEGIN: UploadRequest = {
  key: "a b/c+d?.txt",
  storageClass: "STANDARD_IA",
  headers: {
    contentType: "text/css",
    contentEncoding: "gzip",
    contentDisposition: "inline",
    contentLanguage: "de",
    cacheControl: "no-store",
    expires: "not a date, and S3 keeps it all the same",
  },
  metadata: { owner: "7" },
  tags: { a: "b c", "d&": "e=f" },
};
const PART: PartRequest = {
  key: "a b/c+d?.txt",
  uploadId: "u1",
  sourceVersionId: "v1",
  sourceEtag: '"source"',
  number: 3,
  range: { start: 10, endInclusive: 19 },
};
const COMPLETE: CompleteRequest = {
  key: "key",
  uploadId: "u1",
  parts: [
    { number: 1, etag: '"one"', size: 10 },
    { number: 2, etag: '"two"', size: 5 },
  ],
  size: 15,
  crc64nvme: "AAAAAAAAAAA=",
  replica: { expect: "nothing" },
};

const xml = (text: string): string => `<?xml version="1.0" encoding="UTF-8"?>\n${text}`;
const BEGUN = xml("<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>");
const COPIED = xml('<CopyPartResult><ETag>"part"</ETag></CopyPartResult>');
const COMPLETED = xml('<CompleteMultipartUploadResult><ETag>"whole-2"</ETag></CompleteMultipartUploadResult>');

const part = (number: number): string =>
  `<Part><PartNumber>${number}</PartNumber><ETag>"p${number}"</ETag><Size>5</Size></Part>`;

let wire: Wire;
beforeAll(async () => {
  wire = await openWire();
});
afterAll(() => wire.close());
beforeEach(() => void wire.seen.splice(0));

const uploads = (timeLimitMs = 5_000): S3Uploads => {
  const client = s3ClientOn(wire.endpoint);
  return new S3Uploads({
    asking: client,
    copier: client,
    writer: client,
    bucket: "replica",
    primaryBucket: "primary",
    accountId: "123456789012",
    timeLimitMs: () => timeLimitMs,
  });
};

describe("the beginning of an upload", () => {
  it("says everything that is to stand beside the bytes, in the words in which S3 told it", async () => {
    wire.answer = { status: 200, body: BEGUN };
    expect(await uploads().begin(BEGIN)).toEqual({ outcome: "begun", uploadId: "u1" });
    expect(wire.seen).toHaveLength(1);
    expect(wire.seen[0]?.headers).toMatchObject({
      "content-type": "text/css",
      "content-encoding": "gzip",
      "content-disposition": "inline",
      "content-language": "de",
      "cache-control": "no-store",
      expires: "not a date, and S3 keeps it all the same",
      "x-amz-meta-owner": "7",
      "x-amz-tagging": "a=b%20c&d%26=e%3Df",
      "x-amz-storage-class": "STANDARD_IA",
      "x-amz-checksum-algorithm": "CRC64NVME",
      "x-amz-checksum-type": "FULL_OBJECT",
      "x-amz-expected-bucket-owner": "123456789012",
    });
  });

  it("says nothing of headers that the source does not have", async () => {
    wire.answer = { status: 200, body: BEGUN };
    await uploads().begin({ ...BEGIN, headers: {}, metadata: {}, tags: {} });
    expect(wire.seen[0]?.headers["expires"]).toBeUndefined();
    expect(wire.seen[0]?.headers["cache-control"]).toBeUndefined();
  });

  it.each<[string, Answer, object]>([
    ["a broken connection", "hang up", { outcome: "unknown" }],
    ["a failing service", { status: 500 }, { outcome: "unknown" }],
    ["an answer without an upload", { status: 200, body: xml("<Nothing/>") }, { outcome: "unknown" }],
    ["a request to slow down", { status: 503, body: s3Error("SlowDown") }, { outcome: "failed" }],
    [
      "a refusal",
      { status: 403, body: s3Error("AccessDenied") },
      { outcome: "failed", failure: { kind: "forbidden" } },
    ],
    ["no bucket", { status: 404, body: s3Error("NoSuchBucket") }, { outcome: "failed", failure: { kind: "rejected" } }],
    [
      "a conflict, though it stated no condition",
      { status: 409, body: s3Error("OperationAborted") },
      { outcome: "failed", failure: { kind: "rejected" } },
    ],
  ])("that meets %s is sent once and ends as it should", async (_what, answer, expected) => {
    wire.answer = answer;
    expect(await uploads().begin(BEGIN)).toMatchObject(expected);
    expect(wire.seen).toHaveLength(1);
  });
});

describe("a part", () => {
  it("pins the source, and names its range and both owners", async () => {
    wire.answer = { status: 200, body: COPIED };
    expect(await uploads().copyPart(PART)).toEqual({
      outcome: "copied",
      part: { number: 3, etag: '"part"', size: 10 },
    });
    expect(wire.seen[0]?.url).toContain("partNumber=3");
    expect(wire.seen[0]?.headers).toMatchObject({
      "x-amz-copy-source": "primary/a%20b/c%2Bd%3F.txt?versionId=v1",
      "x-amz-copy-source-if-match": '"source"',
      "x-amz-copy-source-range": "bytes=10-19",
      "x-amz-expected-bucket-owner": "123456789012",
      "x-amz-source-expected-bucket-owner": "123456789012",
    });
  });

  it.each<[string, Answer, object]>([
    ["an upload that is over", { status: 404, body: s3Error("NoSuchUpload") }, { outcome: "upload_gone" }],
    ["a source version that is not there", { status: 404, body: s3Error("NoSuchVersion") }, { outcome: "gone" }],
    ["a source that is another one", { status: 412, body: s3Error("PreconditionFailed") }, { outcome: "gone" }],
    ["no bucket", { status: 404, body: s3Error("NoSuchBucket") }, { outcome: "failed" }],
    ["an answer without a part", { status: 200, body: xml("<Nothing/>") }, { outcome: "failed" }],
    ["an error in the body of a 200", { status: 200, body: s3Error("InternalError") }, { outcome: "failed" }],
    [
      "a broken connection, which is no unknown end: the same part may be copied again",
      "hang up",
      { outcome: "failed", failure: { kind: "unavailable" } },
    ],
    [
      "a request to slow down",
      { status: 503, body: s3Error("SlowDown") },
      { outcome: "failed", failure: { kind: "throttled" } },
    ],
  ])("that meets %s ends as it should", async (_what, answer, expected) => {
    wire.answer = answer;
    expect(await uploads().copyPart(PART)).toMatchObject(expected);
  });
});

describe("the parts of an upload", () => {
  it("are listed to the last page", async () => {
    const first = `${part(1)}<IsTruncated>true</IsTruncated><NextPartNumberMarker>1</NextPartNumberMarker>`;
    wire.first.push({ status: 200, body: xml(`<ListPartsResult>${first}</ListPartsResult>`) });
    wire.answer = { status: 200, body: xml(`<ListPartsResult>${part(2)}<Part/></ListPartsResult>`) };
    const parts = [1, 2].map((number) => ({ number, etag: `"p${number}"`, size: 5 }));
    expect(await uploads().listParts("key", "u1")).toEqual({ outcome: "listed", parts });
    expect(wire.seen[1]?.url).toContain("part-number-marker=1");
  });

  it("are none, and those of an upload that is over are unknown", async () => {
    wire.answer = { status: 200, body: xml("<ListPartsResult></ListPartsResult>") };
    expect(await uploads().listParts("key", "u1")).toEqual({ outcome: "listed", parts: [] });
    wire.answer = { status: 404, body: s3Error("NoSuchUpload") };
    expect(await uploads().listParts("key", "u1")).toEqual({ outcome: "upload_gone" });
    wire.answer = { status: 403, body: s3Error("AccessDenied") };
    expect(await uploads().listParts("key", "u1")).toMatchObject({ outcome: "failed", failure: { kind: "forbidden" } });
  });
});

describe("a completion", () => {
  it("states what it expects of the replica, the size and the checksum of the whole", async () => {
    wire.answer = { status: 200, body: COMPLETED, headers: { "x-amz-version-id": "r1" } };
    expect(await uploads().complete(COMPLETE)).toEqual({ outcome: "completed", versionId: "r1", etag: '"whole-2"' });
    expect(wire.seen[0]?.headers).toMatchObject({
      "if-none-match": "*",
      "x-amz-mp-object-size": "15",
      "x-amz-checksum-crc64nvme": "AAAAAAAAAAA=",
      "x-amz-checksum-type": "FULL_OBJECT",
    });
  });

  it("says no checksum where S3 stores none of the source, and names the version that it overwrites", async () => {
    wire.answer = { status: 200, body: COMPLETED };
    await uploads().complete({
      ...COMPLETE,
      crc64nvme: undefined,
      replica: { expect: "version_with_etag", etag: '"old"' },
    });
    expect(wire.seen[0]?.headers).toMatchObject({ "if-match": '"old"' });
    expect(wire.seen[0]?.headers["x-amz-checksum-crc64nvme"]).toBeUndefined();
    expect(wire.seen[0]?.headers["if-none-match"]).toBeUndefined();
  });

  it.each<[string, Answer, object]>([
    ["an upload that is over", { status: 404, body: s3Error("NoSuchUpload") }, { outcome: "upload_gone" }],
    ["a replica that is not there", { status: 404, body: s3Error("NoSuchKey") }, { outcome: "lost" }],
    ["another replica", { status: 412, body: s3Error("PreconditionFailed") }, { outcome: "lost" }],
    ["a race (R35)", { status: 409, body: s3Error("ConditionalRequestConflict") }, { outcome: "lost" }],
    ["other bytes than announced", { status: 400, body: s3Error("BadDigest") }, { outcome: "unusable" }],
    ["a part that is not there", { status: 400, body: s3Error("InvalidPart") }, { outcome: "unusable" }],
    ["parts that are too small", { status: 400, body: s3Error("EntityTooSmall") }, { outcome: "unusable" }],
    ["a broken connection", "hang up", { outcome: "unknown" }],
    ["a failing service", { status: 500, body: s3Error("InternalError") }, { outcome: "unknown" }],
    ["an error in the body of a 200", { status: 200, body: s3Error("InternalError") }, { outcome: "unknown" }],
    [
      "a refusal",
      { status: 403, body: s3Error("AccessDenied") },
      { outcome: "failed", failure: { kind: "forbidden" } },
    ],
    [
      "a request to slow down",
      { status: 503, body: s3Error("SlowDown") },
      { outcome: "failed", failure: { kind: "throttled" } },
    ],
  ])("that meets %s is sent once and ends as it should", async (_what, answer, expected) => {
    wire.answer = answer;
    expect(await uploads().complete(COMPLETE)).toMatchObject(expected);
    expect(wire.seen).toHaveLength(1);
  });

  it("that gets no answer in time has an unknown outcome", async () => {
    wire.answer = "say nothing";
    expect(await uploads(50).complete(COMPLETE)).toMatchObject({ outcome: "unknown" });
  });
});

describe("an abortion", () => {
  it.each<[string, Answer, object]>([
    ["an upload", { status: 204 }, { outcome: "over" }],
    ["an upload that is over", { status: 404, body: s3Error("NoSuchUpload") }, { outcome: "over" }],
    ["no bucket", { status: 404, body: s3Error("NoSuchBucket") }, { outcome: "failed" }],
    ["a broken connection", "hang up", { outcome: "failed", failure: { kind: "unavailable" } }],
  ])("that finds %s ends as it should", async (_what, answer, expected) => {
    wire.answer = answer;
    expect(await uploads().abort("key", "u1")).toMatchObject(expected);
  });
});

describe("a listing of uploads", () => {
  it("decodes keys, and says where the next page starts", async () => {
    const upload =
      "<Upload><Key>a+b%2Bc</Key><UploadId>u1</UploadId><Initiated>2026-01-01T00:00:00.000Z</Initiated></Upload>";
    const more =
      "<IsTruncated>true</IsTruncated><NextKeyMarker>a+b%2Bc</NextKeyMarker><NextUploadIdMarker>u1</NextUploadIdMarker>";
    const body = `<EncodingType>url</EncodingType>${upload}<Upload/>${more}`;
    wire.answer = { status: 200, body: xml(`<ListMultipartUploadsResult>${body}</ListMultipartUploadsResult>`) };
    expect(await uploads().list({ key: "before", uploadId: "u0" })).toEqual({
      uploads: [{ key: "a b+c", uploadId: "u1", begunAt: Date.UTC(2026, 0, 1) }],
      next: { key: "a b+c", uploadId: "u1" },
    });
    expect(wire.seen[0]?.url).toContain("key-marker=before");
    expect(wire.seen[0]?.url).toContain("upload-id-marker=u0");
  });

  it("takes keys as they are from a store that does not encode them", async () => {
    const upload = "<Upload><Key>a+b%2Bc</Key><UploadId>u1</UploadId></Upload>";
    wire.answer = { status: 200, body: xml(`<ListMultipartUploadsResult>${upload}</ListMultipartUploadsResult>`) };
    expect(await uploads().list(undefined)).toEqual({ uploads: [{ key: "a+b%2Bc", uploadId: "u1", begunAt: 0 }] });
  });

  it("throws when the bucket does not answer", async () => {
    wire.answer = { status: 503, body: s3Error("SlowDown") };
    await expect(uploads().list(undefined)).rejects.toMatchObject({ code: "GEO_STORE_UNAVAILABLE" });
  });
});
