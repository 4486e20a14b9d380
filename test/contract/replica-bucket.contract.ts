import { beforeAll, describe, expect, it } from "vitest";
import type { ObjectFacts } from "../../shared/geo/object-facts.ts";
import type {
  CopyRequest,
  ReadableBucket,
  ReplicaBucket,
  ReplicaExpectation,
} from "../../shared/ports/object-store.ts";
import { HOSTILE_KEYS } from "./bucket.contract.ts";
import { needs, type Lacks } from "./capability.ts";
import type { ObjectWorld } from "./object-world.ts";

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
