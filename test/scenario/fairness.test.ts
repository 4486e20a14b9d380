import { describe, expect, test } from "vitest";
import type { MemoryQueue } from "../../shared/memory/queue.ts";
import { coolWidget } from "../../shared/replicables/cool-widget.ts";
import { packageFile } from "../../shared/replicables/package-file.ts";
import { consumeBatch } from "../support/consume-batch.ts";
import { type TwoSites, twoSites } from "../support/two-sites.ts";
import { walkingSecondary } from "../support/walking.ts";

/** F35: a type with a hundred times the backlog of another keeps it waiting for its turn, and not for the whole of it. */
const SMALL = 40;
const FLOOD = 100 * SMALL;

const ids = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => 1_000_000 + index);
/** The flood's first: whoever always began with the first type would come to the other last. */
const TYPES = [coolWidget, packageFile];
const smallKeys = ids(SMALL).map((id) => `packages_package_files/7/${id}/file.bin`);
const floodKeys = ids(FLOOD).map((id) => `cool_widgets/${id}/widget.bin`);

const withHistory = async (...keys: readonly (readonly string[])[]): Promise<TwoSites> => {
  const world = twoSites({ replicables: TYPES, replicaDrift: false });
  for (const key of keys.flat()) world.primaryBucket.put(key, key);
  await world.loseMessages();
  return world;
};

const isDone = (world: TwoSites): boolean =>
  smallKeys.every((key) => world.replicaBucket.current(key)?.kind === "object");

/** Batches that a consumer works through until the small type is done. */
const batchesUntilDone = async (world: TwoSites, queue: MemoryQueue): Promise<number> => {
  for (let batches = 0; ; batches += 1) {
    if (isDone(world)) return batches;
    if (!(await consumeBatch(world, queue))) throw new Error(`${batches} batches were all, and it is not done`);
  }
};

const batchesAfterWalk = async (world: TwoSites): Promise<number> => {
  const { walk, backfill } = walkingSecondary(world);
  await walk();
  return batchesUntilDone(world, backfill);
};

/** What S3 did not answer for is due again later, all of it at once. */
const batchesAfterSweep = async (world: TwoSites): Promise<number> => {
  const { walk, backfill } = walkingSecondary(world);
  await walk();
  for (const _key of world.primaryBucket.keys()) world.primaryFaults.failNext("head", "unavailable");
  while (await consumeBatch(world, backfill));
  world.clock.advance(60 * 60_000);
  await world.sweep();
  return batchesUntilDone(world, world.queues.events.live);
};

interface Minute {
  /** Batches that are worked through in a minute. */
  readonly batches: number;
  readonly keysPerRun?: number;
  readonly backlogKeysMax: number;
}

/** Minutes until the small type is done, when each brings a run of the walks and then some batches of work. */
const minutesUntilDone = async (
  world: TwoSites,
  { batches, backlogKeysMax, keysPerRun = Infinity }: Minute,
): Promise<number> => {
  const { walk, backfill } = walkingSecondary(world);
  for (let minutes = 1; minutes <= 100; minutes += 1) {
    world.clock.advance(60_000);
    await walk({ backlogKeysMax }, { keysPerRun });
    for (let batch = 0; batch < batches; batch += 1) await consumeBatch(world, backfill);
    if (isDone(world)) return minutes;
  }
  throw new Error("it is not done after 100 minutes");
};

describe("a type with a hundred times the backlog of another (F35)", () => {
  test("does not make it wait longer when a walk finds both", async () => {
    const alone = await batchesAfterWalk(await withHistory(smallKeys));
    expect(await batchesAfterWalk(await withHistory(floodKeys, smallKeys))).toBe(alone);
  });

  test.each<[string, Minute]>([
    ["the backlog has no room for more than a page", { batches: 1, backlogKeysMax: 1_000 }],
    ["S3 throttles and the pace is at its least", { batches: 1, backlogKeysMax: 20_000, keysPerRun: 100 }],
  ])("makes it wait for as many runs of the walks as there are types, and no more, while %s", async (_, minute) => {
    const alone = await minutesUntilDone(await withHistory(smallKeys), minute);
    const world = await withHistory(floodKeys, smallKeys);
    expect(await minutesUntilDone(world, minute)).toBeLessThan(alone + TYPES.length);
  });

  test("does not make it wait longer when the rows of both fall due at the same time", async () => {
    const alone = await batchesAfterSweep(await withHistory(smallKeys));
    expect(await batchesAfterSweep(await withHistory(floodKeys, smallKeys))).toBe(alone);
  });
});
