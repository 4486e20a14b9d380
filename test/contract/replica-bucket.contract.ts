import { beforeAll, describe, expect, it } from "vitest";
import type { ObjectFacts } from "../../shared/geo/object-facts.ts";
import { planWith, rangeOf } from "../../shared/geo/part-plan.ts";
import type {
  CompleteRequest,
  CopiedPart,
  CopyRequest,
  PartRequest,
  ReadableBucket,
  ReplicaBucket,
  ReplicaExpectation,
} from "../../shared/ports/object-store.ts";
import { HOSTILE_KEYS } from "./bucket.contract.ts";
import { needs, type Lacks } from "./capability.ts";
import type { ObjectWorld, Upload } from "./object-world.ts";

/** Two sites' buckets with what the suite needs to set the scene. */
export interface ReplicaUnderTest {
  readonly primary: ReadableBucket;
  readonly replica: ReplicaBucket;
  readonly primaryWorld: ObjectWorld;
  readonly replicaWorld: ObjectWorld;
}

const present = async (bucket: ReadableBucket, key: string): Promise<ObjectFacts> => {
  const head = await bucket.head(key);
  if (head.outcome !== "present") throw new Error(`Expected ${bucket.bucket}/${key}, got ${JSON.stringify(head)}`);
  return head.facts;
};

/** A copy of what `facts` describe. */
const copyOf = (key: string, facts: ObjectFacts, replica: ReplicaExpectation): CopyRequest => ({
  key,
  sourceVersionId: facts.versionId,
  sourceEtag: facts.etag,
  size: facts.size,
  storageClass: facts.storageClass,
  headers: facts.headers,
  metadata: facts.metadata,
  replica,
});

/**
 * What every `ReplicaBucket` does.
 * @param make two empty buckets with versioning on. Called once.
 */
export const replicaBucketContract = (name: string, lacks: Lacks, make: () => Promise<ReplicaUnderTest>): void => {
  describe(`${name} as a replica's bucket`, () => {
    let site: ReplicaUnderTest;
    let count = 0;
    beforeAll(async () => {
      site = await make();
    });
    const fresh = (): string => `key-${(count += 1)}`;
    const NOTHING: ReplicaExpectation = { expect: "nothing" };

    it("copies a version with its headers, metadata, tags and checksum", async () => {
      const key = fresh();
      await site.primaryWorld.put(key, "content", {
        headers: { contentType: "text/css", cacheControl: "no-store" },
        metadata: { owner: "7" },
        tags: { a: "b c" },
        checksum: "sha256",
      });
      const source = await present(site.primary, key);
      const outcome = await site.replica.copyFromPrimary(copyOf(key, source, NOTHING));
      const copy = await present(site.replica, key);
      expect(outcome).toEqual({ outcome: "copied", versionId: copy.versionId, etag: copy.etag });
      expect(copy).toMatchObject({
        size: 7,
        headers: source.headers,
        metadata: source.metadata,
        checksum: source.checksum,
        storageClass: "STANDARD",
      });
      expect(await site.replica.tags(key, copy.versionId)).toEqual({ outcome: "read", tags: { a: "b c" } });
    });

    it("gives the copy the storage class that was asked for", async () => {
      const key = fresh();
      await site.primaryWorld.put(key, "content", { storageClass: "STANDARD_IA" });
      const source = await present(site.primary, key);
      await site.replica.copyFromPrimary(copyOf(key, source, NOTHING));
      expect((await present(site.replica, key)).storageClass).toBe("STANDARD_IA");
    });

    it("copies the version that was pinned, although a newer one is current", async () => {
      const key = fresh();
      await site.primaryWorld.put(key, "old");
      const source = await present(site.primary, key);
      await site.primaryWorld.put(key, "newer");
      expect((await site.replica.copyFromPrimary(copyOf(key, source, NOTHING))).outcome).toBe("copied");
      expect((await present(site.replica, key)).etag).toBe(source.etag);
    });

    it.each(HOSTILE_KEYS)("copies the key %j and no other", async (key) => {
      await site.primaryWorld.put(key, key);
      const source = await present(site.primary, key);
      expect((await site.replica.copyFromPrimary(copyOf(key, source, NOTHING))).outcome).toBe("copied");
      expect((await present(site.replica, key)).etag).toBe(source.etag);
    });

    it("says that the source is gone when its version was destroyed", async () => {
      const key = fresh();
      const put = await site.primaryWorld.put(key, "content");
      const source = await present(site.primary, key);
      await site.primaryWorld.put(key, "newer");
      await site.primaryWorld.deleteVersion(key, put.versionId);
      expect(await site.replica.copyFromPrimary(copyOf(key, source, NOTHING))).toEqual({ outcome: "gone" });
      expect(await site.replica.head(key)).toEqual({ outcome: "absent" });
    });

    it("does not copy a version that is not what was pinned", async () => {
      const key = fresh();
      await site.primaryWorld.put(key, "content");
      const source = { ...(await present(site.primary, key)), etag: '"00000000000000000000000000000000"' };
      const outcome = await site.replica.copyFromPrimary(copyOf(key, source, NOTHING));
      expect(["gone", "lost"]).toContain(outcome.outcome);
      expect(await site.replica.head(key)).toEqual({ outcome: "absent" });
    });

    it("overwrites what it expects to overwrite", async () => {
      const key = fresh();
      await site.primaryWorld.put(key, "new");
      const source = await present(site.primary, key);
      const old = await site.replicaWorld.put(key, "old");
      const expected: ReplicaExpectation = { expect: "version_with_etag", etag: old.etag };
      expect((await site.replica.copyFromPrimary(copyOf(key, source, expected))).outcome).toBe("copied");
      expect((await present(site.replica, key)).etag).toBe(source.etag);
    });

    it("copies onto a delete marker when it expects nothing", async () => {
      const key = fresh();
      await site.primaryWorld.put(key, "content");
      await site.replicaWorld.deleteCurrent(key);
      const source = await present(site.primary, key);
      expect((await site.replica.copyFromPrimary(copyOf(key, source, NOTHING))).outcome).toBe("copied");
    });

    it("does not overwrite what it did not expect", async (context) => {
      needs(context, lacks, "copy-destination-conditions");
      const key = fresh();
      await site.primaryWorld.put(key, "new");
      const source = await present(site.primary, key);
      const other = await site.replicaWorld.put(key, "somebody else's");
      const stale: ReplicaExpectation = { expect: "version_with_etag", etag: '"00000000000000000000000000000000"' };
      expect(await site.replica.copyFromPrimary(copyOf(key, source, NOTHING))).toEqual({ outcome: "lost" });
      expect(await site.replica.copyFromPrimary(copyOf(key, source, stale))).toEqual({ outcome: "lost" });
      expect((await present(site.replica, key)).versionId).toBe(other.versionId);
    });

    it("does not put back what has been removed meanwhile", async (context) => {
      needs(context, lacks, "copy-destination-conditions");
      const key = fresh();
      await site.primaryWorld.put(key, "new");
      const source = await present(site.primary, key);
      const expected: ReplicaExpectation = { expect: "version_with_etag", etag: source.etag };
      const outcome = await site.replica.copyFromPrimary(copyOf(key, source, expected));
      expect(["gone", "lost"]).toContain(outcome.outcome);
      expect(await site.replica.head(key)).toEqual({ outcome: "absent" });
    });

    const MIB = 1024 * 1024;
    /** Two parts, of the least that S3 takes and a little more. */
    const LARGE = new Uint8Array(5 * MIB + 7).map((_, index) => (index * 31 + (index >> 8)) & 0xff);
    const PLAN = planWith(LARGE.byteLength, 5 * MIB);

    const begin = async (
      key: string,
      source: ObjectFacts,
      tags: Readonly<Record<string, string>> = {},
    ): Promise<string> => {
      const { storageClass, headers, metadata } = source;
      const begun = await site.replica.beginUpload({ key, storageClass, headers, metadata, tags });
      if (begun.outcome !== "begun") throw new Error(`Expected an upload, got ${JSON.stringify(begun)}`);
      return begun.uploadId;
    };
    const partOf = (key: string, uploadId: string, source: ObjectFacts, number: number): PartRequest => ({
      key,
      uploadId,
      sourceVersionId: source.versionId,
      sourceEtag: source.etag,
      number,
      range: rangeOf(PLAN, number),
    });
    const copyParts = async (key: string, uploadId: string, source: ObjectFacts): Promise<readonly CopiedPart[]> => {
      const parts: CopiedPart[] = [];
      for (const number of [1, 2]) {
        const copied = await site.replica.copyPart(partOf(key, uploadId, source, number));
        if (copied.outcome !== "copied") throw new Error(`Expected a part, got ${JSON.stringify(copied)}`);
        parts.push(copied.part);
      }
      return parts;
    };
    const completion = (
      key: string,
      uploadId: string,
      source: ObjectFacts,
      parts: readonly CopiedPart[],
    ): CompleteRequest => ({
      key,
      uploadId,
      parts,
      size: source.size,
      crc64nvme: source.checksum?.algorithm === "CRC64NVME" ? source.checksum.value : undefined,
      replica: NOTHING,
    });
    const large = async (key: string, upload: Upload = {}): Promise<ObjectFacts> => {
      await site.primaryWorld.put(key, LARGE, upload);
      return present(site.primary, key);
    };
    const keysOfUploads = async (): Promise<readonly string[]> =>
      (await site.replica.listUploads()).uploads.map((upload) => upload.key);

    it("makes a version of parts, with what it was begun with, and shows nothing before", async () => {
      const key = fresh();
      const source = await large(key, {
        headers: { contentType: "text/css", cacheControl: "no-store", expires: "Wed, 21 Oct 2026 07:28:00 GMT" },
        metadata: { owner: "7" },
        storageClass: "STANDARD_IA",
      });
      const uploadId = await begin(key, source);
      const parts = await copyParts(key, uploadId, source);
      expect(await site.replica.listParts(key, uploadId)).toEqual({ outcome: "listed", parts });
      expect(await site.replica.head(key)).toEqual({ outcome: "absent" });
      const { crc64nvme: _, ...unattested } = completion(key, uploadId, source, parts);
      const completed = await site.replica.completeUpload({ ...unattested, crc64nvme: undefined });
      const copy = await present(site.replica, key);
      expect(completed).toEqual({ outcome: "completed", versionId: copy.versionId, etag: copy.etag });
      const { size, headers, metadata, storageClass } = source;
      expect(copy).toMatchObject({ size, headers, metadata, storageClass });
    });

    it("stores a checksum of the whole object with what was made of parts", async (context) => {
      needs(context, lacks, "multipart-full-object-checksum");
      const key = fresh();
      const source = await large(key);
      const uploadId = await begin(key, source);
      const parts = await copyParts(key, uploadId, source);
      expect((await site.replica.completeUpload(completion(key, uploadId, source, parts))).outcome).toBe("completed");
      expect((await present(site.replica, key)).checksum).toEqual(source.checksum);
    });

    it("makes nothing of parts whose bytes are not those that were announced", async (context) => {
      needs(context, lacks, "multipart-full-object-checksum");
      const key = fresh();
      const source = await large(key);
      const uploadId = await begin(key, source);
      const parts = await copyParts(key, uploadId, source);
      const wrong = { ...completion(key, uploadId, source, parts), crc64nvme: "AAAAAAAAAAA=" };
      expect((await site.replica.completeUpload(wrong)).outcome).toBe("unusable");
      expect(await site.replica.head(key)).toEqual({ outcome: "absent" });
    });

    it("keeps the tags that an upload was begun with", async (context) => {
      needs(context, lacks, "upload-tags");
      const key = fresh();
      const source = await large(key);
      const uploadId = await begin(key, source, { a: "b c", "d+": "e=f" });
      const parts = await copyParts(key, uploadId, source);
      await site.replica.completeUpload(completion(key, uploadId, source, parts));
      const { versionId } = await present(site.replica, key);
      expect(await site.replica.tags(key, versionId)).toEqual({ outcome: "read", tags: { a: "b c", "d+": "e=f" } });
    });

    it("copies parts of the version that was pinned, although a newer one is current", async () => {
      const key = fresh();
      const source = await large(key);
      await site.primaryWorld.put(key, "newer");
      const uploadId = await begin(key, source);
      expect(await copyParts(key, uploadId, source)).toHaveLength(2);
      await site.replica.abortUpload(key, uploadId);
    });

    it("says that the source of a part is gone when its version was destroyed", async () => {
      const key = fresh();
      const source = await large(key);
      await site.primaryWorld.deleteVersion(key, source.versionId);
      const uploadId = await begin(key, source);
      expect(await site.replica.copyPart(partOf(key, uploadId, source, 1))).toEqual({ outcome: "gone" });
      await site.replica.abortUpload(key, uploadId);
    });

    it("does not copy a part of a version that is not what was pinned", async (context) => {
      needs(context, lacks, "upload-part-copy-source-conditions");
      const key = fresh();
      const source = { ...(await large(key)), etag: '"00000000000000000000000000000000"' };
      const uploadId = await begin(key, source);
      expect(await site.replica.copyPart(partOf(key, uploadId, source, 1))).toEqual({ outcome: "gone" });
      expect(await site.replica.listParts(key, uploadId)).toEqual({ outcome: "listed", parts: [] });
      await site.replica.abortUpload(key, uploadId);
    });

    it("completes an upload only where the replica is as expected, and keeps it otherwise", async () => {
      const key = fresh();
      const source = await large(key);
      const uploadId = await begin(key, source);
      const parts = await copyParts(key, uploadId, source);
      const other = await site.replicaWorld.put(key, "somebody else's");
      const request = completion(key, uploadId, source, parts);
      expect(await site.replica.completeUpload(request)).toEqual({ outcome: "lost" });
      const stale: ReplicaExpectation = { expect: "version_with_etag", etag: '"00000000000000000000000000000000"' };
      expect(await site.replica.completeUpload({ ...request, replica: stale })).toEqual({ outcome: "lost" });
      expect((await present(site.replica, key)).versionId).toBe(other.versionId);
      const expected: ReplicaExpectation = { expect: "version_with_etag", etag: other.etag };
      const completed = await site.replica.completeUpload({ ...request, crc64nvme: undefined, replica: expected });
      expect(completed.outcome).toBe("completed");
    });

    it("makes nothing of parts that it does not hold, that are too small, or of another size than announced", async (context) => {
      const key = fresh();
      const source = await large(key);
      const uploadId = await begin(key, source);
      const parts = await copyParts(key, uploadId, source);
      const request = completion(key, uploadId, source, parts);
      const strange = { number: 3, etag: '"00000000000000000000000000000000"', size: 1 };
      expect((await site.replica.completeUpload({ ...request, parts: [...parts, strange] })).outcome).toBe("unusable");
      needs(context, lacks, "upload-size-limits");
      expect((await site.replica.completeUpload({ ...request, size: 7 })).outcome).toBe("unusable");
      const [first, second] = parts;
      const small = { ...partOf(key, uploadId, source, 1), range: { start: 0, endInclusive: 6 } };
      const again = await site.replica.copyPart(small);
      if (again.outcome !== "copied" || first === undefined || second === undefined) throw new Error("no part");
      const tooSmall = { ...request, parts: [again.part, second], size: 14, crc64nvme: undefined };
      expect((await site.replica.completeUpload(tooSmall)).outcome).toBe("unusable");
      await site.replica.abortUpload(key, uploadId);
    });

    it("knows nothing of an upload that was completed or aborted", async () => {
      const key = fresh();
      const source = await large(key);
      const uploadId = await begin(key, source);
      expect(await keysOfUploads()).toContain(key);
      expect(await site.replica.abortUpload(key, uploadId)).toEqual({ outcome: "over" });
      expect(await keysOfUploads()).not.toContain(key);
      expect(await site.replica.abortUpload(key, uploadId)).toEqual({ outcome: "over" });
      expect(await site.replica.listParts(key, uploadId)).toEqual({ outcome: "upload_gone" });
      expect(await site.replica.copyPart(partOf(key, uploadId, source, 1))).toEqual({ outcome: "upload_gone" });
      const part = { number: 1, etag: '"00000000000000000000000000000000"', size: 1 };
      expect(await site.replica.completeUpload(completion(key, uploadId, source, [part]))).toEqual({
        outcome: "upload_gone",
      });
    });

    it.each(HOSTILE_KEYS)("begins, lists and aborts an upload of the key %j", async (key) => {
      await site.primaryWorld.put(key, key);
      const source = await present(site.primary, key);
      const uploadId = await begin(key, source);
      const listed = (await site.replica.listUploads()).uploads.find((upload) => upload.uploadId === uploadId);
      expect(listed).toMatchObject({ key, uploadId, begunAt: expect.any(Number) as number });
      expect(await site.replica.abortUpload(key, uploadId)).toEqual({ outcome: "over" });
    });

    it("removes by adding a marker, and the version stays", async () => {
      const key = fresh();
      const put = await site.replicaWorld.put(key, "content");
      const outcome = await site.replica.remove(key, put.etag);
      const head = await site.replica.head(key);
      if (outcome.outcome !== "removed") throw new Error(`Expected a removal, got ${JSON.stringify(outcome)}`);
      expect(head).toEqual({ outcome: "absent", deleteMarkerVersionId: outcome.deleteMarkerVersionId });
      expect((await site.replica.read(key, put.versionId)).outcome).toBe("reading");
    });

    it("does not remove what changed meanwhile", async () => {
      const key = fresh();
      const old = await site.replicaWorld.put(key, "old");
      const current = await site.replicaWorld.put(key, "new");
      expect(await site.replica.remove(key, old.etag)).toEqual({ outcome: "lost" });
      expect((await present(site.replica, key)).versionId).toBe(current.versionId);
    });

    it("does not remove what is not there", async (context) => {
      needs(context, lacks, "conditional-delete-of-absent-key");
      const key = fresh();
      const { etag } = await site.replicaWorld.put(key, "content");
      await site.replicaWorld.deleteCurrent(key);
      expect(await site.replica.remove("never", etag)).toEqual({ outcome: "lost" });
      expect(await site.replica.remove(key, etag)).toEqual({ outcome: "lost" });
    });
  });
};
