import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { S3DestroyableBucket } from "../../../shared/aws/s3-destroyable-bucket.ts";
import { S3ManifestStore } from "../../../shared/aws/s3-manifest-store.ts";
import { StoreUnavailableError } from "../../../shared/geo/errors.ts";
import { openWire, s3ClientOn, s3Error, type Wire } from "./support/wire.ts";

let wire: Wire;
let sent: string[];
beforeAll(async () => {
  wire = await openWire();
});
afterAll(() => wire.close());
beforeEach(() => {
  wire.seen.splice(0);
  sent = [];
});

const bucket = (): S3DestroyableBucket => {
  const client = s3ClientOn(wire.endpoint);
  return new S3DestroyableBucket({
    reader: client,
    writer: client,
    copier: client,
    bucket: "primary",
    accountId: "123456789012",
    timeLimitMs: () => 5_000,
  });
};

/** Answers everything with this document, and keeps what was sent. */
const answerWith = (status: number, body: string, headers: Readonly<Record<string, string>> = {}): void => {
  wire.answer = (request) => {
    sent.push(request);
    return { status, body, headers };
  };
};

const XML = '<?xml version="1.0" encoding="UTF-8"?>';

const version = (key: string, latest: boolean): string =>
  `<Version><Key>${key}</Key><VersionId>v-${key}</VersionId><IsLatest>${latest}</IsLatest><ETag>"e"</ETag><Size>7</Size>` +
  "<LastModified>2026-01-01T00:00:00.000Z</LastModified><StorageClass>STANDARD_IA</StorageClass></Version>";

describe("a listing", () => {
  it("takes keys as they stand where the answer does not say that they are encoded", async () => {
    answerWith(200, `${XML}<ListVersionsResult>${version("a/50%+b", true)}</ListVersionsResult>`);
    const { objects } = await bucket().listCurrent({ prefix: "a/" });
    expect(objects.map(({ key }) => key)).toEqual(["a/50%+b"]);
  });

  it("names what each key shows now, decoded, and neither older versions nor what is hidden", async () => {
    answerWith(
      200,
      `${XML}<ListVersionsResult><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated><NextKeyMarker>a%2Fc+d</NextKeyMarker>${version("a%2Fb+c", true)}` +
        `${version("a%2Fb+c", false)}<DeleteMarker><Key>a%2Fc+d</Key><VersionId>m</VersionId><IsLatest>true</IsLatest></DeleteMarker></ListVersionsResult>`,
    );
    expect(await bucket().listCurrent({ prefix: "a/", after: "a/a" })).toEqual({
      objects: [
        {
          key: "a/b c",
          versionId: "v-a%2Fb+c",
          etag: '"e"',
          size: 7,
          lastModified: Date.parse("2026-01-01"),
          storageClass: "STANDARD_IA",
        },
      ],
      next: "a/c d",
    });
    expect(wire.seen[0]?.url).toMatch(/\?encoding-type=url&key-marker=a%2Fa&prefix=a%2F&versions/);
    expect(wire.seen[0]?.headers["x-amz-expected-bucket-owner"]).toBe("123456789012");
  });

  it("ends where S3 says so", async () => {
    answerWith(
      200,
      `${XML}<ListVersionsResult><EncodingType>url</EncodingType><IsTruncated>false</IsTruncated></ListVersionsResult>`,
    );
    expect(await bucket().listCurrent({ prefix: "a/" })).toEqual({ objects: [] });
  });

  it("that is not answered is no end", async () => {
    answerWith(503, s3Error("SlowDown"));
    await expect(bucket().listCurrent({ prefix: "" })).rejects.toThrow(StoreUnavailableError);
  });
});

describe("hiding", () => {
  const entries = ["a", "b", "c", "d", "e"].map((key) => ({ key, etag: `"${key}"` }));

  it("names each key's ETag and no version, and tells what became of each", async () => {
    answerWith(
      200,
      `${XML}<DeleteResult><Deleted><Key>a</Key><DeleteMarker>true</DeleteMarker><DeleteMarkerVersionId>m</DeleteMarkerVersionId></Deleted>` +
        "<Error><Key>b</Key><Code>PreconditionFailed</Code><Message>no</Message></Error>" +
        "<Error><Key>c</Key><Code>NoSuchKey</Code><Message>no</Message></Error>" +
        "<Error><Key>d</Key><Code>AccessDenied</Code><Message>no</Message></Error></DeleteResult>",
    );
    expect(await bucket().hide(entries)).toEqual([
      { key: "a", outcome: "hidden", markerVersionId: "m" },
      { key: "b", outcome: "refused" },
      { key: "c", outcome: "refused" },
      { key: "d", outcome: "failed", detail: "AccessDenied: no" },
      { key: "e", outcome: "failed", detail: "NoAnswer: S3 said nothing of it" },
    ]);
    expect(wire.seen).toHaveLength(1);
    expect(sent[0]?.match(/<ETag>/g)).toHaveLength(5);
    expect(sent[0]).not.toContain("VersionId");
  });

  it("goes one by one for keys that XML can not carry, on their ETags", async () => {
    answerWith(204, "", { "x-amz-version-id": "m" });
    expect(await bucket().hide([{ key: "a\u0001", etag: '"e"' }])).toEqual([
      { key: "a\u0001", outcome: "hidden", markerVersionId: "m" },
    ]);
    expect(wire.seen[0]).toMatchObject({ method: "DELETE", headers: { "if-match": '"e"' } });
    expect(wire.seen[0]?.url).not.toContain("versionId");
  });

  it.each([
    [412, "PreconditionFailed", { outcome: "refused" }],
    [403, "AccessDenied", { outcome: "failed", detail: expect.stringContaining("AccessDenied") }],
    [500, "InternalError", { outcome: "failed", detail: expect.stringContaining("InternalError") }],
  ])("of such a key that is answered with %i is told as it is", async (status, code, outcome) => {
    answerWith(status, s3Error(code));
    expect(await bucket().hide([{ key: "a\u0001", etag: '"e"' }])).toMatchObject([outcome]);
  });

  it("that is not answered is told as such: some may be hidden", async () => {
    wire.answer = "hang up";
    await expect(bucket().hide(entries)).rejects.toThrow(StoreUnavailableError);
    expect(wire.seen).toHaveLength(1);
  });
});

describe("a bucket that does not keep versions", () => {
  const removed = "was removed from primary without a delete marker";

  it.each(["Suspended", ""])("whose versioning is '%s' is refused, each time it is asked for", async (status) => {
    const said = status === "" ? "" : `<Status>${status}</Status>`;
    answerWith(200, `${XML}<VersioningConfiguration>${said}</VersioningConfiguration>`);
    const one = bucket();
    const notVersioned = { code: "GEO_BUCKET_NOT_VERSIONED" };
    await expect(one.assertVersioned()).rejects.toMatchObject(notVersioned);
    answerWith(200, `${XML}<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>`);
    await one.assertVersioned();
    answerWith(200, `${XML}<VersioningConfiguration>${said}</VersioningConfiguration>`);
    await expect(one.assertVersioned()).rejects.toMatchObject(notVersioned);
    expect(wire.seen[0]?.url).toMatch(/\?versioning/);
  });

  it.each([
    ["versioning never was on", ""],
    ["versioning is suspended", "<DeleteMarker>true</DeleteMarker><DeleteMarkerVersionId>null</DeleteMarkerVersionId>"],
  ])("is told apart by what S3 says of a deletion, when %s", async (_when, said) => {
    answerWith(200, `${XML}<DeleteResult><Deleted><Key>a</Key>${said}</Deleted></DeleteResult>`);
    const hiding = bucket().hide([{ key: "a", etag: '"e"' }]);
    await expect(hiding).rejects.toMatchObject({ code: "GEO_BUCKET_NOT_VERSIONED" });
    await expect(hiding).rejects.toThrow(removed);
  });

  it("is told apart for keys that go one by one, too", async () => {
    answerWith(204, "");
    await expect(bucket().hide([{ key: "a\u0001", etag: '"e"' }])).rejects.toThrow(removed);
  });
});

describe("bringing back", () => {
  it("copies the version onto its own key, if nothing is there", async () => {
    answerWith(200, `${XML}<CopyObjectResult><ETag>"e"</ETag></CopyObjectResult>`, { "x-amz-version-id": "new" });
    const request = { key: "a b", sourceVersionId: "v", sourceEtag: '"e"', size: 7, storageClass: "STANDARD" };
    expect(await bucket().bringBack(request)).toEqual({ outcome: "copied", versionId: "new", etag: '"e"' });
    expect(wire.seen[0]?.headers).toMatchObject({
      "x-amz-copy-source": "primary/a%20b?versionId=v",
      "if-none-match": "*",
      "x-amz-metadata-directive": "COPY",
      "x-amz-tagging-directive": "COPY",
    });
  });
});

const store = () => new S3ManifestStore(s3ClientOn(wire.endpoint), "manifests", "123456789012");

describe("a manifest store", () => {
  it("writes a text under its name and reads it again, as their owner's", async () => {
    answerWith(200, "a line\n");
    await store().write("id/manifest/1.jsonl", "a line\n");
    expect(sent).toEqual(["a line\n"]);
    expect(await store().read("id/manifest/1.jsonl")).toBe("a line\n");
    for (const { url, headers } of wire.seen) {
      expect(url).toContain("/id/manifest/1.jsonl");
      expect(headers["x-amz-expected-bucket-owner"]).toBe("123456789012");
    }
  });

  it.each(["write", "read"] as const)("says that a %s was not done", async (what) => {
    answerWith(404, s3Error("NoSuchKey"));
    const done = what === "write" ? store().write("x", "y") : store().read("x");
    await expect(done).rejects.toThrow(StoreUnavailableError);
  });
});
