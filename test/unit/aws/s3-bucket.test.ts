import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { StoreUnavailableError } from "../../../shared/geo/errors.ts";
import { S3Bucket } from "../../../shared/aws/s3-bucket.ts";
import { type Answer, openWire, s3ClientOn, s3Error, type Wire } from "./support/wire.ts";

let wire: Wire;
beforeAll(async () => {
  wire = await openWire();
});
afterAll(() => wire.close());
beforeEach(() => void wire.seen.splice(0));

const bucket = (): S3Bucket =>
  new S3Bucket({ client: s3ClientOn(wire.endpoint), bucket: "primary", accountId: "123456789012" });

const factsOf = async (headers: Readonly<Record<string, string>>) => {
  wire.answer = { status: 200, headers: { etag: '"e"', "x-amz-version-id": "v", ...headers } };
  const head = await bucket().head("key");
  if (head.outcome !== "present") throw new Error(JSON.stringify(head));
  return head.facts;
};

describe("a HEAD", () => {
  it("asks for checksums and for the owner that it expects", async () => {
    await factsOf({});
    expect(wire.seen[0]?.headers).toMatchObject({
      "x-amz-checksum-mode": "ENABLED",
      "x-amz-expected-bucket-owner": "123456789012",
    });
  });

  it("reports the strongest checksum there is, and its type", async () => {
    expect((await factsOf({ "x-amz-checksum-crc32": "AAAA", "x-amz-checksum-crc64nvme": "BBBB" })).checksum).toEqual({
      algorithm: "CRC64NVME",
      type: "FULL_OBJECT",
      value: "BBBB",
    });
    const composite = { "x-amz-checksum-sha256": "CCCC-3", "x-amz-checksum-type": "COMPOSITE" };
    expect((await factsOf(composite)).checksum?.type).toBe("COMPOSITE");
    expect((await factsOf({ "x-amz-checksum-sha256": "CCCC-3" })).checksum?.type).toBe("COMPOSITE");
    expect((await factsOf({})).checksum).toBeUndefined();
  });

  it.each<[string, Readonly<Record<string, string>>, boolean]>([
    ["in a class that is not an archive", { "x-amz-storage-class": "GLACIER_IR" }, false],
    ["archived", { "x-amz-storage-class": "DEEP_ARCHIVE" }, true],
    [
      "archived and being restored",
      { "x-amz-storage-class": "GLACIER", "x-amz-restore": 'ongoing-request="true"' },
      true,
    ],
    [
      "archived and restored",
      { "x-amz-storage-class": "GLACIER", "x-amz-restore": 'ongoing-request="false", expiry-date="x"' },
      false,
    ],
    ["moved to an archive tier", { "x-amz-archive-status": "ARCHIVE_ACCESS" }, true],
  ])("sees that an object is %s", async (_what, headers, archived) => {
    expect((await factsOf(headers)).archived).toBe(archived);
  });

  it("calls a version from before versioning by its name, null", async () => {
    wire.answer = { status: 200, headers: { etag: '"e"' } };
    expect(await bucket().head("key")).toMatchObject({
      facts: { versionId: "null", storageClass: "STANDARD", size: 0 },
    });
  });

  it("takes a delete marker for absence, and tells its version", async () => {
    wire.answer = { status: 404, headers: { "x-amz-delete-marker": "true", "x-amz-version-id": "m" } };
    expect(await bucket().head("key")).toEqual({ outcome: "absent", deleteMarkerVersionId: "m" });
    expect(wire.seen).toHaveLength(1);
  });

  it("asks for the bucket before it believes that a key without a marker is absent (R29)", async () => {
    wire.answer = { status: 404 };
    expect((await bucket().head("key")).outcome).toBe("failed");
    expect(wire.seen.map(({ url }) => url)).toHaveLength(2);
  });

  it.each<[Answer, string]>([
    [{ status: 403 }, "forbidden"],
    [{ status: 400 }, "rejected"],
    [{ status: 301 }, "rejected"],
    [{ status: 503 }, "throttled"],
    [{ status: 500 }, "unavailable"],
    ["hang up", "unavailable"],
  ])("never takes %j for absence (R28)", async (answer, kind) => {
    wire.answer = answer;
    expect(await bucket().head("key")).toMatchObject({ outcome: "failed", failure: { kind } });
  });
});

describe("a HEAD of one version", () => {
  it("names the version and asks for checksums", async () => {
    wire.answer = { status: 200, headers: { etag: '"e"', "x-amz-version-id": "v", "content-length": "7" } };
    expect(await bucket().headVersion("key", "v")).toMatchObject({
      outcome: "present",
      facts: { versionId: "v", size: 7 },
    });
    expect(wire.seen[0]?.url).toContain("versionId=v");
    expect(wire.seen[0]?.headers["x-amz-checksum-mode"]).toBe("ENABLED");
  });

  it("takes a 404 for the version's only when the bucket answers (R29)", async () => {
    wire.first.push({ status: 404 }, { status: 200 });
    expect(await bucket().headVersion("key", "v")).toEqual({ outcome: "gone" });
    wire.answer = { status: 404 };
    expect(await bucket().headVersion("key", "v")).toMatchObject({ outcome: "failed" });
  });

  it("says that a delete marker is no version with content, and why S3 refuses", async () => {
    wire.answer = { status: 405 };
    expect(await bucket().headVersion("key", "marker")).toEqual({ outcome: "gone" });
    wire.answer = { status: 403 };
    expect(await bucket().headVersion("key", "v")).toMatchObject({
      outcome: "failed",
      failure: { kind: "forbidden" },
    });
  });
});

describe("a read", () => {
  it("of a range names the version and the bytes, both ends included", async () => {
    wire.answer = { status: 206, body: "234", headers: { "content-length": "3", "content-range": "bytes 2-4/10" } };
    expect(await bucket().read("key", "v", { start: 2, endInclusive: 4 })).toMatchObject({ size: 3 });
    expect(wire.seen[0]?.headers["range"]).toBe("bytes=2-4");
    expect(wire.seen[0]?.url).toContain("versionId=v");
  });

  it.each([
    [2, 4, "234"],
    [7, 99, "789"],
    [0, 0, "0"],
  ])("of the range %d-%d is cut out where the store sends all of it", async (start, endInclusive, expected) => {
    wire.answer = { status: 200, body: "0123456789", headers: { "content-length": "10" } };
    const read = await bucket().read("key", "v", { start, endInclusive });
    if (read.outcome !== "reading") throw new Error(read.outcome);
    const chunks: Uint8Array[] = [];
    for await (const chunk of read.body) chunks.push(chunk);
    expect(Buffer.concat(chunks).toString()).toBe(expected);
    expect(read.size).toBe(expected.length);
  });

  it("of a range behind the end is refused, whoever refuses it", async () => {
    wire.answer = { status: 200, body: "0123456789", headers: { "content-length": "10" } };
    expect(await bucket().read("key", "v", { start: 10, endInclusive: 12 })).toMatchObject({
      outcome: "failed",
      failure: { kind: "rejected" },
    });
  });

  it.each<[string, Answer, object]>([
    ["a version that is gone", { status: 404, body: s3Error("NoSuchVersion") }, { outcome: "gone" }],
    ["a delete marker", { status: 405, body: s3Error("MethodNotAllowed") }, { outcome: "gone" }],
    ["a missing bucket", { status: 404, body: s3Error("NoSuchBucket") }, { outcome: "failed" }],
    [
      "an archived version",
      { status: 403, body: s3Error("InvalidObjectState") },
      { outcome: "failed", failure: { kind: "archived" } },
    ],
    [
      "a refusal",
      { status: 403, body: s3Error("AccessDenied") },
      { outcome: "failed", failure: { kind: "forbidden" } },
    ],
  ])("that meets %s says so", async (_what, answer, expected) => {
    wire.answer = answer;
    expect(await bucket().read("key", "v")).toMatchObject(expected);
    expect(await bucket().tags("key", "v")).toMatchObject(expected);
  });

  it("that breaks off half way is an error, not an end", async () => {
    wire.answer = { status: 200, body: "half", headers: { "content-length": "8" } };
    const outcome = await bucket().read("key", "v");
    if (outcome.outcome !== "reading") throw new Error(outcome.outcome);
    const drain = async (): Promise<void> => {
      for await (const chunk of outcome.body) {
        expect(chunk.byteLength).toBeGreaterThan(0);
        wire.close();
      }
    };
    await expect(drain()).rejects.toThrow(StoreUnavailableError);
    wire = await openWire();
  });
});

describe("a listing", () => {
  it("that is refused is thrown, and never looks like an empty bucket", async () => {
    wire.answer = { status: 403, body: s3Error("AccessDenied") };
    await expect(bucket().list()).rejects.toThrow(StoreUnavailableError);
  });
});
