import { describe, expect, test } from "vitest";
import { TableUnavailableError } from "../../shared/geo/errors.ts";
import { GUARDED_RETRY_MIN_MS, GUARDED_RETRY_SPREAD_MS, STANDING_KEPT_MS } from "../../shared/geo/limits.ts";
import { rowKey } from "../../shared/geo/registry-row.ts";
import type { RemovalGuardPolicy } from "../../shared/geo/removal-guard.ts";
import { MemoryBucket } from "../../shared/memory/bucket.ts";
import { MemoryReadableBucket } from "../../shared/memory/readable-bucket.ts";
import { syncBlob } from "../../shared/services/blob-sync/blob-sync.ts";
import { releaseRemovals } from "../../shared/services/release-removals.ts";
import { setFlag } from "../../shared/tables/site/flags-item.ts";
import {
  countingRows,
  deleteOnPrimary,
  guardOf,
  hiddenOf,
  keysOf,
  purgeOnPrimary,
  replicate,
  tellTheSecondaryOnly,
} from "../support/removals.ts";
import { type TwoSites, twoSites } from "../support/two-sites.ts";
import { Worker } from "../support/workers.ts";

const KEY = "cool_widgets/42/widget.bin";
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const MISSING = "The file is missing on the Geo primary site";

/** A guard that lets exactly so many removals of a type through within an hour. */
const upTo = (removals: number): RemovalGuardPolicy => ({ floor: removals, percent: 0, most: removals });

/** A world in which an object is replicated and then vanished from the primary without a marker and without a record of it. */
const withMissingObject = async (): Promise<TwoSites> => {
  const world = twoSites();
  await replicate(world, [KEY]);
  purgeOnPrimary(world, KEY);
  await tellTheSecondaryOnly(world);
  return world;
};

describe("a key under which the primary shows neither an object nor a marker", () => {
  test("R29: a bare 404 while the primary's record names the object removes nothing and says so (F14)", async () => {
    const world = await withMissingObject();
    expect(await world.row(KEY)).toMatchObject({
      state: "failed",
      last_sync_failure: MISSING,
      missing_on_primary: true,
      retry_count: 1,
    });
    expect(await world.row(KEY)).not.toHaveProperty("blocked_reason");
    expect(world.replicaText(KEY)).toBe(`body of ${KEY}`);
    expect(world.replicaBucket.versions(KEY)).toHaveLength(1);
    expect(world.telemetry.total("MissingOnPrimary")).toBe(1);
  });

  test("is asked about again after Geo's waits, which end at four hours and not at one", async () => {
    // Geo's bands for its cap of four hours, seconds, by the number of the failure.
    const bands = [
      [16, 74],
      [31, 118],
      [96, 212],
      [271, 416],
      [640, 814],
      [1_311, 1_514],
      [2_416, 2_648],
      [4_111, 4_372],
      [6_576, 6_866],
      [10_015, 10_334],
      [14_416, 14_474],
      [14_416, 14_474],
    ] as const;
    const world = await withMissingObject();
    for (const [index, [least, most]] of bands.entries()) {
      const row = await world.row(KEY);
      const waits = ((row?.retry_at ?? 0) - world.clock.now()) / 1_000;
      expect(row).toMatchObject({ retry_count: index + 1, last_sync_failure: MISSING, missing_on_primary: true });
      expect(waits, `after failure ${index + 1}`).toBeGreaterThanOrEqual(least);
      expect(waits, `after failure ${index + 1}`).toBeLessThanOrEqual(most);
      world.clock.set(row?.retry_at ?? 0);
      await world.sweep();
      await world.settle();
    }
    expect(world.replicaText(KEY)).toBe(`body of ${KEY}`);
  });

  test("heals when the object comes back, and nothing is left of its having been missing", async () => {
    const world = await withMissingObject();
    world.primaryBucket.put(KEY, "again");
    await world.settle();
    expect(world.replicaText(KEY)).toBe("again");
    const row = await world.row(KEY);
    expect(row).toMatchObject({ state: "synced", verification_state: "succeeded", retry_count: 0 });
    expect(row).not.toHaveProperty("missing_on_primary");
    expect(row).not.toHaveProperty("last_sync_failure");
  });

  test("is removed at its next try once the primary's record agrees, without any event", async () => {
    const world = twoSites();
    await replicate(world, [KEY]);
    purgeOnPrimary(world, KEY);
    await world.publish();
    // The secondary is faster than the primary's own function.
    await new Worker(world, KEY).finish();
    expect(await world.row(KEY)).toMatchObject({ state: "failed", missing_on_primary: true });
    world.queues.events.live.import([]);
    await world.settle();
    expect(await world.state(KEY)).toMatchObject({ tombstone: true });
    expect(world.replicaText(KEY)).toBe(`body of ${KEY}`);
    await world.live(3 * MINUTE_MS);
    expect(world.replicaText(KEY)).toBeUndefined();
    expect(world.replicaBucket.versions(KEY).map(({ kind }) => kind)).toEqual(["object", "delete_marker"]);
    expect(await world.row(KEY)).toBeUndefined();
  });

  test("keeps its replica while the primary keeps no records of its type: that there is none says nothing (F87)", async () => {
    const world = twoSites();
    await replicate(world, [KEY]);
    await world.primarySiteTable.update(setFlag("geo_object_storage_verification", false, world.clock.now()));
    world.clock.advance(STANDING_KEPT_MS);
    await world.verificationState.delete({ key: rowKey(world.refOf(KEY)) });
    purgeOnPrimary(world, KEY);
    await tellTheSecondaryOnly(world);
    expect(await world.row(KEY)).toMatchObject({ state: "failed", missing_on_primary: true });
    expect(world.replicaText(KEY)).toBe(`body of ${KEY}`);
  });

  test("hides no replica when the primary's bucket is a wrong one, in which nothing is", async () => {
    const world = twoSites({ removalGuard: upTo(1_000) });
    const keys = keysOf(10);
    await replicate(world, keys);
    const wrong = new MemoryBucket({ name: "wrong-bucket", clock: world.clock, chance: world.chance });
    const site = { ...world.secondary, primary: new MemoryReadableBucket(wrong) };
    for (const key of keys) {
      const result = await syncBlob(site, { ref: world.refOf(key), cause: "hint", stopAt: Infinity, epoch: 0 });
      expect(result).toMatchObject({ result: "failed", kind: "missing_on_primary", text: MISSING });
    }
    expect(hiddenOf(world, keys)).toBe(0);
  });
});

test("a delete marker needs no second witness", async () => {
  const world = twoSites();
  await replicate(world, [KEY]);
  world.primaryBucket.deleteCurrent(KEY);
  await tellTheSecondaryOnly(world);
  expect(await world.state(KEY)).toMatchObject({ tombstone: false, src_version_id: expect.any(String) as string });
  expect(world.replicaText(KEY)).toBeUndefined();
  expect(await world.row(KEY)).toBeUndefined();
});

describe("more removals of one type within an hour than usual", () => {
  test("the guard lets its limit through and holds the rest back, with the reason in the row", async () => {
    const world = twoSites({ removalGuard: upTo(3) });
    const keys = keysOf(5);
    await replicate(world, keys);
    await deleteOnPrimary(world, keys);
    expect(hiddenOf(world, keys)).toBe(3);
    const kept = keys.filter((key) => world.replicaText(key) !== undefined);
    for (const key of kept) {
      expect(world.replicaText(key)).toBe(`body of ${key}`);
      const row = await world.row(key);
      expect(row).toMatchObject({
        state: "failed",
        blocked_reason: "removal_guard",
        last_sync_failure:
          "Removal held back by the guard: more than 3 objects of cool_widget would be removed within an hour; release the guard if that is wanted",
      });
      const waits = (row?.retry_at ?? 0) - world.clock.now();
      expect(waits).toBeGreaterThanOrEqual(GUARDED_RETRY_MIN_MS);
      expect(waits).toBeLessThanOrEqual(GUARDED_RETRY_MIN_MS + GUARDED_RETRY_SPREAD_MS);
    }
    expect(world.telemetry.total("RemovalHeldBack")).toBe(2);
    expect(world.telemetry.linesOf("removals are held back until an operator releases them")).toHaveLength(1);
    const now = new Date(world.clock.now()).toISOString();
    expect(await guardOf(world)).toEqual({
      replicable_name: "cool_widget",
      removals: 3,
      limit: 3,
      window_started_at: now,
      paused_at: now,
      release: null,
    });
  });

  test("the next hour does not release what is held back; an operator does, for so many and no more", async () => {
    const world = twoSites({ removalGuard: upTo(3) });
    const keys = keysOf(10);
    await replicate(world, keys);
    await deleteOnPrimary(world, keys);
    await world.live(5 * HOUR_MS);
    expect(hiddenOf(world, keys)).toBe(3);
    await releaseRemovals(world.secondary, "cool_widget", { removals: 2, minutes: 60 }, "alice");
    await world.live(35 * MINUTE_MS);
    expect(hiddenOf(world, keys)).toBe(3 + 2);
    await world.live(5 * HOUR_MS);
    expect(hiddenOf(world, keys)).toBe(3 + 2);
    expect(await guardOf(world)).toMatchObject({ paused_at: expect.any(String) as string, release: null });
    for (const key of keys.filter((one) => world.replicaText(one) !== undefined)) {
      expect(await world.row(key)).toMatchObject({ state: "failed", blocked_reason: "removal_guard" });
    }
  });

  test("are no concern of another type, nor of objects that are put", async () => {
    const world = twoSites({ removalGuard: upTo(1) });
    const other = "packages_package_files/7/42/widget-1.0.tgz";
    await replicate(world, [...keysOf(3), other]);
    expect(world.replicaText(other)).toBe(`body of ${other}`);
    await deleteOnPrimary(world, keysOf(3));
    expect(hiddenOf(world, keysOf(3))).toBe(1);
    await deleteOnPrimary(world, [other]);
    expect(world.replicaText(other)).toBeUndefined();
    await replicate(world, [KEY]);
    expect(world.replicaText(KEY)).toBe(`body of ${KEY}`);
  });

  test("the limit counts anew each hour for as long as it was not reached", async () => {
    const world = twoSites({ removalGuard: upTo(3) });
    const keys = keysOf(8);
    await replicate(world, keys);
    await deleteOnPrimary(world, keys.slice(0, 3));
    world.clock.advance(HOUR_MS);
    await deleteOnPrimary(world, keys.slice(3, 6));
    expect(hiddenOf(world, keys)).toBe(6);
    expect(await guardOf(world)).toMatchObject({ removals: 3, paused_at: null });
  });

  test.each([
    { rows: 10, limit: 2, because: "the floor" },
    { rows: 30, limit: 3, because: "the share of its rows" },
    { rows: 100, limit: 5, because: "the most" },
  ])("of $rows rows, $limit are let through: $because", async ({ rows, limit }) => {
    const world = twoSites({ removalGuard: { floor: 2, percent: 10, most: 5 } });
    const count = countingRows(world);
    const keys = keysOf(rows);
    await replicate(world, keys);
    await count();
    await deleteOnPrimary(world, keys);
    expect(hiddenOf(world, keys)).toBe(limit);
    expect(await guardOf(world)).toMatchObject({ limit });
  });

  test("an emptied bucket of the primary costs no more replicas than the limit, however long nobody looks", async () => {
    const world = twoSites();
    const count = countingRows(world);
    const keys = keysOf(300);
    await replicate(world, keys);
    await count();
    await deleteOnPrimary(world, keys);
    await world.live(2 * HOUR_MS);
    expect(hiddenOf(world, keys)).toBe(100);
    // It was a mistake: the markers are taken away again, and everything is there.
    for (const key of keys) {
      world.primaryBucket.deleteVersion(key, world.primaryBucket.current(key)?.versionId ?? "");
    }
    await world.live(5 * MINUTE_MS);
    expect(hiddenOf(world, keys)).toBe(0);
    for (const key of keys) expect(await world.row(key)).toMatchObject({ state: "synced" });
  });

  test("are let through as often as the limit says and not once more, however many workers ask at the same time", async () => {
    const world = twoSites({ removalGuard: upTo(3) });
    const keys = keysOf(12);
    await replicate(world, keys);
    for (const key of keys) world.primaryBucket.deleteCurrent(key);
    await world.loseMessages();
    const workers = await Promise.all(keys.map((key) => new Worker(world, key).until("ask_removal_guard")));
    await Promise.all(workers.map((worker) => worker.finish()));
    expect(hiddenOf(world, keys)).toBe(3);
  });

  test("are counted before they are made: a worker that dies in between has counted one too many", async () => {
    const world = twoSites({ removalGuard: upTo(3) });
    const keys = keysOf(6);
    await replicate(world, keys);
    const [first = ""] = keys;
    world.primaryBucket.deleteCurrent(first);
    await world.loseMessages();
    await new Worker(world, first).until("remove");
    expect(await guardOf(world)).toMatchObject({ removals: 1 });
    await deleteOnPrimary(world, keys.slice(1));
    expect(hiddenOf(world, keys)).toBe(2);
    await world.live(4 * HOUR_MS);
    expect(hiddenOf(world, keys)).toBe(2);
  });

  test("are not made while the guard can not be asked", async () => {
    const world = twoSites();
    await replicate(world, [KEY]);
    world.siteTable.interference = {
      before: ({ kind }) => {
        if (kind === "update") throw new TableUnavailableError("throttled");
      },
    };
    await deleteOnPrimary(world, [KEY]);
    expect(world.replicaText(KEY)).toBe(`body of ${KEY}`);
    world.siteTable.interference = undefined;
    await world.live(10 * MINUTE_MS);
    expect(world.replicaText(KEY)).toBeUndefined();
  });
});

describe("a site that keeps no replicas (F49, F50)", () => {
  test("a site that keeps no replicas copies none and removes none (F50)", async () => {
    const world = twoSites({ syncObjectStorage: false });
    const [fresh, there] = ["cool_widgets/1/fresh.bin", "cool_widgets/2/there.bin"] as const;
    world.replicaBucket.put(there, "put by something else");
    await replicate(world, [fresh, there]);
    expect(world.replicaText(fresh)).toBeUndefined();
    expect(await world.row(fresh)).toBeUndefined();
    await deleteOnPrimary(world, [there]);
    expect(world.replicaText(there)).toBe("put by something else");
    expect(world.replicaBucket.versions(there)).toHaveLength(1);
    expect(await world.row(there)).toBeUndefined();
  });

  test.each([
    ["is still there", () => {}],
    ["was deleted", (world: TwoSites) => void world.primaryBucket.deleteCurrent(KEY)],
    ["was purged, and nobody has recorded that yet", (world: TwoSites) => purgeOnPrimary(world, KEY)],
    ["can not be looked at", (world: TwoSites) => void world.primaryFaults.failNext("head", "forbidden")],
  ])("forgets what it had replicated before when the object %s, and leaves the replica in place", async (_, happen) => {
    const world = twoSites();
    await replicate(world, [KEY]);
    happen(world);
    await world.loseMessages();
    const site = {
      ...world.secondary,
      scope: { ...world.secondary.scope, keepsObjects: () => Promise.resolve(false) },
    };
    const result = await syncBlob(site, { ref: world.refOf(KEY), cause: "hint", stopAt: Infinity, epoch: 0 });
    expect(result).toEqual({ result: "absent", how: "left_in_place" });
    expect(await world.row(KEY)).toBeUndefined();
    expect(world.replicaText(KEY)).toBe(`body of ${KEY}`);
    expect(world.telemetry.total("ReplicaRemoved")).toBe(0);
  });
});
