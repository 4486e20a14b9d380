import { describe, expect, test } from "vitest";
import { RELEASE_MINUTES_DEFAULT } from "../../shared/geo/removal-guard.ts";
import { releaseRemovals } from "../../shared/services/release-removals.ts";
import { releaseRemovals as releaseItem } from "../../shared/tables/site/removal-guard-item.ts";
import { deleteOnPrimary, guardOf, hiddenOf, keysOf, replicate } from "../support/removals.ts";
import { type TwoSites, twoSites } from "../support/two-sites.ts";
import { Worker } from "../support/workers.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const LIMIT = 3;

/** A world in which so many objects were deleted on the primary, and the guard let `LIMIT` of them through. */
const floodOf = async (count: number): Promise<{ readonly world: TwoSites; readonly keys: readonly string[] }> => {
  const world = twoSites({ removalGuard: { floor: LIMIT, percent: 0, most: LIMIT } });
  const keys = keysOf(count);
  await replicate(world, keys);
  await deleteOnPrimary(world, keys);
  expect(hiddenOf(world, keys)).toBe(LIMIT);
  return { world, keys };
};

const release = (world: TwoSites, removals: number, minutes = RELEASE_MINUTES_DEFAULT) =>
  releaseRemovals(world.secondary, "cool_widget", { removals, minutes }, "alice");

describe("removals that are held back", () => {
  test("go at once when their key is touched after the release", async () => {
    const { world, keys } = await floodOf(5);
    await release(world, 5);
    for (const key of keys) world.primaryBucket.deleteCurrent(key);
    await world.settle();
    expect(hiddenOf(world, keys)).toBe(5);
    for (const key of keys) expect(await world.row(key)).toBeUndefined();
  });

  test("stay held back once a release is over, used up or not", async () => {
    const { world, keys } = await floodOf(10);
    await release(world, 7, 1);
    await world.live(5 * HOUR_MS);
    expect(hiddenOf(world, keys)).toBe(LIMIT);
    expect(await guardOf(world)).toMatchObject({ paused_at: expect.any(String) as string, release: null });
  });

  test("are released anew by each word of an operator, which does not add to the last one", async () => {
    const { world, keys } = await floodOf(12);
    await release(world, 6);
    await release(world, 2);
    await world.live(3 * HOUR_MS);
    expect(hiddenOf(world, keys)).toBe(LIMIT + 2);
    await release(world, 4);
    await world.live(3 * HOUR_MS);
    expect(hiddenOf(world, keys)).toBe(LIMIT + 2 + 4);
  });

  test("that are released for a week go on to be let through in its last hour", async () => {
    const { world, keys } = await floodOf(LIMIT);
    await release(world, 2, 7 * 24 * 60);
    world.clock.advance(7 * 24 * HOUR_MS - HOUR_MS / 2);
    const later = keysOf(LIMIT + 5).slice(LIMIT);
    await replicate(world, later);
    await deleteOnPrimary(world, later);
    expect(hiddenOf(world, [...keys, ...later])).toBe(LIMIT + 2);
  });
});

describe("a release", () => {
  test("replaces what is left of the hour's limit: said beforehand, it is so many and no more", async () => {
    const world = twoSites({ removalGuard: { floor: LIMIT, percent: 0, most: LIMIT } });
    const keys = keysOf(10);
    await replicate(world, keys);
    await deleteOnPrimary(world, keys.slice(0, 1));
    await release(world, 5);
    await deleteOnPrimary(world, keys.slice(1));
    expect(hiddenOf(world, keys)).toBe(1 + 5);
  });

  test("gives way to the limit again when nothing was asked for in the hour after it", async () => {
    const { world } = await floodOf(4);
    await release(world, 5);
    await world.live(2 * HOUR_MS + MINUTE_MS);
    expect(await guardOf(world)).toMatchObject({ paused_at: null, release: null });
    const later = keysOf(8).slice(4);
    await replicate(world, later);
    await deleteOnPrimary(world, later);
    expect(hiddenOf(world, later)).toBe(LIMIT);
  });

  test("is not overruled by somebody who found the hour full just before", async () => {
    const world = twoSites({ removalGuard: { floor: LIMIT, percent: 0, most: LIMIT } });
    const keys = keysOf(LIMIT + 1);
    const last = keys.at(-1) ?? "";
    await replicate(world, keys);
    await deleteOnPrimary(world, keys.slice(0, LIMIT));
    world.primaryBucket.deleteCurrent(last);
    await world.loseMessages();
    const worker = await new Worker(world, last).until("ask_removal_guard");
    let released = false;
    world.siteTable.interference = {
      before: async (operation) => {
        if (released || operation.kind !== "update" || !operation.request.update.startsWith("SET paused_at")) return;
        released = true;
        await world.siteTable.update(releaseItem("cool_widget", 1, world.clock.now() + HOUR_MS));
      },
    };
    expect(await worker.finish()).toMatchObject({ result: "absent", how: "removed" });
    expect(released).toBe(true);
    expect(await guardOf(world)).toMatchObject({ paused_at: null });
  });

  test("that comes while somebody begins a new hour keeps that hour's limit from being added to it", async () => {
    const { world } = await floodOf(LIMIT);
    await world.live(2 * HOUR_MS);
    const later = keysOf(LIMIT + 2).slice(LIMIT);
    await replicate(world, later);
    const [first = "", second = ""] = later;
    for (const key of later) world.primaryBucket.deleteCurrent(key);
    await world.loseMessages();
    let released = false;
    world.siteTable.interference = {
      before: async (operation) => {
        if (released || operation.kind !== "update" || !operation.request.update.includes("removal_limit")) return;
        released = true;
        await world.siteTable.update(releaseItem("cool_widget", 1, world.clock.now() + HOUR_MS));
      },
    };
    await new Worker(world, first).finish();
    await new Worker(world, second).finish();
    expect(released).toBe(true);
    expect(hiddenOf(world, later)).toBe(1);
  });

  test("of a type that has never removed anything is none", async () => {
    const world = twoSites();
    expect(await release(world, 5)).toBeUndefined();
    expect(await guardOf(world)).toEqual({
      replicable_name: "cool_widget",
      removals: 0,
      limit: null,
      window_started_at: null,
      paused_at: null,
      release: null,
    });
  });

  test("tells what it made of the guard, and when what waits comes again", async () => {
    const { world } = await floodOf(5);
    const windowStartedAt = new Date(world.clock.now()).toISOString();
    expect(await release(world, 5, 90)).toEqual({
      replicable_name: "cool_widget",
      removals: LIMIT,
      limit: LIMIT,
      window_started_at: windowStartedAt,
      paused_at: null,
      release: { removals: 5, until: new Date(world.clock.now() + 90 * MINUTE_MS).toISOString() },
      retried_within_seconds: 30 * 60,
    });
    expect(world.telemetry.linesOf("an operator released removals")).toEqual([
      {
        level: "warn",
        event: "an operator released removals",
        fields: {
          token_name: "alice",
          replicable: "cool_widget",
          removals: 5,
          minutes: 90,
          until: new Date(world.clock.now() + 90 * MINUTE_MS).toISOString(),
        },
      },
    ]);
  });
});
