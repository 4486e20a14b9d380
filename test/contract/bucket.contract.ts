import { createHash } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { digestOf } from "../support/digest-of.ts";
import type { ReadableBucket, ReadOutcome } from "../../shared/ports/object-store.ts";
import { type Lacks, needs } from "./capability.ts";
import type { ObjectWorld } from "./object-world.ts";

/** A bucket with what the suite needs to set the scene. */
export interface BucketUnderTest {
  readonly bucket: ReadableBucket;
  readonly world: ObjectWorld;
  /** The same kind of bucket under a name that does not exist. */
  readonly missing: ReadableBucket | undefined;
}

/** Keys that break naive encodings (R36). */
export const HOSTILE_KEYS = [
  "a b+c%20d",
  "question?versionId=x&y=z#fragment",
  "ünï/cödé/\u{1F600}",
  "trailing space ",
  "quotes'\"(paren)*!~",
  "dots/../and/./more",
  "double//slash/",
  `long/${"x".repeat(1019)}`,
];

const textOf = async (outcome: ReadOutcome): Promise<string> => {
  if (outcome.outcome !== "reading") throw new Error(`Expected a body, got ${JSON.stringify(outcome)}`);
  const chunks: Uint8Array[] = [];
  for await (const chunk of outcome.body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
};

/**
 * What every `ReadableBucket` does.
 * @param make an empty bucket with versioning on. Called once.
 */
export const bucketContract = (name: string, lacks: Lacks, make: () => Promise<BucketUnderTest>): void => {
  describe(`${name} as a bucket to read`, () => {
    let bucket: ReadableBucket;
    let world: ObjectWorld;
    let missing: ReadableBucket | undefined;
    beforeAll(async () => {
      ({ bucket, world, missing } = await make());
    });

    it("says that a key which never was is absent", async () => {
      expect(await bucket.head("never")).toEqual({ outcome: "absent" });
    });

    it("does not take a missing bucket for an absent key", async (context) => {
      if (missing === undefined) {
        context.skip("a bucket in memory exists as soon as it is named");
        return;
      }
      expect((await missing.head("never")).outcome).toBe("failed");
    });

    it("tells everything that travels with an object", async () => {
      const headers = {
        contentType: "text/plain; charset=utf-8",
        contentEncoding: "identity",
        contentDisposition: 'attachment; filename="a.txt"',
        contentLanguage: "de",
        cacheControl: "max-age=60",
      };
      const put = await world.put("facts", "content", {
        headers,
        metadata: { "Geo-Namespace": "1/7" },
        tags: { a: "1", b: "2" },
      });
      const head = await bucket.head("facts");
      expect(head).toMatchObject({
        outcome: "present",
        facts: {
          versionId: put.versionId,
          etag: put.etag,
          size: 7,
          metadata: { "geo-namespace": "1/7" },
          headers,
          storageClass: "STANDARD",
          archived: false,
          customerKey: false,
        },
      });
    });

    it("tells the checksum that stands on the object", async () => {
      await world.put("checksum", "content", { checksum: "sha256" });
      const value = createHash("sha256").update("content").digest("base64");
      expect(await bucket.head("checksum")).toMatchObject({
        facts: { checksum: { algorithm: "SHA256", type: "FULL_OBJECT", value } },
      });
    });

    it("keeps a CRC64NVME of what was uploaded without one", async () => {
      await world.put("crc", "content", { checksum: "crc64nvme" });
      const { checksum } = await digestOf("crc64nvme", streamOf("content"));
      const value = Buffer.from(checksum.replace("crc64nvme:", ""), "hex").toString("base64");
      expect(await bucket.head("crc")).toMatchObject({
        facts: { checksum: { algorithm: "CRC64NVME", type: "FULL_OBJECT", value } },
      });
    });

    it("sees the newest version, then its marker, then what was under the marker", async () => {
      const first = await world.put("life", "one");
      const second = await world.put("life", "two");
      expect(await bucket.head("life")).toMatchObject({ facts: { versionId: second.versionId } });
      const marker = await world.deleteCurrent("life");
      expect(await bucket.head("life")).toEqual({ outcome: "absent", deleteMarkerVersionId: marker.versionId });
      await world.deleteVersion("life", marker.versionId);
      expect(await bucket.head("life")).toMatchObject({ facts: { versionId: second.versionId } });
      await world.deleteVersion("life", second.versionId);
      expect(await bucket.head("life")).toMatchObject({ facts: { versionId: first.versionId } });
      await world.deleteVersion("life", first.versionId);
      expect(await bucket.head("life")).toEqual({ outcome: "absent" });
    });

    it("reads any version, also behind a marker", async () => {
      const first = await world.put("read", "0123456789");
      await world.put("read", "other");
      await world.deleteCurrent("read");
      expect(await textOf(await bucket.read("read", first.versionId))).toBe("0123456789");
    });

    it("reads a range of a version", async () => {
      const { versionId } = await world.put("range", "0123456789");
      const range = await bucket.read("range", versionId, { start: 2, endInclusive: 4 });
      expect(range).toMatchObject({ outcome: "reading", size: 3 });
      expect(await textOf(range)).toBe("234");
    });

    it("reads the rest of a version from anywhere in it, however far the range reaches", async () => {
      const { versionId } = await world.put("rest", "0123456789");
      await world.put("rest", "another version, which is longer");
      const rest = await bucket.read("rest", versionId, { start: 7, endInclusive: 99 });
      expect(rest).toMatchObject({ outcome: "reading", size: 3 });
      expect(await textOf(rest)).toBe("789");
      expect(await textOf(await bucket.read("rest", versionId, { start: 9, endInclusive: 9 }))).toBe("9");
      expect((await bucket.read("rest", versionId, { start: 10, endInclusive: 10 })).outcome).toBe("failed");
    });

    it("tells the facts of any version, also behind a marker", async () => {
      const first = await world.put("versions", "one", { checksum: "sha256", metadata: { a: "1" } });
      const second = await world.put("versions", "longer");
      const marker = await world.deleteCurrent("versions");
      const value = createHash("sha256").update("one").digest("base64");
      expect(await bucket.headVersion("versions", first.versionId)).toMatchObject({
        outcome: "present",
        facts: {
          versionId: first.versionId,
          etag: first.etag,
          size: 3,
          metadata: { a: "1" },
          checksum: { algorithm: "SHA256", type: "FULL_OBJECT", value },
        },
      });
      expect(await bucket.headVersion("versions", second.versionId)).toMatchObject({ facts: { size: 6 } });
      await world.deleteVersion("versions", marker.versionId);
      await world.deleteVersion("versions", first.versionId);
      expect(await bucket.headVersion("versions", first.versionId)).toEqual({ outcome: "gone" });
    });

    it("has no facts of a delete marker", async (context) => {
      needs(context, lacks, "read-of-delete-marker-refused");
      await world.put("facts-of-a-marker", "x");
      const marker = await world.deleteCurrent("facts-of-a-marker");
      expect(await bucket.headVersion("facts-of-a-marker", marker.versionId)).toEqual({ outcome: "gone" });
    });

    it("reads an object of several megabytes, and an empty one", async () => {
      const large = new Uint8Array(3 * 1024 * 1024 + 1).map((_zero, index) => index % 251);
      const { versionId } = await world.put("large", large);
      const outcome = await bucket.read("large", versionId);
      if (outcome.outcome !== "reading") throw new Error(outcome.outcome);
      expect(outcome.size).toBe(large.byteLength);
      const expected = `sha256:${createHash("sha256").update(large).digest("hex")}`;
      expect(await digestOf("sha256", outcome.body)).toEqual({ checksum: expected, size: large.byteLength });
      const empty = await world.put("empty", "");
      expect(await textOf(await bucket.read("empty", empty.versionId))).toBe("");
    });

    it("has nothing to read in a delete marker", async (context) => {
      needs(context, lacks, "read-of-delete-marker-refused");
      const marker = await world.deleteCurrent("marked");
      expect(await bucket.read("marked", marker.versionId)).toEqual({ outcome: "gone" });
    });

    it("says that a version is gone when it was destroyed", async () => {
      const put = await world.put("gone", "x");
      await world.deleteVersion("gone", put.versionId);
      expect(await bucket.read("gone", put.versionId)).toEqual({ outcome: "gone" });
      expect(await bucket.headVersion("gone", put.versionId)).toEqual({ outcome: "gone" });
      expect(await bucket.tags("gone", put.versionId)).toEqual({ outcome: "gone" });
    });

    it("tells the tags of a version", async () => {
      const put = await world.put("tags", "x", { tags: { project: "a b", empty: "" } });
      expect(await bucket.tags("tags", put.versionId)).toEqual({
        outcome: "read",
        tags: { project: "a b", empty: "" },
      });
    });

    it.each(HOSTILE_KEYS)("takes the key %j as it is", async (key) => {
      const put = await world.put(key, key);
      expect(await bucket.head(key)).toMatchObject({ facts: { versionId: put.versionId } });
      expect(await textOf(await bucket.read(key, put.versionId))).toBe(key);
      const { objects } = await bucket.list({ prefix: key });
      expect(objects.map((object) => object.key)).toContain(key);
    });

    describe("listed", () => {
      const KEYS = ["list/A", "list/a", "list/a b", "list/a+b", "list/é", "list/\u{FF5E}", "list/\u{1F600}"];
      beforeAll(async () => {
        for (const key of KEYS.toReversed()) await world.put(key, key);
        await world.put("list/deleted", "x");
        await world.deleteCurrent("list/deleted");
      });

      it("shows what is there now, in the order of the keys' bytes", async () => {
        const { objects, next } = await bucket.list({ prefix: "list/" });
        expect(objects.map(({ key }) => key)).toEqual(KEYS);
        expect(next).toBeUndefined();
        expect(objects[0]?.size).toBe(6);
        expect(objects[0]?.etag).toMatch(/^".+"$/);
      });

      it.each([1, 2, 7])("shows the same in pages of %d", async (limit) => {
        const seen: string[] = [];
        let page = await bucket.list({ prefix: "list/", limit });
        seen.push(...page.objects.map(({ key }) => key));
        while (page.next !== undefined) {
          page = await bucket.list({ prefix: "list/", limit, after: page.next });
          seen.push(...page.objects.map(({ key }) => key));
        }
        expect(seen).toEqual(KEYS);
      });
    });
  });
};

const streamOf = async function* (text: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(text);
};
