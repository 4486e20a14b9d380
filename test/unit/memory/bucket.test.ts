import { describe, expect, it } from "vitest";
import { attested } from "../../../shared/geo/checksum.ts";
import { digestOf } from "../../support/digest-of.ts";
import { MemoryBucket } from "../../../shared/memory/bucket.ts";
import { encodeEventKey } from "../../../shared/memory/bucket-event.ts";
import { SeededChance } from "../../../shared/memory/chance.ts";
import { ManualClock } from "../../../shared/memory/clock.ts";
import { MemoryReadableBucket } from "../../../shared/memory/readable-bucket.ts";

const makeBucket = () =>
  new MemoryBucket({ name: "primary", clock: new ManualClock(), chance: new SeededChance(1), region: "eu-west-1" });

const eventsOf = (bucket: MemoryBucket): object[] => {
  const events: object[] = [];
  bucket.onEvent((body) => void events.push(...(JSON.parse(body) as { Records: object[] }).Records));
  return events;
};

describe("a bucket in memory", () => {
  it("reports changes as S3 does, with form-encoded keys and a rising sequencer", () => {
    const bucket = makeBucket();
    const events = eventsOf(bucket);
    const put = bucket.put("a b/c+d.txt", "content");
    bucket.putTags("a b/c+d.txt", { x: "1" });
    const marker = bucket.deleteCurrent("a b/c+d.txt");
    bucket.deleteVersion("a b/c+d.txt", marker.versionId);
    const key = "a+b/c%2Bd.txt";
    const etag = put.etag.slice(1, -1);
    expect(events).toMatchObject([
      {
        eventName: "ObjectCreated:Put",
        awsRegion: "eu-west-1",
        s3: {
          bucket: { name: "primary" },
          object: { key, size: 7, eTag: etag, versionId: put.versionId, sequencer: "0000000000000001" },
        },
      },
      { eventName: "ObjectTagging:Put", s3: { object: { key, versionId: put.versionId } } },
      {
        eventName: "ObjectRemoved:DeleteMarkerCreated",
        s3: { object: { key, versionId: marker.versionId, sequencer: "0000000000000003" } },
      },
      { eventName: "ObjectRemoved:Delete", s3: { object: { key, versionId: marker.versionId } } },
    ]);
    expect(JSON.stringify(events[2])).not.toContain("size");
  });

  it("encodes every key so that a form decoder gives it back", () => {
    const key = "a b+c%20/é'(x)*!~\u{1F600}&=?#";
    expect(encodeEventKey(key)).toMatch(/^[\w.%+/-]+$/);
    expect(decodeURIComponent(encodeEventKey(key).replaceAll("+", "%20"))).toBe(key);
  });

  it("keeps one history per key: markers hide, and taking them away shows what was there", () => {
    const bucket = makeBucket();
    const put = bucket.put("k", "1");
    const marker = bucket.deleteCurrent("k");
    expect(bucket.keys()).toEqual([]);
    bucket.deleteVersion("k", marker.versionId);
    expect(bucket.current("k")).toEqual(put);
    expect(bucket.keys()).toEqual(["k"]);
  });

  it("goes back to a snapshot", () => {
    const bucket = makeBucket();
    bucket.put("k", "1");
    const state = bucket.export();
    bucket.put("k", "2");
    bucket.put("l", "3");
    bucket.import(state);
    expect(bucket.export()).toEqual(state);
    expect(bucket.keys()).toEqual(["k"]);
  });

  it("keeps the CRC64NVME that verification computes", async () => {
    for (const text of ["", "123456789", "é".repeat(70_000)]) {
      const stored = makeBucket().put("k", text).checksum?.value ?? "";
      const bytes = async function* () {
        yield new TextEncoder().encode(text);
      };
      const { checksum } = await digestOf("crc64nvme", bytes());
      expect(`crc64nvme:${Buffer.from(stored, "base64").toString("hex")}`).toBe(checksum);
    }
  });

  it("rots without a word: only reading the bytes shows it", async () => {
    const bucket = makeBucket();
    const { versionId } = bucket.put("k", "content");
    const reader = new MemoryReadableBucket(bucket);
    const before = await reader.head("k");
    bucket.corrupt("k", versionId, new TextEncoder().encode("c0ntent"));
    expect(await reader.head("k")).toEqual(before);
    const read = await reader.read("k", versionId);
    if (read.outcome !== "reading") throw new Error(read.outcome);
    const told = before.outcome === "present" ? attested(before.facts) : undefined;
    expect(told).toMatch(/^crc64nvme:/);
    expect((await digestOf("crc64nvme", read.body)).checksum).not.toBe(told);
  });

  it.each(["", "x".repeat(1025), "\uD800"])("takes no key that S3 would not take", (key) => {
    expect(() => makeBucket().put(key, "x")).toThrow(/object key/);
  });
});
