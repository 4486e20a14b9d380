import { describe, expect, test } from "vitest";
import { leaseMs } from "../../shared/geo/limits.ts";
import { ROW_PARTITIONS, rowKey } from "../../shared/geo/registry-row.ts";
import {
  type ListingSite,
  listOldRecords,
} from "../../shared/services/verification-backfill/list-for-reverification.ts";
import { setFlag } from "../../shared/tables/site/flags-item.ts";
import { parseRounds, roundsQuery } from "../../shared/tables/site/record-round-item.ts";
import { type TwoSites, twoSites } from "../support/two-sites.ts";

const DAY_MS = 24 * 60 * 60_000;
const KEY = "cool_widgets/42/widget.bin";
const keyOf = (id: number): string => `cool_widgets/${id}/widget.bin`;

const list = (world: TwoSites, over: Partial<ListingSite> = {}, stopAt = Infinity): Promise<number> =>
  listOldRecords({ ...world.listing, ...over }, world.recorded(), stopAt);

/** Sites that have known their types for a moment, with one settled object. */
const settled = async (): Promise<TwoSites> => {
  const world = twoSites();
  await world.sweep();
  world.primaryBucket.put(KEY, "one");
  await world.settle();
  return world;
};

const roundOf = async (world: TwoSites) =>
  parseRounds((await world.primarySiteTable.query(roundsQuery())).items).get("cool_widget");

/** The state table, which says what it is asked for. */
const counting = (world: TwoSites) => {
  const asked: string[] = [];
  return {
    asked,
    verificationState: {
      query: (request: Parameters<typeof world.verificationState.query>[0]) => {
        asked.push(JSON.stringify(request.values[":pk"]));
        return world.verificationState.query(request);
      },
      update: (request: Parameters<typeof world.verificationState.update>[0]) =>
        world.verificationState.update(request),
    },
  };
};

describe("the records of objects that will soon have to be read again (F30)", () => {
  test("are listed at the time at which they were verified; until then a settled record costs no entry", async () => {
    const world = await settled();
    const before = await world.state(KEY);
    expect(before).toMatchObject({ verification_state: "succeeded" });
    expect(before?.due_pk).toBeUndefined();
    world.clock.advance(75 * DAY_MS);
    expect(await list(world)).toBe(0);
    world.clock.advance(8 * DAY_MS);
    expect(await list(world)).toBe(1);
    expect(await world.state(KEY)).toEqual({
      ...before,
      due_at: before?.verified_at,
      due_pk: `verified#cool_widget#${Number.parseInt(rowKey(world.refOf(KEY)).pk.slice(-3), 16) % 16}`,
      rev: (before?.rev ?? 0) + 1,
    });
    world.clock.advance(8 * DAY_MS);
    expect(await list(world)).toBe(0);
  });

  test("are not looked for while a type is switched off, or has just been seen for the first time", async () => {
    const world = twoSites();
    const { asked, verificationState } = counting(world);
    await list(world, { verificationState });
    expect((await roundOf(world))?.finishedAt).toBe(world.clock.now());
    await world.primarySiteTable.update(setFlag("geo_cool_widget_replication", false, world.clock.now()));
    world.clock.advance(100 * DAY_MS);
    await list(world, { verificationState });
    expect(asked).toEqual([]);
  });

  test("that fill several pages of a partition are all listed", async () => {
    const world = await settled();
    const { pk } = rowKey(world.refOf(KEY));
    const keys = Array.from({ length: 40_000 }, (_, id) => keyOf(100 + id)).filter(
      (key) => rowKey(world.refOf(key)).pk === pk,
    );
    expect(keys.length).toBeGreaterThan(2);
    for (const key of keys) {
      await world.verificationState.put({ ...rowKey(world.refOf(key)), rev: 1, verification_state: 2, verified_at: 1 });
    }
    world.clock.advance(90 * DAY_MS);
    const { asked, verificationState } = counting(world);
    const inSmallPages = {
      ...verificationState,
      query: (request: Parameters<typeof verificationState.query>[0]) =>
        verificationState.query({ ...request, limit: 2 }),
    };
    expect(await list(world, { verificationState: inSmallPages })).toBe(keys.length + 1);
    expect(asked.filter((one) => one === JSON.stringify(pk)).length).toBeGreaterThan(keys.length / 2);
  });

  test("are left out while they are not settled, or not to be read", async () => {
    const world = await settled();
    const put = (id: number, columns: Record<string, string | number>) =>
      world.verificationState.put({ ...rowKey(world.refOf(keyOf(id))), ...columns });
    const row = { rev: 1, verification_state: 2, verified_at: 1 };
    await put(1, { ...row, verification_state: 3 });
    await put(2, { ...row, verified_at: "yesterday" });
    await put(3, { verification_state: 2, verified_at: 1 });
    await put(4, { ...row, due_at: 7, due_pk: "verified#cool_widget#1" });
    // One that does not say when it was verified is read again.
    await put(5, { rev: 1, verification_state: 2 });
    world.clock.advance(90 * DAY_MS);
    expect(await list(world)).toBe(2);
    expect((await world.state(keyOf(5)))?.due_at).toBe(0);
  });
});

describe("a round", () => {
  test("that runs out of time goes on where it was, and reads each partition once", async () => {
    const world = await settled();
    world.clock.advance(90 * DAY_MS);
    const { asked, verificationState } = counting(world);
    const slow = {
      ...verificationState,
      query: (request: Parameters<typeof verificationState.query>[0]) => {
        world.clock.advance(1);
        return verificationState.query(request);
      },
    };
    let runs = 0;
    do {
      runs += 1;
      await list(world, { verificationState: slow }, world.clock.now() + 1_000);
    } while ((await roundOf(world))?.partition !== undefined);
    expect(runs).toBeGreaterThan(4);
    expect(new Set(asked).size).toBe(ROW_PARTITIONS);
    expect(asked).toHaveLength(ROW_PARTITIONS);
    expect((await world.state(KEY))?.due_pk).toContain("verified#");
  });

  test("is one run's at a time, and free again when that has died", async () => {
    const world = await settled();
    world.clock.advance(90 * DAY_MS);
    const dead = { query: () => Promise.reject(new Error("gone")), update: () => Promise.reject(new Error("gone")) };
    await expect(list(world, { verificationState: dead })).rejects.toThrow("gone");
    expect(await list(world)).toBe(0);
    world.clock.advance(leaseMs(world.listing.functionTimeoutMs));
    expect(await list(world)).toBe(1);
  });

  test("begins with nothing when its time is over", async () => {
    const world = await settled();
    world.clock.advance(90 * DAY_MS);
    expect(await list(world, {}, world.clock.now())).toBe(0);
  });

  test("leaves a record to whoever has written it since it was read", async () => {
    const world = await settled();
    for (const id of [1, 2]) world.primaryBucket.put(keyOf(id), "x");
    await world.settle();
    world.clock.advance(90 * DAY_MS);
    const { verificationState } = counting(world);
    const racing = {
      ...verificationState,
      query: async (request: Parameters<typeof verificationState.query>[0]) => {
        const page = await verificationState.query(request);
        if (page.items.some(({ sk }) => sk === KEY)) {
          await world.verificationState.update({
            key: rowKey(world.refOf(KEY)),
            update: "SET rev = rev + :one",
            values: { ":one": 1 },
          });
        }
        return page;
      },
    };
    expect(await list(world, { verificationState: racing })).toBe(2);
    expect((await world.state(KEY))?.due_pk).toBeUndefined();
  });
});
