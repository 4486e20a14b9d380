import { describe, expect, test } from "vitest";
import type { StoreFailure } from "../../shared/ports/object-store.ts";
import { SMALL_PARTS } from "../support/small-parts.ts";
import { twoSites as sites, type TwoSites, type TwoSitesOptions } from "../support/two-sites.ts";
import { Worker } from "../support/workers.ts";

const KEY = "cool_widgets/42/widget.bin";
const HOUR_MS = 60 * 60 * 1_000;
/** Four parts. */
const LARGE = "a large object";
const OTHER = "another object";

const twoSites = (options: TwoSitesOptions = {}): TwoSites =>
  sites({ copyLimits: SMALL_PARTS, replicaDrift: false, ...options });

/** Numbers of the parts that were asked for, in the order in which they were. */
const watchParts = (world: TwoSites): number[] => {
  const numbers: number[] = [];
  const { replica } = world.secondary;
  const copyPart = replica.copyPart.bind(replica);
  replica.copyPart = (request) => {
    numbers.push(request.number);
    return copyPart(request);
  };
  return numbers;
};

const expectConverged = async (world: TwoSites, text: string | undefined): Promise<void> => {
  // Past a quarantine, if the row is in one.
  const isDue = async (): Promise<boolean> => (await world.row(KEY))?.due_at !== undefined;
  await world.settle();
  for (let tries = 0; tries < 3 * 60 && (await isDue()); tries += 1) await world.live(60_000);
  expect(world.replicaText(KEY)).toBe(text);
  expect(world.openUploads()).toEqual([]);
  const row = await world.row(KEY);
  if (text === undefined) expect(row).toBeUndefined();
  else {
    expect(row).toMatchObject({ state: "synced", verification_state: "succeeded" });
    expect(row).not.toHaveProperty("upload_id");
    expect(row).not.toHaveProperty("due_at");
  }
};

describe("an object that is too large for one copy", () => {
  test("is copied in parts, with everything that stands beside its bytes, read back and settled", async () => {
    const world = twoSites();
    const parts = watchParts(world);
    const source = world.primaryBucket.put(KEY, LARGE, {
      metadata: { owner: "7" },
      headers: { contentType: "text/css", cacheControl: "no-store" },
      tags: { class: "a b" },
      storageClass: "STANDARD_IA",
    });
    await world.settle();
    expect(parts).toEqual([1, 2, 3, 4]);
    expect(world.replicaBucket.current(KEY)).toMatchObject({
      etag: expect.stringMatching(/-4"$/) as string,
      metadata: { owner: "7" },
      headers: source.headers,
      tags: { class: "a b" },
      storageClass: "STANDARD_IA",
      checksum: source.checksum,
    });
    expect(await world.row(KEY)).toMatchObject({ state: "synced", verification_state: "succeeded" });
    await expectConverged(world, LARGE);
  });

  test("is verified by the verification function when it is too large to be read in the pass that copied it", async () => {
    const world = twoSites({ fusedVerificationBytesMax: 4 });
    world.primaryBucket.put(KEY, LARGE);
    await world.publish();
    const worker = new Worker(world, KEY);
    expect(await worker.finish()).toMatchObject({ result: "synced", verification: "to_verify" });
    await expectConverged(world, LARGE);
  });

  test("is verified against the primary's digest when S3 stores none of the source", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, LARGE, { checksum: "none" });
    await expectConverged(world, LARGE);
    expect((await world.row(KEY))?.verification_checksum).toMatch(/^sha256:/);
  });

  test("of one part and of the most parts there may be is copied as well", async () => {
    const world = twoSites();
    for (const text of ["12345", "x".repeat(40), "y".repeat(79)]) {
      world.primaryBucket.put(KEY, text);
      await world.settle();
      expect(world.replicaText(KEY)).toBe(text);
    }
    await expectConverged(world, "y".repeat(79));
  });

  test("is copied with fewer parts in flight while another one is", async () => {
    const world = twoSites();
    const leave = world.secondary.copies.lane.enter();
    world.primaryBucket.put(KEY, LARGE);
    await world.settle();
    expect(world.replicaText(KEY)).toBe(LARGE);
    leave?.();
    await expectConverged(world, LARGE);
  });
});

describe("a copy in parts that is not finished", () => {
  test("is gone on with by whoever claims the row next: no part that is there is copied again", async () => {
    const world = twoSites();
    const parts = watchParts(world);
    world.primaryBucket.put(KEY, LARGE);
    await world.loseMessages();
    // Of the time that a function has, half is gone with each part.
    const { replica } = world.secondary;
    const copyPart = replica.copyPart.bind(replica);
    replica.copyPart = (request) => {
      world.clock.advance(26_000);
      return copyPart(request);
    };
    expect(await new Worker(world, KEY).finish()).toEqual({ result: "left_pending" });
    expect(parts).toEqual([1, 2]);
    expect(await world.row(KEY)).toMatchObject({ state: "pending", upload_part_bytes: 4 });
    expect(await new Worker(world, KEY, "due").finish()).toEqual({ result: "left_pending" });
    expect(parts).toEqual([1, 2, 3, 4]);
    expect(await new Worker(world, KEY, "due").finish()).toMatchObject({ result: "synced", how: "copied" });
    await expectConverged(world, LARGE);
    expect(parts).toEqual([1, 2, 3, 4]);
  });

  test("is not completed by a function that may not see the end of it", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, LARGE);
    await world.loseMessages();
    const worker = await new Worker(world, KEY).until("complete_upload");
    world.clock.advance(52_000);
    expect(await worker.finish()).toEqual({ result: "left_pending" });
    await expectConverged(world, LARGE);
  });

  test("is not begun by a function that may not see the end of that", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, LARGE);
    await world.loseMessages();
    const worker = await new Worker(world, KEY).until("begin_upload");
    world.clock.advance(52_000);
    expect(await worker.finish()).toEqual({ result: "left_pending" });
    expect(world.openUploads()).toEqual([]);
    await expectConverged(world, LARGE);
  });

  test.each(["begin_upload", "copy_parts", "complete_upload"] as const)(
    "waits for its turn when the site is no secondary any more: %s",
    async (place) => {
      const world = twoSites();
      world.primaryBucket.put(KEY, LARGE);
      await world.loseMessages();
      const worker = await new Worker(world, KEY).until(place);
      const { secondary } = world;
      const standing = secondary.standing;
      Object.assign(secondary, { standing: { read: () => Promise.resolve({ role: "primary", epoch: 1 }) } });
      expect(await worker.finish()).toEqual({ result: "left_pending" });
      expect(world.replicaBucket.versions(KEY)).toEqual([]);
      Object.assign(secondary, { standing });
      await expectConverged(world, LARGE);
    },
  );

  test("R12: is gone on with by two at once, when a worker that was taken over wakes up, and is completed once", async () => {
    const world = twoSites({ syncTimeoutMs: 5_000 });
    const parts = watchParts(world);
    world.primaryBucket.put(KEY, LARGE);
    await world.loseMessages();
    const frozen = await new Worker(world, KEY).until("complete_upload");
    world.clock.advance(6_000);
    const second = await new Worker(world, KEY).until("complete_upload");
    expect(await frozen.finish()).toEqual({ result: "lost_lease" });
    expect(await second.finish()).toMatchObject({ result: "synced" });
    expect(parts).toEqual([1, 2, 3, 4]);
    expect(world.replicaBucket.versions(KEY)).toHaveLength(1);
    await expectConverged(world, LARGE);
  });

  test("finds its upload gone, looks again and adopts what somebody else made of it", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, LARGE);
    await world.loseMessages();
    for (const place of ["list_parts", "copy_parts", "complete_upload"] as const) {
      world.primaryBucket.put(KEY, `${LARGE} ${place}`);
      await world.loseMessages();
      await new Worker(world, KEY).until("copy_parts");
      world.clock.advance(10 * 60_000);
      const worker = await new Worker(world, KEY).until(place);
      const [upload] = world.openUploads();
      await world.secondary.replica.abortUpload(KEY, upload?.uploadId ?? "");
      expect(await worker.finish()).toMatchObject({ result: "synced", how: "copied" });
      expect(world.replicaText(KEY)).toBe(`${LARGE} ${place}`);
    }
    await expectConverged(world, `${LARGE} complete_upload`);
  });

  test("R26: of a source that changes is aborted, wherever it stands, and the new one is copied", async () => {
    for (const place of ["begin_upload", "record_upload", "copy_parts", "complete_upload"] as const) {
      for (const purged of [false, true]) {
        const world = twoSites();
        const old = world.primaryBucket.put(KEY, LARGE);
        await world.loseMessages();
        const worker = await new Worker(world, KEY).until(place);
        world.primaryBucket.put(KEY, OTHER);
        if (purged) world.primaryBucket.deleteVersion(KEY, old.versionId);
        expect((await worker.finish()).result).toBe("synced");
        await expectConverged(world, OTHER);
      }
    }
  });

  test("of a source that becomes smaller, or is deleted, or gets other tags while it is copied comes to what is there then", async () => {
    const changes: readonly [(world: TwoSites) => unknown, string | undefined, object][] = [
      [(world) => world.primaryBucket.put(KEY, "tiny"), "tiny", { tags: {} }],
      [(world) => world.primaryBucket.put(KEY, ""), "", { tags: {} }],
      [(world) => world.primaryBucket.putTags(KEY, { class: "new" }), LARGE, { tags: { class: "new" } }],
      [(world) => world.primaryBucket.deleteCurrent(KEY), undefined, []],
    ];
    for (const [change, text, shown] of changes) {
      const world = twoSites();
      world.primaryBucket.put(KEY, LARGE);
      await world.loseMessages();
      // Dies in the middle of the copy: its successor finds the upload that it began.
      await new Worker(world, KEY).until("complete_upload");
      expect(world.openUploads()).toHaveLength(1);
      change(world);
      await world.publish();
      world.clock.advance(10 * 60_000);
      await expectConverged(world, text);
      expect(world.replicaBucket.current(KEY) ?? []).toMatchObject(shown);
    }
  });

  test("is aborted before a replica that is equal already is settled", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, OTHER);
    await world.settle();
    world.primaryBucket.put(KEY, LARGE);
    await world.loseMessages();
    await new Worker(world, KEY).until("complete_upload");
    // The old version is back: the row names it, and nothing has to be copied.
    world.primaryBucket.deleteVersion(KEY, world.primaryBucket.current(KEY)?.versionId ?? "");
    world.clock.advance(10 * 60_000);
    world.replicaFaults.failNext("abortUpload", "unavailable");
    expect(await new Worker(world, KEY).finish()).toMatchObject({ result: "failed", kind: "unavailable" });
    expect(await world.row(KEY)).toHaveProperty("upload_id");
    await expectConverged(world, OTHER);
  });
});

describe("when S3 does not do what it is asked", () => {
  const failures: readonly StoreFailure["kind"][] = ["throttled", "forbidden", "unavailable"];
  const operations = ["beginUpload", "copyPart", "listParts", "completeUpload"] as const;

  test.each(operations.flatMap((operation) => failures.map((kind) => [operation, kind] as const)))(
    "%s fails with %s: it is tried again, and what was copied stays",
    async (operation, kind) => {
      const world = twoSites();
      world.primaryBucket.put(KEY, LARGE);
      await world.loseMessages();
      if (operation === "listParts") {
        await new Worker(world, KEY).until("copy_parts");
        world.clock.advance(10 * 60_000);
      }
      world.replicaFaults.failNext(operation, kind);
      expect(await new Worker(world, KEY).finish()).toMatchObject({ result: "failed", kind });
      expect(await world.row(KEY)).not.toHaveProperty("ownTaintUntil");
      await expectConverged(world, LARGE);
    },
  );

  test("the source is archived while its parts are copied: they are given back, and copied anew when it is restored", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, LARGE);
    await world.loseMessages();
    await new Worker(world, KEY).until("copy_parts");
    expect(world.openUploads()).toHaveLength(1);
    world.primaryBucket.archive(KEY);
    world.clock.advance(10 * 60_000);
    expect(await new Worker(world, KEY).finish()).toMatchObject({ result: "failed", kind: "archived" });
    expect(world.openUploads()).toEqual([]);
    expect(await world.row(KEY)).not.toHaveProperty("upload_id");
    world.primaryBucket.restore(KEY);
    world.clock.advance(5 * 60 * 60_000); // a person has to do something about it: until then it is tried every few hours
    await expectConverged(world, LARGE);
  });

  test("the tags of the source can not be read: nothing is begun", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, LARGE);
    await world.loseMessages();
    world.primaryFaults.failNext("tags", "forbidden");
    expect(await new Worker(world, KEY).finish()).toMatchObject({ result: "failed", kind: "forbidden" });
    expect(world.openUploads()).toEqual([]);
    await expectConverged(world, LARGE);
  });

  test("the source is gone before its tags are read: it is looked at again", async () => {
    const world = twoSites();
    const old = world.primaryBucket.put(KEY, LARGE);
    await world.loseMessages();
    const worker = await new Worker(world, KEY).until("prepare_upload");
    world.primaryBucket.put(KEY, OTHER);
    world.primaryBucket.deleteVersion(KEY, old.versionId);
    expect(await worker.finish()).toMatchObject({ result: "synced" });
    await expectConverged(world, OTHER);
  });

  test("R25: the answer to the beginning of an upload is lost: what nobody heard of is swept", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, LARGE);
    await world.loseMessages();
    world.replicaFaults.loseNextAnswer("beginUpload", "now");
    expect(await new Worker(world, KEY).finish()).toMatchObject({ result: "failed", kind: "unavailable" });
    expect(await world.row(KEY)).not.toHaveProperty("taint_until");
    await world.live(HOUR_MS / 6);
    expect(world.replicaText(KEY)).toBe(LARGE);
    expect(world.openUploads()).toHaveLength(1);
  });

  test.each(["now", "never", "later"] as const)(
    "R14: the answer to a completion that is carried out %s is lost: the row is quarantined, and one replica is made",
    async (carriedOut) => {
      const world = twoSites();
      world.primaryBucket.put(KEY, LARGE);
      await world.loseMessages();
      world.replicaFaults.loseNextAnswer("completeUpload", carriedOut);
      const result = await new Worker(world, KEY).finish();
      expect(result.result).toBe(carriedOut === "now" ? "synced" : "failed");
      expect(await world.row(KEY)).toHaveProperty("taint_until");
      world.replicaFaults.carryOutLate();
      await expectConverged(world, LARGE);
      expect(world.replicaBucket.versions(KEY)).toHaveLength(1);
    },
  );

  test("R11: a completion that lands after the object was deleted has no upload to complete any more", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, LARGE);
    await world.loseMessages();
    world.replicaFaults.loseNextAnswer("completeUpload", "later");
    await new Worker(world, KEY).finish();
    world.primaryBucket.deleteCurrent(KEY);
    await world.settle();
    world.replicaFaults.carryOutLate();
    expect(world.replicaBucket.versions(KEY)).toEqual([]);
    await expectConverged(world, undefined);
  });

  test("the parts are not the source's bytes: the upload is thrown away, and copied from its beginning", async () => {
    const world = twoSites();
    const source = world.primaryBucket.put(KEY, LARGE);
    await world.loseMessages();
    const worker = await new Worker(world, KEY).until("record_upload");
    const good = world.primaryBucket.version(KEY, source.versionId)?.body ?? new Uint8Array();
    world.primaryBucket.corrupt(KEY, source.versionId, new TextEncoder().encode("A lArge object"));
    const result = await worker.finish();
    expect(result).toMatchObject({ result: "failed", kind: "rejected" });
    expect(result).toMatchObject({ text: expect.stringContaining("BadDigest") as string });
    expect(world.openUploads()).toEqual([]);
    expect(world.replicaBucket.versions(KEY)).toEqual([]);
    world.primaryBucket.corrupt(KEY, source.versionId, good);
    await expectConverged(world, LARGE);
  });

  test("R35: somebody wrote the replica meanwhile: the same upload is completed onto what is there now", async () => {
    const world = twoSites();
    const parts = watchParts(world);
    world.primaryBucket.put(KEY, LARGE);
    await world.loseMessages();
    const worker = await new Worker(world, KEY).until("complete_upload");
    world.replicaBucket.put(KEY, "a stranger's");
    expect(await worker.finish()).toMatchObject({ result: "synced", how: "copied" });
    expect(parts).toEqual([1, 2, 3, 4]);
    await expectConverged(world, LARGE);
  });

  test("R25: an upload that can not be written down, since the row is somebody else's, is aborted at once", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, LARGE);
    await world.loseMessages();
    const slow = await new Worker(world, KEY).until("record_upload");
    world.clock.advance(10 * 60_000);
    await new Worker(world, KEY).until("copy_parts");
    expect(world.openUploads()).toHaveLength(2);
    expect(await slow.finish()).toEqual({ result: "lost_lease" });
    expect(world.openUploads()).toHaveLength(1);
    await expectConverged(world, LARGE);
  });

  test("R25: and left to the sweep of uploads when even that fails", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, LARGE);
    await world.loseMessages();
    const slow = await new Worker(world, KEY).until("record_upload");
    world.clock.advance(10 * 60_000);
    await new Worker(world, KEY).until("copy_parts");
    world.replicaFaults.failNext("abortUpload", "unavailable");
    expect(await slow.finish()).toEqual({ result: "lost_lease" });
    expect(world.openUploads()).toHaveLength(2);
  });
});
