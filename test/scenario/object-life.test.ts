import { expect, test } from "vitest";
import { twoSites } from "../support/two-sites.ts";

const KEY = "cool_widgets/42/widget.bin";

test("a new object is copied, read back, verified and settled in one pass", async () => {
  const world = twoSites();
  world.primaryBucket.put(KEY, "first", {
    metadata: { colour: "red" },
    tags: { team: "geo" },
    storageClass: "STANDARD_IA",
  });
  await world.settle();
  expect(world.replicaText(KEY)).toBe("first");
  expect(await world.row(KEY)).toMatchObject({
    state: "synced",
    verification_state: "succeeded",
    gen: 1,
    done_gen: 1,
    retry_count: 0,
  });
  expect(await world.row(KEY)).not.toHaveProperty("due_at");
  expect(world.replicaBucket.current(KEY)).toMatchObject({
    metadata: { colour: "red" },
    tags: { team: "geo" },
    storageClass: "STANDARD_IA",
  });
  expect(await world.state(KEY)).toMatchObject({ verification_state: "succeeded" });
});

test("an object that is overwritten in place is replaced, and the old replica version stays", async () => {
  const world = twoSites();
  world.primaryBucket.put(KEY, "first");
  await world.settle();
  world.primaryBucket.put(KEY, "second");
  await world.settle();
  expect(world.replicaText(KEY)).toBe("second");
  expect(world.replicaBucket.versions(KEY)).toHaveLength(2);
  expect(await world.row(KEY)).toMatchObject({ state: "synced", verification_state: "succeeded", gen: 2, done_gen: 2 });
});

test("a change of metadata alone reaches the replica", async () => {
  const world = twoSites();
  world.primaryBucket.put(KEY, "same", { metadata: { owner: "a" } });
  await world.settle();
  world.primaryBucket.put(KEY, "same", { metadata: { owner: "b" } });
  await world.settle();
  expect(world.replicaBucket.current(KEY)).toMatchObject({ metadata: { owner: "b" } });
});

test("a change of tags alone, which makes no new version, reaches the replica (R24)", async () => {
  const world = twoSites();
  world.primaryBucket.put(KEY, "same", { tags: { stage: "draft" } });
  await world.settle();
  world.primaryBucket.putTags(KEY, { stage: "final" });
  await world.settle();
  expect(world.replicaBucket.current(KEY)).toMatchObject({ tags: { stage: "final" } });
  world.primaryBucket.putTags(KEY, {});
  await world.settle();
  expect(world.replicaBucket.current(KEY)).toMatchObject({ tags: {} });
});

test("a deleted object is hidden behind a delete marker, its bytes stay, and its row goes", async () => {
  const world = twoSites();
  world.primaryBucket.put(KEY, "first");
  await world.settle();
  world.primaryBucket.deleteCurrent(KEY);
  await world.settle();
  expect(world.replicaText(KEY)).toBeUndefined();
  expect(world.replicaBucket.versions(KEY).map(({ kind }) => kind)).toEqual(["object", "delete_marker"]);
  expect(await world.row(KEY)).toBeUndefined();
  // The primary keeps a tombstone while a worker may live that saw the object; it is counted nowhere.
  expect(await world.state(KEY)).toMatchObject({ tombstone: true });
  await world.live(2 * 60 * 60_000);
  expect(await world.state(KEY)).toBeUndefined();
});

test("an object that is restored by removing its delete marker comes back on the replica (R3)", async () => {
  const world = twoSites();
  world.primaryBucket.put(KEY, "first");
  await world.settle();
  const marker = world.primaryBucket.deleteCurrent(KEY);
  await world.settle();
  world.primaryBucket.deleteVersion(KEY, marker.versionId);
  await world.settle();
  expect(world.replicaText(KEY)).toBe("first");
  expect(await world.row(KEY)).toMatchObject({ state: "synced", verification_state: "succeeded" });
});

test("an object that is deleted before its event is read leaves nothing behind", async () => {
  const world = twoSites();
  world.primaryBucket.put(KEY, "short-lived");
  world.primaryBucket.deleteCurrent(KEY);
  await world.settle();
  expect(world.replicaBucket.versions(KEY)).toEqual([]);
  expect(await world.row(KEY)).toBeUndefined();
});

test("an object whose checksum S3 does not store is verified against the digest that the primary computes (F16, F28)", async () => {
  const world = twoSites();
  world.primaryBucket.put(KEY, "old-style", { checksum: "none" });
  await world.settle();
  expect(world.replicaText(KEY)).toBe("old-style");
  expect(await world.state(KEY)).toMatchObject({
    verification_state: "succeeded",
    verification_checksum: expect.stringMatching(/^sha256:/) as string,
  });
  expect(await world.row(KEY)).toMatchObject({
    state: "synced",
    verification_state: "succeeded",
    verification_checksum: expect.stringMatching(/^sha256:/) as string,
  });
});

test("a replica too large to be read in the pass that copied it is verified by the verification function", async () => {
  const world = twoSites({ fusedVerificationBytesMax: 4 });
  world.primaryBucket.put(KEY, "more than four bytes");
  await world.settle();
  expect(await world.row(KEY)).toMatchObject({ state: "synced", verification_state: "succeeded" });
  expect(world.telemetry.linesOf("verified")).toHaveLength(1);
});

test("a key that no type claims is counted, not copied and not an error", async () => {
  const world = twoSites();
  world.primaryBucket.put("elsewhere/notes.txt", "mine");
  await world.settle();
  expect(world.telemetry.total("UnmatchedKey")).toBe(1);
  expect(world.replicaBucket.everyKey()).toEqual([]);
  expect(world.queues.ingest.deadLetters.size).toBe(0);
});

test("a replica that already holds the same object is adopted without copying a byte", async () => {
  const world = twoSites();
  world.replicaBucket.put(KEY, "already there");
  world.primaryBucket.put(KEY, "already there");
  await world.settle();
  expect(world.replicaBucket.versions(KEY)).toHaveLength(1);
  expect(await world.row(KEY)).toMatchObject({ state: "synced", verification_state: "succeeded" });
});

test("an object that is put again with another storage class alone is replaced", async () => {
  const world = twoSites();
  world.primaryBucket.put(KEY, "same");
  await world.settle();
  world.primaryBucket.put(KEY, "same", { storageClass: "STANDARD_IA" });
  await world.settle();
  expect(world.replicaBucket.current(KEY)).toMatchObject({ storageClass: "STANDARD_IA" });
});

test("an archived object waits with its reason, and once restored its replica can be read", async () => {
  const world = twoSites();
  world.primaryBucket.put(KEY, "cold", { storageClass: "DEEP_ARCHIVE" });
  await world.settle();
  expect(await world.row(KEY)).toMatchObject({ state: "failed", blocked_reason: "archived" });
  world.primaryBucket.restore(KEY);
  await world.live(5 * 60 * 60_000);
  expect(await world.row(KEY)).toMatchObject({ state: "synced", verification_state: "succeeded" });
  expect(world.replicaBucket.current(KEY)).toMatchObject({ storageClass: "GLACIER_IR" });
});

test("a verified object that is larger or colder than can be copied stays verified when it is hinted at again", async () => {
  const world = twoSites();
  world.primaryBucket.put(KEY, "kept");
  await world.settle();
  const head = world.secondary.primary.head.bind(world.secondary.primary);
  const archived = {
    ...world.secondary.primary,
    head: async (key: string) => {
      const seen = await head(key);
      return seen.outcome === "present" ? { ...seen, facts: { ...seen.facts, archived: true } } : seen;
    },
    tags: world.secondary.primary.tags.bind(world.secondary.primary),
  };
  const site = { ...world.secondary, primary: archived as typeof world.secondary.primary };
  const { syncBlob } = await import("../../shared/services/blob-sync/blob-sync.ts");
  const result = await syncBlob(site, { ref: world.refOf(KEY), cause: "hint", stopAt: Infinity, epoch: 0 });
  expect(result).toMatchObject({ result: "synced", how: "unchanged" });
});
