import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareUtf8 } from "../../shared/geo/utf8-order.ts";
import { MemoryBucket } from "../../shared/memory/bucket.ts";
import { SeededChance } from "../../shared/memory/chance.ts";
import { ManualClock } from "../../shared/memory/clock.ts";
import { MemoryReadableBucket } from "../../shared/memory/readable-bucket.ts";
import type { ListPage } from "../../shared/ports/object-store.ts";
import { listBothSides } from "../../shared/services/registry-consistency/list-both-sides.ts";
import { nextPace, WALK_PACE_BOUNDS, WALK_PACE_FIRST } from "../../shared/geo/walk-pace.ts";
import { keepConsistent } from "../../shared/services/registry-consistency/keep-consistent.ts";
import { askForWalk, parseWalkPace, walkPaceKey } from "../../shared/tables/site/walk-pace-item.ts";
import { runWalks, WALK_SETTINGS_DEFAULT } from "../../shared/services/registry-consistency/run-walks.ts";
import { splitKeys } from "../../shared/services/registry-consistency/split-keys.ts";
import type { WalkingSite } from "../../shared/services/registry-consistency/walk-range.ts";
import { SMALL_PARTS } from "../support/small-parts.ts";
import { type TwoSites, twoSites } from "../support/two-sites.ts";

const keyOf = (id: number): string => `cool_widgets/${id}/widget.bin`;
const KEY = keyOf(42);

/** A secondary whose backfill goes into its events' queue, with what its listings cost. */
const walking = (world: TwoSites) => {
  const listings = { primary: 0, replica: 0 };
  const counted = (side: "primary" | "replica") => ({
    list: (options: Parameters<WalkingSite["primary"]["list"]>[0] = {}): Promise<ListPage> => {
      listings[side] += 1;
      return world.secondary[side].list(options);
    },
    head: (key: string) => world.secondary[side].head(key),
  });
  const site: WalkingSite = {
    ...world.secondary,
    settings: world.settings,
    primary: counted("primary"),
    replica: counted("replica"),
    registry: world.registry,
    siteTable: world.siteTable,
    backfill: {
      name: "backfill",
      send: (messages) => world.queues.events.live.send(messages),
      backlog: () => Promise.resolve(world.queues.events.live.size),
    },
  };
  const walk = (
    settings: Partial<typeof WALK_SETTINGS_DEFAULT> = {},
    run: Partial<Parameters<typeof runWalks>[3]> = {},
  ) =>
    runWalks(
      site,
      world.replicables,
      { ...WALK_SETTINGS_DEFAULT, ...settings },
      { stopAt: Infinity, keysPerRun: Infinity, askedFor: new Map(), ...run },
    );
  return { site, listings, walk };
};

/** All that are on: a type whose partitions are does without walks of its own. */
const walkedTypes = (world: TwoSites): readonly string[] =>
  world.replicables.filter(({ partitioned }) => !partitioned).map(({ name }) => name);

const putUnseen = async (world: TwoSites, ids: readonly number[]): Promise<void> => {
  for (const id of ids) world.primaryBucket.put(keyOf(id), `object ${id}`);
  await world.loseMessages();
};

/** An operator asks for a walk of the widgets, a moment after all that was before. */
const asked = (world: TwoSites): ReadonlyMap<string, number> => {
  world.clock.advance(1);
  return new Map([["cool_widget", world.clock.now()]]);
};

const ids = (count: number, from = 1): readonly number[] => Array.from({ length: count }, (_, index) => from + index);

describe("a walk through both sides", () => {
  test("finds every object whose event was lost (F44, F104), and the next one finds nothing", async () => {
    const world = twoSites();
    await putUnseen(world, ids(120));
    const { walk } = walking(world);
    const { findings, finished } = await walk();
    expect(findings).toMatchObject({ listed: 120, missing: 120, stale: 0, orphan: 0, enqueued: 120 });
    expect(finished.toSorted()).toEqual(walkedTypes(world).toSorted());
    await world.settle();
    for (const id of ids(120)) expect(world.replicaText(keyOf(id))).toBe(`object ${id}`);
    world.clock.advance(WALK_SETTINGS_DEFAULT.everyMs);
    expect(await walk()).toMatchObject({ findings: { listed: 120, missing: 0, stale: 0, orphan: 0, enqueued: 0 } });
  });

  test("finds a lost overwrite, a lost delete, a replica deleted by hand and a foreign object (F45)", async () => {
    const world = twoSites();
    for (const id of ids(5)) world.primaryBucket.put(keyOf(id), "old");
    await world.settle();
    world.primaryBucket.put(keyOf(1), "overwritten");
    world.primaryBucket.deleteCurrent(keyOf(2));
    world.replicaBucket.deleteCurrent(keyOf(3));
    world.replicaBucket.put(keyOf(9), "foreign");
    await world.loseMessages();
    const { walk } = walking(world);
    expect((await walk()).findings).toMatchObject({ missing: 1, stale: 1, orphan: 2, enqueued: 4 });
    await world.settle();
    expect(ids(5).map((id) => world.replicaText(keyOf(id)))).toEqual(["overwritten", undefined, "old", "old", "old"]);
    expect(world.replicaText(keyOf(9))).toBeUndefined();
  });

  test("finds a replica that somebody wrote as many other bytes over, though S3's report of it is lost, and mends it", async () => {
    const world = twoSites();
    for (const id of ids(3)) world.primaryBucket.put(keyOf(id), "ours");
    await world.settle();
    world.replicaBucket.put(keyOf(2), "evil");
    await world.loseMessages();
    const { walk } = walking(world);
    expect((await walk()).findings).toMatchObject({ listed: 3, stale: 1, enqueued: 1 });
    await world.settle();
    expect(ids(3).map((id) => world.replicaText(keyOf(id)))).toEqual(["ours", "ours", "ours"]);
    expect(await world.row(keyOf(2))).toMatchObject({ state: "synced", verification_state: "succeeded" });
    expect((await walk({}, { askedFor: asked(world) })).findings).toMatchObject({ listed: 3, stale: 0, enqueued: 0 });
  });

  test("finds nothing of replicas that were copied in parts, adopted, or are of another ETag than their source", async () => {
    const world = twoSites({ copyLimits: SMALL_PARTS });
    world.primaryBucket.put(keyOf(1), "x".repeat(5 * SMALL_PARTS.singleCopyBytesMax));
    world.primaryBucket.put(keyOf(2), "y");
    world.replicaBucket.put(keyOf(2), "y");
    await world.settle();
    const row = await world.row(keyOf(1));
    expect(row?.rep_etag).toMatch(/^"[0-9a-f]{32}-[0-9]+"$/);
    expect(row?.rep_etag).not.toBe(row?.src_etag);
    expect((await walking(world).walk()).findings).toMatchObject({ listed: 2, stale: 0, enqueued: 0 });
  });

  test("adopts replicas that are equal already, without copying a byte", async () => {
    const world = twoSites();
    for (const id of ids(10)) {
      world.primaryBucket.put(keyOf(id), `object ${id}`);
      world.replicaBucket.put(keyOf(id), `object ${id}`);
    }
    await world.loseMessages();
    await walking(world).walk();
    await world.settle();
    for (const id of ids(10)) {
      expect(world.replicaBucket.versions(keyOf(id))).toHaveLength(1);
      expect(await world.row(keyOf(id))).toMatchObject({ state: "synced", verification_state: "succeeded" });
    }
  });

  test("leaves what is under way to those who do it", async () => {
    const world = twoSites();
    await putUnseen(world, [42]);
    world.primaryFaults.failNext("head", "unavailable");
    const { walk } = walking(world);
    await walk();
    await world.settle();
    expect(await world.row(KEY)).toMatchObject({ state: "failed" });
    expect((await walk({}, { askedFor: asked(world) })).findings).toMatchObject({ listed: 1, enqueued: 0 });
  });

  test("is begun anew after its time, or when an operator asks, and not before", async () => {
    const world = twoSites();
    await putUnseen(world, [42]);
    const { walk } = walking(world);
    expect((await walk()).finished.toSorted()).toEqual(walkedTypes(world).toSorted());
    expect((await walk()).finished).toHaveLength(0);
    expect((await walk({}, { askedFor: asked(world) })).finished).toContain("cool_widget");
    world.clock.advance(WALK_SETTINGS_DEFAULT.everyMs);
    expect((await walk()).finished.toSorted()).toEqual(walkedTypes(world).toSorted());
  });

  test("hands over so many orphans and no more", async () => {
    const world = twoSites();
    for (const id of ids(20)) world.replicaBucket.put(keyOf(id), "foreign");
    expect((await walking(world).walk({ orphansPerWalk: 5 })).findings).toMatchObject({ orphan: 20, enqueued: 5 });
  });

  test("waits while history waits, and stops at its pace and its time", async () => {
    const world = twoSites();
    await putUnseen(world, ids(30));
    const { walk } = walking(world);
    expect(await walk({ backlogKeysMax: 0 })).toMatchObject({ stopped: "backlog", findings: { enqueued: 0 } });
    expect(await walk({}, { keysPerRun: 0 })).toMatchObject({ stopped: "pace", findings: { enqueued: 0 } });
    expect(await walk({}, { stopAt: 0 })).toMatchObject({ stopped: "time", findings: { enqueued: 0 } });
  });
});

const runOnce = (world: TwoSites, site: WalkingSite) =>
  keepConsistent(site, world.replicables, WALK_SETTINGS_DEFAULT, Infinity);

describe("the pace of the walks", () => {
  test("halves when S3 throttles somebody, and grows again while it does not", async () => {
    const world = twoSites();
    const { site } = walking(world);
    const paceNow = async () => parseWalkPace(await world.siteTable.get(walkPaceKey)).pace.keysPerRun;
    await runOnce(world, site);
    const quiet = await paceNow();
    world.primaryBucket.put(KEY, "one");
    world.replicaFaults.failNext("copy", "throttled");
    await world.settle();
    await runOnce(world, site);
    expect(await paceNow()).toBe(Math.floor(quiet / 2));
    await runOnce(world, site);
    expect(await paceNow()).toBeGreaterThan(Math.floor(quiet / 2));
  });

  test("stays between its bounds, however long it is quiet or S3 throttles", () => {
    let pace = WALK_PACE_FIRST;
    for (let runs = 0; runs < 200; runs += 1) pace = nextPace(pace, 0);
    expect(pace.keysPerRun).toBe(WALK_PACE_BOUNDS.most);
    for (let runs = 1; runs < 200; runs += 1) pace = nextPace(pace, runs);
    expect(pace.keysPerRun).toBe(WALK_PACE_BOUNDS.least);
  });

  test("does not keep an operator waiting who asks for a walk", async () => {
    const world = twoSites();
    const { site } = walking(world);
    await runOnce(world, site);
    await putUnseen(world, [42]);
    expect((await runOnce(world, site)).findings.enqueued).toBe(0);
    world.clock.advance(1);
    await world.siteTable.update(askForWalk("cool_widget", world.clock.now()));
    expect((await runOnce(world, site)).findings.enqueued).toBe(1);
    expect((await runOnce(world, site)).finished).toEqual([]);
  });
});

describe("a walk that is interrupted", () => {
  test("goes on from where it came to, and hands nothing over twice", async () => {
    const world = twoSites();
    await putUnseen(world, ids(2_500));
    const { walk, listings } = walking(world);
    let enqueued = 0;
    let runs = 0;
    for (; runs < 50; runs += 1) {
      const { findings, stopped } = await walk({ ways: 1, backlogKeysMax: Infinity }, { keysPerRun: 1 });
      enqueued += findings.enqueued;
      if (stopped === undefined) break;
    }
    expect(runs).toBeGreaterThan(2);
    expect(enqueued).toBe(2_500);
    // 3 pages of the primary, one of the replica's for each run, and what it takes to see that types are empty.
    expect(listings.primary).toBeLessThan(8 + 6 * world.replicables.length);
  });

  test("by the death of its worker is taken up when the lease is over, and only one stretch is looked at twice", async () => {
    const world = twoSites();
    await putUnseen(world, ids(50));
    const { site, walk } = walking(world);
    const handsOver = Promise.withResolvers<undefined>();
    const dying: WalkingSite = {
      ...site,
      backfill: {
        ...site.backfill,
        send: () => {
          handsOver.resolve(undefined);
          return new Promise(() => {});
        },
      },
    };
    const settings = { ...WALK_SETTINGS_DEFAULT, ways: 1 };
    const run = { stopAt: Infinity, keysPerRun: Infinity, askedFor: new Map<string, number>() };
    void runWalks(dying, world.replicables, settings, run);
    await handsOver.promise;
    expect((await walk({ ways: 1 })).findings.enqueued).toBe(0);
    world.clock.advance(10 * 60_000);
    expect((await walk({ ways: 1 })).findings.enqueued).toBe(50);
  });

  test("by a queue that takes nothing finds the same keys again", async () => {
    const world = twoSites();
    await putUnseen(world, ids(50));
    const { site, walk } = walking(world);
    const deaf: WalkingSite = {
      ...site,
      backfill: { ...site.backfill, send: () => Promise.resolve({ outcome: "failed", failed: [0], reason: "down" }) },
    };
    await expect(
      runWalks(deaf, world.replicables, WALK_SETTINGS_DEFAULT, {
        stopAt: Infinity,
        keysPerRun: Infinity,
        askedFor: new Map(),
      }),
    ).resolves.toMatchObject({ stopped: "queue", findings: { enqueued: 0 } });
    expect((await walk()).findings.enqueued).toBe(50);
  });
});

const bucketOf = (keys: readonly string[]): MemoryReadableBucket => {
  const bucket = new MemoryBucket({ name: "bucket", clock: new ManualClock(), chance: new SeededChance(1) });
  for (const key of keys) bucket.put(key, "x");
  return new MemoryReadableBucket(bucket);
};

/** A bucket that lists a few keys at a time, so that pages end everywhere. */
const paged = (keys: readonly string[], pageSize: number): WalkingSite["replica"] => {
  const bucket = bucketOf(keys);
  return { list: (options) => bucket.list({ ...options, limit: Math.min(options?.limit ?? pageSize, pageSize) }) };
};

const someKeys = fc.uniqueArray(
  fc.string({ unit: fc.constantFrom("a", "b", "7", "/", "é", "\u{FFFD}", "\u{10000}"), minLength: 1, maxLength: 6 }),
  { maxLength: 40 },
);

describe("the key space", () => {
  test("is listed whole, in order and once, by ranges of any cut, however pages end", async () => {
    await fc.assert(
      fc.asyncProperty(
        someKeys,
        someKeys,
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 8 }),
        async (sources, replicas, sourcePage, replicaPage, ways) => {
          const [source, replica] = [paged(sources, sourcePage), paged(replicas, replicaPage)];
          const listed = [];
          for (const range of await splitKeys(source, "", ways)) {
            for await (const stretch of listBothSides(source, replica, range)) listed.push(...stretch.keys);
          }
          const all = [...new Set([...sources, ...replicas])].toSorted(compareUtf8);
          expect(listed.map(({ key }) => key)).toEqual(all);
          for (const { key, source: there, replica: here } of listed) {
            expect(there !== undefined).toBe(sources.includes(key));
            expect(here !== undefined).toBe(replicas.includes(key));
          }
        },
      ),
    );
  });

  test("of numeric ids is cut into ranges of about equal size", async () => {
    const keys = ids(5_000, 1_000).map(keyOf);
    const ranges = await splitKeys(bucketOf(keys), "cool_widgets/", 40);
    expect(ranges.length).toBeGreaterThan(20);
    const bucket = bucketOf(keys);
    const sizes = [];
    for (const range of ranges) {
      let size = 0;
      for await (const { keys: listed } of listBothSides(bucket, bucketOf([]), range)) size += listed.length;
      sizes.push(size);
    }
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(5_000);
    expect(Math.max(...sizes)).toBeLessThan(500);
  });

  test("with few keys is one range", async () => {
    expect(await splitKeys(bucketOf(ids(900).map(keyOf)), "cool_widgets/", 64)).toEqual([
      { prefix: "cool_widgets/", after: undefined, until: undefined },
    ]);
  });
});
