import { describe, expect, test } from "vitest";
import { STANDING_KEPT_MS } from "../../shared/geo/limits.ts";
import type { SiteStanding } from "../../shared/geo/site-standing.ts";
import { CachedSiteRecord } from "../../shared/services/cached-site-record.ts";
import { changeStanding, parseSiteRecord, siteRecordKey } from "../../shared/tables/site/site-record.ts";
import { type TwoSites, twoSites } from "../support/two-sites.ts";
import { Worker } from "../support/workers.ts";

const KEY = "cool_widgets/42/widget.bin";

const become = async (world: TwoSites, role: SiteStanding["role"]): Promise<void> => {
  const seen = parseSiteRecord(await world.siteTable.get(siteRecordKey)).standing;
  const written = await world.siteTable.update(changeStanding(seen, role));
  expect(written.outcome).toBe("written");
};

describe("the soft fence (R27, R38)", () => {
  test("a worker that began before a promotion copies nothing once it knows of it, and lets go", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "one");
    const worker = await new Worker(world, KEY).until("copy");
    world.clock.advance(STANDING_KEPT_MS);
    await become(world, "promoting");
    expect(await worker.finish()).toEqual({ result: "left_pending" });
    expect(world.replicaText(KEY)).toBeUndefined();
    expect(await world.row(KEY)).toMatchObject({ state: "pending", due_at: expect.any(Number) as number });
  });

  test("and removes nothing", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "one");
    await world.settle();
    world.primaryBucket.deleteCurrent(KEY);
    await world.loseMessages();
    const worker = await new Worker(world, KEY).until("remove");
    world.clock.advance(STANDING_KEPT_MS);
    await become(world, "primary");
    expect(await worker.finish()).toEqual({ result: "left_pending" });
    expect(world.replicaText(KEY)).toBe("one");
  });

  test("a worker of an older epoch writes nothing, though the site is a secondary again", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "one");
    const worker = await new Worker(world, KEY).until("copy");
    world.clock.advance(STANDING_KEPT_MS);
    await become(world, "secondary");
    expect(await worker.finish()).toEqual({ result: "left_pending" });
    expect(world.replicaText(KEY)).toBeUndefined();
    await world.live(5 * 60_000);
    expect(world.replicaText(KEY)).toBe("one");
  });

  test("what is known of the standing is trusted for ten seconds, and not longer", async () => {
    const world = twoSites();
    expect(await world.secondary.standing.read()).toEqual({ role: "secondary", epoch: 0 });
    await become(world, "promoting");
    world.clock.advance(STANDING_KEPT_MS - 1);
    expect(await world.secondary.standing.read()).toEqual({ role: "secondary", epoch: 0 });
    world.clock.advance(1);
    expect(await world.secondary.standing.read()).toEqual({ role: "promoting", epoch: 1 });
  });

  test("a clock that is set back does not make old knowledge new", async () => {
    const world = twoSites();
    await world.secondary.standing.read();
    await become(world, "promoting");
    world.clock.advance(-60_000);
    expect(await world.secondary.standing.read()).toMatchObject({ role: "promoting" });
  });

  test("a site that is no secondary keeps its messages, and takes them up when it is one again", async () => {
    const world = twoSites();
    await become(world, "promoting");
    world.primaryBucket.put(KEY, "one");
    await world.settle();
    expect(await world.row(KEY)).toBeUndefined();
    expect(world.queues.events.deadLetters.export()).toEqual([]);
    await become(world, "secondary");
    await world.live(60 * 60_000);
    expect(world.replicaText(KEY)).toBe("one");
    expect(await world.row(KEY)).toMatchObject({ state: "synced" });
  });

  test("of two changes of the standing that saw the same, one is refused", async () => {
    const world = twoSites();
    const seen = parseSiteRecord(await world.siteTable.get(siteRecordKey)).standing;
    expect((await world.siteTable.update(changeStanding(seen, "promoting"))).outcome).toBe("written");
    expect((await world.siteTable.update(changeStanding(seen, "secondary"))).outcome).toBe("refused");
    const now = parseSiteRecord(await world.siteTable.get(siteRecordKey)).standing;
    expect((await world.siteTable.update(changeStanding(now, "secondary"))).outcome).toBe("written");
    expect(parseSiteRecord(await world.siteTable.get(siteRecordKey)).standing).toEqual({ role: "secondary", epoch: 2 });
  });

  test("an answer that is old when it comes is asked for again, and not for ever: a process may freeze over it", async () => {
    const world = twoSites();
    const frozenFor: number[] = [3 * 60_000];
    let asked = 0;
    const { standing } = new CachedSiteRecord(
      {
        get: async (key) => {
          asked += 1;
          const item = await world.siteTable.get(key);
          // The site changes while the answer is on its way to a process that is frozen.
          if (asked === 1) await become(world, "promoting");
          world.clock.advance(frozenFor.shift() ?? 0);
          return item;
        },
      },
      world.clock,
    );
    expect(await standing.read()).toEqual({ role: "promoting", epoch: 1 });
    expect(asked).toBe(2);
    world.clock.advance(STANDING_KEPT_MS);
    frozenFor.push(60_000, 60_000, 60_000, 60_000);
    await expect(standing.read()).rejects.toThrow("the item self was 3 times too old when it was answered");
    expect(asked).toBe(5);
  });

  test("a record that can not be read stops the site rather than being guessed at", () => {
    expect(() => parseSiteRecord({ ...siteRecordKey, role: "king", epoch: 1 })).toThrow(
      /record of itself can not be read: role/,
    );
  });
});
