import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { coalesce, parseS3Notification, type S3Change } from "../../../shared/geo/s3-notification.ts";
import { anyKey } from "./keys.ts";

/** A record as S3 writes it, cut to what matters, with `changes` to its object. */
const record = (changes: Readonly<Record<string, unknown>> = {}, object: Readonly<Record<string, unknown>> = {}) => ({
  eventVersion: "2.6",
  eventSource: "aws:s3",
  awsRegion: "eu-west-1",
  eventTime: "2026-11-21T09:30:00.250Z",
  eventName: "ObjectCreated:Put",
  userIdentity: { principalId: "AWS:AIDAEXAMPLE" },
  responseElements: { "x-amz-request-id": "C3D13FE58DE4C810", "x-amz-id-2": "FMyUVURIY8" },
  s3: {
    s3SchemaVersion: "1.0",
    bucket: { name: "geo-primary", arn: "arn:aws:s3:::geo-primary" },
    object: {
      key: "uploads/a+b.txt",
      size: 12,
      eTag: "d41d8cd98f00b204e9800998ecf8427e",
      versionId: "096fKKXTRTtl3on89fVO.nfljtsv6qko",
      sequencer: "0055AED6DCD90281E5",
      ...object,
    },
  },
  ...changes,
});
const padded = (bytes: number) => record({ extra: "x".repeat(bytes) });
const message = (...records: readonly unknown[]): string => JSON.stringify({ Records: records });
const parseChanges = (body: string): readonly S3Change[] => {
  const parsed = parseS3Notification(body);
  return parsed.kind === "changes" ? parsed.changes : [];
};

describe("a good message", () => {
  test("says which key of which bucket changed, and what else S3 knows", () => {
    expect(parseS3Notification(message(record()))).toEqual({
      kind: "changes",
      changes: [
        {
          bucket: "geo-primary",
          key: "uploads/a b.txt",
          eventName: "ObjectCreated:Put",
          change: "created",
          versionId: "096fKKXTRTtl3on89fVO.nfljtsv6qko",
          etag: "d41d8cd98f00b204e9800998ecf8427e",
          size: 12,
          sequencer: "0055AED6DCD90281E5",
          occurredAt: Date.UTC(2026, 10, 21, 9, 30, 0, 250),
          requestId: "C3D13FE58DE4C810",
        },
      ],
      ignored: [],
      unreadable: [],
    });
  });

  test("may leave out everything but version, source, name, bucket and key", () => {
    const bare = {
      eventVersion: "2.1",
      eventSource: "aws:s3",
      eventName: "ObjectRemoved:Delete",
      s3: { bucket: { name: "geo-primary" }, object: { key: "k" } },
    };
    expect(parseChanges(message(bare))).toEqual([
      { bucket: "geo-primary", key: "k", eventName: "ObjectRemoved:Delete", change: "deleted" },
    ]);
  });

  test.each([
    ["ObjectCreated:Put", "created"],
    ["ObjectCreated:CompleteMultipartUpload", "created"],
    ["s3:ObjectCreated:Copy", "created"],
    ["ObjectTagging:Put", "created"],
    ["ObjectTagging:Delete", "created"],
    ["ObjectAnnotation:Delete", "created"],
    ["ObjectRetention:Put", "created"],
    ["ObjectRestore:Completed", "created"],
    ["ObjectRemoved:Delete", "deleted"],
    ["ObjectRemoved:DeleteMarkerCreated", "deleted"],
    ["LifecycleExpiration:Delete", "deleted"],
    ["LifecycleExpiration:DeleteMarkerCreated", "deleted"],
  ])("%s hints that an object was %s", (eventName, change) => {
    expect(parseChanges(message(record({ eventName })))).toMatchObject([
      { change, eventName: eventName.replace("s3:", "") },
    ]);
  });

  test.each([
    "ObjectRestore:Post",
    "ObjectAcl:Put",
    "LifecycleTransition",
    "IntelligentTiering",
    "Replication:OperationFailedReplication",
    "SomethingNew:Happened",
    "constructor",
    "toString",
  ])("%s changes nothing for us and is named", (eventName) => {
    expect(parseS3Notification(message(record({ eventName })))).toEqual({
      kind: "changes",
      changes: [],
      ignored: [eventName],
      unreadable: [],
    });
  });

  test("keeps a change of another bucket, for the caller to park", () => {
    const other = record({ s3: { bucket: { name: "someone-elses" }, object: { key: "k" } } });
    expect(parseChanges(message(other))).toMatchObject([{ bucket: "someone-elses", key: "k" }]);
  });

  test("is S3's test of a new configuration", () => {
    const body = JSON.stringify({
      Service: "Amazon S3",
      Event: "s3:TestEvent",
      Time: "2026-11-21T09:30:00Z",
      Bucket: "b",
    });
    expect(parseS3Notification(body)).toEqual({ kind: "test" });
  });

  test("brings every key that S3 takes, form-encoded by AWS and raw by an emulator", () => {
    fc.assert(
      fc.property(anyKey, (key) => {
        const encoded = encodeURIComponent(key).replaceAll("%20", "+");
        expect(parseChanges(message(record({}, { key: encoded })))).toMatchObject([{ key }]);
        expect(parseS3Notification(message(record({}, { key })), "raw")).toMatchObject({ changes: [{ key }] });
      }),
    );
  });
});

describe("a hint that is not what it should be", () => {
  test.each([
    ["size", { size: "12" }],
    ["size", { size: -1 }],
    ["etag", { eTag: "" }],
    ["etag", { eTag: { toString: "x" } }],
    ["versionId", { versionId: null }],
    ["sequencer", { sequencer: "0".repeat(1_000) }],
  ])("is left out and the change is kept: %s from %j", (field, object) => {
    const [change] = parseChanges(message(record({}, object)));
    expect(change).toMatchObject({ key: "uploads/a b.txt" });
    expect(change).not.toHaveProperty(field);
  });

  test.each([{ eventTime: "yesterday" }, { eventTime: 5 }, { eventTime: null }])("is left out: %j", (changes) => {
    expect(parseChanges(message(record(changes)))[0]).not.toHaveProperty("occurredAt");
  });

  test.each([[null], [[]], ["x"], [{ "x-amz-request-id": 7 }], [{ "x-amz-request-id": "" }], [{}]])(
    "is left out: responseElements %j",
    (responseElements) => {
      expect(parseChanges(message(record({ responseElements })))).toHaveLength(1);
      expect(parseChanges(message(record({ responseElements })))[0]).not.toHaveProperty("requestId");
    },
  );
});

describe("a message that can not be read says why", () => {
  test.each([
    ["nothing", "", /not JSON/],
    ["half of JSON", '{"Records":[', /not JSON/],
    ["a number", "5", /expected object/],
    ["null", "null", /expected object/],
    ["a list", "[]", /no S3 notification/],
    ["no records", "{}", /Records: expected array/],
    ["records that are no list", '{"Records":{"0":{}}}', /Records: expected array/],
    ["an empty list", '{"Records":[]}', /at least one record/],
    ["101 records", message(...Array.from({ length: 101 }, () => record())), /at most 100 records/],
    ["an SNS envelope", JSON.stringify({ Type: "Notification", TopicArn: "a", Message: "{}" }), /raw message delivery/],
    ["records that are no objects", message(1), /expected object/],
    ["a null record", message(null), /expected object/],
    ["a list as record", message([]), /a record can not be read/],
    ["another service's event", message(record({ eventSource: "aws:sns" })), /expected eventSource aws:s3/],
    ["version 3", message(record({ eventVersion: "3.0" })), /expected eventVersion 2\.x/],
    ["version 22", message(record({ eventVersion: "22.0" })), /expected eventVersion 2\.x/],
    ["a number as version", message(record({ eventVersion: 2.1 })), /eventVersion: expected string/],
    ["no name", message(record({ eventName: undefined })), /eventName: expected string/],
    ["a name that forges log lines", message(record({ eventName: "ObjectCreated:Put\nERROR" })), /an event name/],
    ["no s3 part", message(record({ s3: undefined })), /s3: expected object/],
    [
      "a bucket that is a path",
      message(record({ s3: { bucket: { name: "a/b" }, object: { key: "k" } } })),
      /a bucket name/,
    ],
    ["a key that is a number", message(record({}, { key: 5 })), /s3\.object\.key: expected string/],
    ["an empty key", message(record({}, { key: "" })), /s3\.object\.key/],
    ["a broken escape", message(record({}, { key: "a%zz" })), /percent-escape/],
    ["a key above 1,024 bytes", message(record({}, { key: "x".repeat(1_025) })), /1025 bytes/],
    ["a key of 60 KB", message(record({}, { key: "x".repeat(60_000) })), /s3\.object\.key/],
    [
      "a lone surrogate",
      '{"Records":[' + JSON.stringify(record({}, { key: "?" })).replace('"?"', '"\\ud800"') + "]}",
      /lone surrogate|UTF-8/,
    ],
  ])("%s", (_, body, reason) => {
    expect(parseS3Notification(body)).toEqual({ kind: "unreadable", reason: expect.stringMatching(reason) });
  });

  test("one record of more than 64 KiB, two of less together", () => {
    expect(parseS3Notification(message(padded(66_000)))).toMatchObject({
      kind: "unreadable",
      reason: expect.stringMatching(/65536 each/),
    });
    expect(parseS3Notification(message(padded(60_000), padded(60_000)))).toMatchObject({ kind: "changes" });
  });

  test.each([
    ["1 MiB and a byte", "x".repeat(1_048_577), /1048577 bytes/],
    ["1 MiB of junk", "\u0000".repeat(1_048_576), /not JSON/],
    ["1 MiB of brackets", "[".repeat(524_288) + "]".repeat(524_288), /no S3 notification/],
    ["a record as deep as 1 MiB allows", `{"Records":[${"[".repeat(500_000)}${"]".repeat(500_000)}]}`, /65536 each/],
    ["a record as deep as 64 KiB allow", `{"Records":[${"[".repeat(30_000)}${"]".repeat(30_000)}]}`, /can not be read/],
    ["1 MiB of records", `{"Records":[${"0,".repeat(524_000)}0]}`, /at most 100/],
  ])("%s, quickly and without falling over", (_, body, reason) => {
    const parsed = parseS3Notification(body);
    expect(parsed).toEqual({ kind: "unreadable", reason: expect.stringMatching(reason) });
    expect(parsed.kind === "unreadable" && parsed.reason.length).toBeLessThanOrEqual(1_000);
  });

  test("a record as its neighbour, which still counts", () => {
    const parsed = parseS3Notification(
      message(record(), { eventVersion: "2.1" }, record({ eventName: "ObjectAcl:Put" })),
    );
    expect(parsed).toMatchObject({
      kind: "changes",
      changes: [{ key: "uploads/a b.txt" }],
      ignored: ["ObjectAcl:Put"],
    });
    expect(parsed.kind === "changes" && parsed.unreadable).toHaveLength(1);
  });

  test("nothing that is inherited counts, and nothing is put on what others inherit from", () => {
    const good = JSON.stringify(record());
    for (const body of [
      `{"__proto__":{"Records":[${good}]}}`,
      `{"Records":[{"__proto__":${good}}]}`,
      `{"Records":[{"constructor":{"prototype":${good}}}]}`,
    ])
      expect(parseS3Notification(body).kind).toBe("unreadable");
    const polluting = good.replace('"s3":', '"__proto__":{"polluted":true},"s3":');
    expect(parseChanges(`{"Records":[${polluting}]}`)).toHaveLength(1);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  test("any JSON at all gets an answer", () => {
    fc.assert(
      fc.property(fc.json(), (json) => {
        expect(["changes", "test", "unreadable"]).toContain(parseS3Notification(json).kind);
        expect(["changes", "test", "unreadable"]).toContain(parseS3Notification(`{"Records":[${json}]}`).kind);
      }),
    );
  });
});

const change = (key: string, eventName: string, bucket = "b-1"): S3Change => ({
  bucket,
  key,
  eventName,
  change: "created",
});

describe("several changes of one key", () => {
  test("become the last one, at the last one's place", () => {
    const changes = [change("a", "1"), change("b", "2"), change("a", "3"), change("a", "4", "b-2")];
    expect(coalesce(changes).map(({ eventName }) => eventName)).toEqual(["2", "3", "4"]);
  });

  test("leave every key that changed, once", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom("a", "b", "__proto__", "")), (keys) => {
        const left = coalesce(keys.map((key, index) => change(key, String(index)))).map(({ key }) => key);
        expect(left.toSorted()).toEqual([...new Set(keys)].toSorted());
      }),
    );
  });
});
