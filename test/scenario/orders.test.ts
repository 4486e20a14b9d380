import { describe, expect, test } from "vitest";
import { PART_LIMITS } from "../../shared/geo/part-plan.ts";
import type { ReadableBucket } from "../../shared/ports/object-store.ts";
import { syncBlob } from "../../shared/services/blob-sync/blob-sync.ts";
import { type TwoSites, twoSites } from "../support/two-sites.ts";
import { Worker } from "../support/workers.ts";

const KEY = "cool_widgets/42/widget.bin";

/** Has every message that S3 has sent so far come to the secondary's queue, but not to its consumer. */
const publishedBodies = async (world: TwoSites, change: () => void): Promise<readonly string[]> => {
  change();
  const { queues } = world;
  const bodies: string[] = [];
  queues.events.live.import([]);
  await world.publish();
  for (const message of await queues.events.live.receive()) bodies.push(message.body);
  queues.events.live.import([]);
  return bodies;
};

const consume = async (world: TwoSites, bodies: readonly string[]): Promise<void> => {
  for (const body of bodies) {
    await world.queues.events.live.send([{ body }]);
    await world.settle();
  }
};

const expectSynced = async (world: TwoSites, text: string): Promise<void> => {
  expect(world.replicaText(KEY)).toBe(text);
  expect(await world.row(KEY)).toMatchObject({ state: "synced", verification_state: "succeeded" });
};

describe("events in any order (F38)", () => {
  test("R1: a delete event that comes before the create event leaves the replica as the primary is", async () => {
    const world = twoSites();
    const created = await publishedBodies(world, () => void world.primaryBucket.put(KEY, "one"));
    const deleted = await publishedBodies(world, () => void world.primaryBucket.deleteCurrent(KEY));
    await consume(world, [...deleted, ...created]);
    expect(world.replicaText(KEY)).toBeUndefined();
    expect(await world.row(KEY)).toBeUndefined();

    const createdAgain = await publishedBodies(world, () => void world.primaryBucket.put(KEY, "two"));
    await consume(world, [...deleted, ...createdAgain, ...deleted]);
    await expectSynced(world, "two");
  });

  test("R2: an older create event that comes after a newer one brings no old bytes back", async () => {
    const world = twoSites();
    const older = await publishedBodies(world, () => void world.primaryBucket.put(KEY, "old"));
    const newer = await publishedBodies(world, () => void world.primaryBucket.put(KEY, "new"));
    await consume(world, [...newer, ...older]);
    await expectSynced(world, "new");
    expect(world.replicaBucket.versions(KEY)).toHaveLength(1);
  });

  test("R7: the same event five times is one copy", async () => {
    const world = twoSites();
    const [body = ""] = await publishedBodies(world, () => void world.primaryBucket.put(KEY, "one"));
    await consume(world, [body, body, body, body, body]);
    await expectSynced(world, "one");
    expect(world.replicaBucket.versions(KEY)).toHaveLength(1);
  });

  test("R17: a key that a list names while it is copied is counted, and neither row nor replica is set back", async () => {
    const world = twoSites();
    const [listed = ""] = await publishedBodies(world, () => void world.primaryBucket.put(KEY, "old"));
    world.primaryBucket.put(KEY, "new");
    await world.loseMessages();
    const worker = await new Worker(world, KEY).until("commit_synced");
    await consume(world, [listed]);
    expect(await world.row(KEY)).toMatchObject({ gen: 2, attempt_token: expect.any(String) as string });
    await worker.finish();
    await expectSynced(world, "new");
  });

  test("R18: a key that an old listing calls gone, or there, is looked at and not believed", async () => {
    const world = twoSites();
    const called = await publishedBodies(world, () => {
      world.primaryBucket.put(KEY, "one");
      world.primaryBucket.deleteCurrent(KEY);
    });
    world.primaryBucket.put(KEY, "two");
    await consume(world, called);
    expect(called).toHaveLength(1);
    await expectSynced(world, "two");
  });

  test("R19: an object whose event S3 lost is replicated as soon as anything names its key", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "one");
    await world.loseMessages();
    expect(await world.row(KEY)).toBeUndefined();
    await new Worker(world, KEY).finish();
    await expectSynced(world, "one");
  });

  test("R22: the first hint that names a key makes its row, whatever kind of hint it is", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "one");
    await world.loseMessages();
    expect(await world.row(KEY)).toBeUndefined();
    world.primaryBucket.putTags(KEY, { stage: "final" });
    await world.settle();
    await expectSynced(world, "one");
  });
});

describe("what is not as it should be", () => {
  test("R16: a digest that the primary made of another version verifies nothing", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "one", { checksum: "none" });
    await world.settle();
    expect(await world.row(KEY)).toMatchObject({ verification_state: "succeeded" });
    // The secondary sees the new version before the primary has a digest for it.
    world.primaryBucket.put(KEY, "two", { checksum: "none" });
    await world.loseMessages();
    await new Worker(world, KEY).finish();
    await world.settle();
    expect(world.replicaText(KEY)).toBe("two");
    expect(await world.row(KEY)).toMatchObject({ state: "synced", verification_state: "disabled" });
  });

  test("R30: a clock that jumps, either way, costs a takeover at most", async () => {
    for (const jump of [-600_000, 600_000]) {
      const world = twoSites();
      world.primaryBucket.put(KEY, "one");
      const worker = await new Worker(world, KEY).until("commit_synced");
      world.clock.advance(jump);
      world.primaryBucket.put(KEY, "two");
      await world.settle();
      await worker.finish();
      world.clock.advance(600_000);
      await world.live(6 * 60 * 60_000);
      await expectSynced(world, "two");
      expect(await world.row(KEY)).not.toHaveProperty("due_at");
    }
  });

  test("R35: a replica that was written by somebody else meanwhile is looked at again, and is no failure", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "one");
    const worker = await new Worker(world, KEY).until("copy");
    world.replicaBucket.put(KEY, "foreign");
    expect(await worker.finish()).toMatchObject({ result: "synced", how: "copied" });
    await expectSynced(world, "one");
    expect(await world.row(KEY)).toMatchObject({ retry_count: 0 });
  });

  test("R37: a bucket that refuses replicas is tried ever more rarely, and the row says what S3 said", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "one");
    const waits: number[] = [];
    for (let failures = 0; failures < 9; failures += 1) {
      world.replicaFaults.failNext("copy", "rejected", "InvalidRequest: Object Lock needs a checksum");
      const result = await new Worker(world, KEY).finish();
      if (result.result === "failed") waits.push(result.retryAt - world.clock.now());
    }
    expect(await world.row(KEY)).toMatchObject({
      state: "failed",
      last_sync_failure: "S3 rejected the request: InvalidRequest: Object Lock needs a checksum",
    });
    expect(waits).toHaveLength(9);
    expect(waits.at(0)).toBeLessThanOrEqual(74_000);
    expect(waits.at(-1)).toBeGreaterThanOrEqual(3_600_000);
    expect(Math.max(...waits)).toBeLessThanOrEqual(3_674_000);
  });

  test("an object that no plan of parts fits begins no upload, and says what to do", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "one");
    await world.loseMessages();
    const { primary } = world.secondary;
    const huge = Object.assign(Object.create(primary) as ReadableBucket, {
      head: async (key: string) => {
        const seen = await primary.head(key);
        return seen.outcome === "present"
          ? { ...seen, facts: { ...seen.facts, size: PART_LIMITS.objectBytesMax + 1 } }
          : seen;
      },
    });
    const result = await syncBlob(
      { ...world.secondary, primary: huge },
      { ref: world.refOf(KEY), cause: "hint", stopAt: Infinity, epoch: 0 },
    );
    expect(result).toMatchObject({ result: "failed", kind: "too_large", blocked: true });
    expect(result).toMatchObject({ text: expect.stringContaining("store it as several objects") as string });
    expect(world.openUploads()).toEqual([]);
    expect(world.replicaBucket.versions(KEY)).toEqual([]);
  });
});
