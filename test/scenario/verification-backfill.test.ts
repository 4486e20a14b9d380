import { describe, expect, test } from "vitest";
import {
  EVENT_ON_ITS_WAY_MS,
  RECORDS_KEPT_MS,
  RECORDS_REMOVED_PER_PASS_MAX,
  STANDING_KEPT_MS,
} from "../../shared/geo/limits.ts";
import { rowKey } from "../../shared/geo/registry-row.ts";
import { backfillRecords, type BackfillingSite } from "../../shared/services/verification-backfill/backfill-records.ts";
import { listOldRecords } from "../../shared/services/verification-backfill/list-for-reverification.ts";
import { WALK_SETTINGS_DEFAULT } from "../../shared/services/registry-consistency/run-walks.ts";
import { clearedTypesQuery } from "../../shared/tables/site/cleared-types.ts";
import { parseWalk, walkRequest } from "../../shared/tables/site/consistency-items.ts";
import { setFlag } from "../../shared/tables/site/flags-item.ts";
import { askForWalk } from "../../shared/tables/site/walk-pace-item.ts";
import { type TwoSites, twoSites } from "../support/two-sites.ts";

const KEY = "cool_widgets/42/widget.bin";
const OTHER = "namespace_uploads/7/1/avatar.png";
const keyOf = (id: number): string => `cool_widgets/${id}/widget.bin`;
const ids = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index + 1);
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** The primary as its backfill sees it. */
const backfillingPrimary = (world: TwoSites, over: Partial<BackfillingSite> = {}): BackfillingSite => ({
  ...world.primary,
  primary: world.primary.bucket,
  verificationState: world.verificationState,
  siteTable: world.primarySiteTable,
  backfill: world.reverifying.queue,
  settings: world.listing.settings,
  // The rows themselves: these sites have no counters.
  recordsCounted: (name) =>
    Promise.resolve(world.verificationState.items().filter(({ pk }) => pk.startsWith(`${name}#`)).length),
  ...over,
});

/** One run, as the scheduler starts it each minute. */
const run = (world: TwoSites, over: Partial<BackfillingSite> = {}, settings = WALK_SETTINGS_DEFAULT) =>
  backfillRecords(backfillingPrimary(world, over), world.replicables, settings, Infinity);

const minutes = async (world: TwoSites, count: number): Promise<void> => {
  for (let minute = 0; minute < count; minute += 1) {
    world.clock.advance(MINUTE_MS);
    await run(world);
    await world.settle();
  }
};

const set = async (world: TwoSites, flag: string, value: boolean): Promise<void> => {
  await world.primarySiteTable.update(setFlag(flag, value, world.clock.now()));
  world.clock.advance(STANDING_KEPT_MS);
};

const ask = async (world: TwoSites, name: string): Promise<void> => {
  world.clock.advance(1);
  await world.primarySiteTable.update(askForWalk(name, world.clock.now()));
};

const recorded = async (world: TwoSites, keys: readonly string[]): Promise<readonly string[]> => {
  const states = await Promise.all(keys.map((key) => world.state(key)));
  return keys.filter((_, index) => states[index]?.verification_state === "succeeded");
};

describe("an object of the primary without a record", () => {
  test("that was there before the product gets one, and the next walk finds nothing to do (F47)", async () => {
    const world = twoSites();
    const keys = ids(1_200).map(keyOf);
    for (const key of keys) world.primaryBucket.put(key, key);
    await world.loseMessages();
    await minutes(world, 3);
    expect(await recorded(world, keys)).toEqual(keys);
    const walk = parseWalk(await world.primarySiteTable.get(walkRequest("cool_widget")));
    expect(walk).toMatchObject({ reason: "first", findings: { listed: 1_200, missing: 1_200, enqueued: 1_200 } });
    expect(world.telemetry.total("ConsistencyMissing")).toBe(0);
    world.clock.advance(WALK_SETTINGS_DEFAULT.everyMs);
    expect(await run(world)).toMatchObject({ findings: { listed: 1_200, missing: 0, stale: 0, enqueued: 0 } });
  });

  test("whose event was lost gets one, its record is brought up to date, and the loss is counted for the site", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "one");
    await world.settle();
    await minutes(world, 2);
    world.primaryBucket.put(KEY, "two");
    world.primaryBucket.put(OTHER, "new");
    await world.loseMessages();
    world.clock.advance(WALK_SETTINGS_DEFAULT.everyMs);
    await minutes(world, 2);
    const current = world.primaryBucket.current(KEY);
    expect(await world.state(KEY)).toMatchObject({
      verification_state: "succeeded",
      src_version_id: current?.versionId,
    });
    expect(await recorded(world, [OTHER])).toEqual([OTHER]);
    // Alarms watch the site as a whole: what is counted by type they never hear of.
    for (const metric of ["ConsistencyMissing", "ConsistencyStale"]) {
      expect(world.telemetry.total(metric)).toBe(1);
      for (const { name } of world.replicables) expect(world.telemetry.total(metric, name)).toBe(0);
    }
  });

  test("is not missed while its event is on its way", async () => {
    const world = twoSites();
    await minutes(world, 1);
    world.primaryBucket.put(KEY, "one");
    await ask(world, "cool_widget");
    expect((await run(world)).findings).toMatchObject({ listed: 1, missing: 0, enqueued: 0 });
    world.clock.advance(EVENT_ON_ITS_WAY_MS);
    await ask(world, "cool_widget");
    expect((await run(world)).findings).toMatchObject({ listed: 1, missing: 1, enqueued: 1 });
  });

  test("is left to those who look at it already", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "one", { checksum: "none" });
    world.primaryFaults.failNext("read", "unavailable");
    await world.settle();
    expect(await world.state(KEY)).toMatchObject({ verification_state: "failed" });
    expect((await run(world)).findings).toMatchObject({ listed: 1, missing: 0, enqueued: 0 });
  });
});

describe("a record whose object is gone", () => {
  test("goes when it is time to verify it again, though the event was lost", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "one");
    await world.settle();
    await world.sweep();
    world.primaryBucket.deleteCurrent(KEY);
    await world.loseMessages();
    world.clock.advance(91 * DAY_MS);
    await world.live(2 * 60 * MINUTE_MS);
    expect(await world.state(KEY)).toBeUndefined();
  });
});

describe("a type whose checksums are switched off (F87)", () => {
  test.each([["geo_cool_widget_replication"], ["geo_object_storage_verification"]])(
    "by %s has its records removed after a day; switched on again, they come back",
    async (flag) => {
      const world = twoSites();
      for (const key of [KEY, OTHER]) world.primaryBucket.put(key, key);
      await world.settle();
      await minutes(world, 2);
      await set(world, flag, false);
      world.clock.advance(RECORDS_KEPT_MS - MINUTE_MS);
      expect((await run(world)).removed).toBe(0);
      world.clock.advance(MINUTE_MS);
      const { removed } = await run(world);
      const both = flag === "geo_object_storage_verification";
      expect(removed).toBe(both ? 2 : 1);
      expect(await world.state(KEY)).toBeUndefined();
      expect(await recorded(world, [OTHER])).toEqual(both ? [] : [OTHER]);
      expect(world.telemetry.total("RecordsRemoved", "cool_widget")).toBe(1);
      await set(world, flag, true);
      await minutes(world, 3);
      expect(await recorded(world, [KEY, OTHER])).toEqual([KEY, OTHER]);
      expect(world.telemetry.total("ConsistencyMissing")).toBe(0);
    },
  );

  test("keeps them while its checksums are forced (F85)", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "one");
    await world.settle();
    await set(world, "geo_cool_widget_force_primary_checksumming", true);
    await set(world, "geo_cool_widget_replication", false);
    world.clock.advance(2 * RECORDS_KEPT_MS);
    expect((await run(world)).removed).toBe(0);
    expect(await recorded(world, [KEY])).toEqual([KEY]);
  });

  test("loses them a thousand in each pass, whatever state they are in, and without a cursor", async () => {
    const world = twoSites();
    const keys = ids(RECORDS_REMOVED_PER_PASS_MAX + 200).map(keyOf);
    for (const key of keys) {
      const ref = world.refOf(key);
      const partition = `cool_widget#${Number.parseInt(rowKey(ref).pk.slice(-3), 16) % 16}`;
      const settled = { verification_state: 2, due_at: 1, due_pk: `verified#${partition}` };
      const failed = { verification_state: 3, due_at: 1, due_pk: partition };
      const unlisted = { verification_state: 2 };
      const columns = [settled, failed, unlisted][Number.parseInt(partition.split("#")[1] ?? "", 10) % 3];
      await world.verificationState.put({ ...rowKey(ref), rev: 1, ...columns });
    }
    await set(world, "geo_cool_widget_replication", false);
    world.clock.advance(RECORDS_KEPT_MS);
    let removed = 0;
    for (let pass = 1; removed < keys.length && pass < 5; pass += 1) {
      const { removed: now } = await run(world);
      expect(now).toBeLessThanOrEqual(RECORDS_REMOVED_PER_PASS_MAX);
      expect(now).toBeGreaterThanOrEqual(200);
      removed += now;
    }
    expect(world.verificationState.items()).toEqual([]);
    expect((await run(world)).removed).toBe(0);
  });

  test.each([
    ["that somebody works on", (world: TwoSites) => world.settle()],
    [
      "that has moved since the index showed it",
      async (world: TwoSites) => {
        await world.sweep();
        await world.settle();
        world.clock.advance(90 * DAY_MS);
        await listOldRecords(world.listing, world.recorded(), Infinity);
      },
    ],
  ])("leaves one alone %s", async (_, age) => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "one");
    await age(world);
    await set(world, "geo_cool_widget_replication", false);
    world.clock.advance(RECORDS_KEPT_MS);
    const late = {
      query: async (request: Parameters<typeof world.verificationState.query>[0]) => {
        const page = await world.verificationState.query(request);
        const ref = rowKey(world.refOf(KEY));
        await world.verificationState.update({
          key: ref,
          update: "SET due_at = :now, rev = rev + :one",
          values: { ":now": world.clock.now() + 5, ":one": 1 },
        });
        return page;
      },
      delete: (request: Parameters<typeof world.verificationState.delete>[0]) =>
        world.verificationState.delete(request),
      update: (request: Parameters<typeof world.verificationState.update>[0]) =>
        world.verificationState.update(request),
      getMany: (keys: Parameters<typeof world.verificationState.getMany>[0]) => world.verificationState.getMany(keys),
    };
    expect((await run(world, { verificationState: late })).removed).toBe(0);
    expect(await world.state(KEY)).toBeDefined();
    world.clock.advance(MINUTE_MS);
    expect((await run(world)).removed).toBe(1);
  });

  test("is asked about for some hours more, until nobody is left who could make one, and then not before its flags change", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "one");
    await world.settle();
    await set(world, "geo_cool_widget_replication", false);
    world.clock.advance(RECORDS_KEPT_MS);
    await run(world);
    const asked = { queries: 0 };
    const counting = {
      query: (request: Parameters<typeof world.verificationState.query>[0]) => {
        asked.queries += 1;
        return world.verificationState.query(request);
      },
      delete: (request: Parameters<typeof world.verificationState.delete>[0]) =>
        world.verificationState.delete(request),
      update: (request: Parameters<typeof world.verificationState.update>[0]) =>
        world.verificationState.update(request),
      getMany: (keys: Parameters<typeof world.verificationState.getMany>[0]) => world.verificationState.getMany(keys),
    };
    const queriesOfRun = async (): Promise<number> => {
      asked.queries = 0;
      await run(world, { verificationState: counting });
      return asked.queries;
    };
    const ofOne = 32;
    const before = await queriesOfRun();
    expect(before).toBeGreaterThanOrEqual(ofOne);
    world.clock.advance(2 * DAY_MS);
    await run(world);
    expect((await world.primarySiteTable.query(clearedTypesQuery())).items).toContainEqual(
      expect.objectContaining({ sk: "cleared#cool_widget" }),
    );
    expect(await queriesOfRun()).toBe(before - ofOne);
    // On and off again: whoever made records meanwhile has them removed.
    await set(world, "geo_cool_widget_replication", true);
    world.primaryBucket.put(KEY, "two");
    await world.settle();
    await set(world, "geo_cool_widget_replication", false);
    world.clock.advance(RECORDS_KEPT_MS);
    expect((await run(world)).removed).toBe(1);
  });
});

describe("a run that is cut short", () => {
  test("by the death of its worker is taken up when the lease is over", async () => {
    const world = twoSites();
    const keys = ids(50).map(keyOf);
    for (const key of keys) world.primaryBucket.put(key, key);
    await world.loseMessages();
    const handsOver = Promise.withResolvers<undefined>();
    const dying = {
      ...world.reverifying.queue,
      send: () => {
        handsOver.resolve(undefined);
        return new Promise<never>(() => {});
      },
    };
    void run(world, { backfill: dying });
    await handsOver.promise;
    expect((await run(world)).findings.enqueued).toBe(0);
    world.clock.advance(10 * MINUTE_MS);
    expect((await run(world)).findings.enqueued).toBe(50);
    await world.settle();
    expect(await recorded(world, keys)).toEqual(keys);
  });

  test("by the loss of its messages is made good by the next walk", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "one");
    await world.loseMessages();
    expect((await run(world)).findings.enqueued).toBe(1);
    await world.loseMessages();
    expect(await world.state(KEY)).toBeUndefined();
    await run(world);
    world.clock.advance(WALK_SETTINGS_DEFAULT.everyMs);
    await minutes(world, 1);
    expect(await recorded(world, [KEY])).toEqual([KEY]);
  });

  test("waits while the checksum function has its hands full", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "one");
    await world.loseMessages();
    const busy = { ...world.reverifying.queue, backlog: () => Promise.resolve(1_000) };
    expect(await run(world, { backfill: busy })).toMatchObject({ stopped: "backlog", findings: { enqueued: 0 } });
  });
});
