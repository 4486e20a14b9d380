import { describe, expect, test } from "vitest";
import type { GeoMessage } from "../../shared/geo/geo-message.ts";
import { encodeKey } from "../../shared/geo/key-codec.ts";
import { STANDING_KEPT_MS } from "../../shared/geo/limits.ts";
import type { SelectiveSync } from "../../shared/geo/selective-sync.ts";
import { keepConsistent } from "../../shared/services/registry-consistency/keep-consistent.ts";
import { WALK_SETTINGS_DEFAULT } from "../../shared/services/registry-consistency/run-walks.ts";
import type { WalkingSite } from "../../shared/services/registry-consistency/walk-range.ts";
import { rowKey } from "../../shared/geo/registry-row.ts";
import { setFlag } from "../../shared/tables/site/flags-item.ts";
import { parseWalk, walkRequest } from "../../shared/tables/site/consistency-items.ts";
import { changeSettings, type SettingsChange } from "../../shared/tables/site/site-record.ts";
import { type TwoSites, twoSites } from "../support/two-sites.ts";

/** Objects of namespaces that belong to no other one, and those of one that lies under two others. */
const OF_7 = "namespace_uploads/7/1/avatar.png";
const OF_8 = "namespace_uploads/8/2/avatar.png";
const OF_42_UNDER_7 = "namespace_uploads/42/3/avatar.png";
const WIDGET_OF_SHARD = "cool_widgets/4/widget.bin";
const WIDGET_OF_NOBODY = "cool_widgets/5/widget.bin";
const ALL = [OF_7, OF_8, OF_42_UNDER_7, WIDGET_OF_SHARD, WIDGET_OF_NOBODY] as const;

const METADATA: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  [OF_42_UNDER_7]: { "geo-namespace": "7/40/42" },
  [WIDGET_OF_SHARD]: { "geo-shard": "default,nvme", "geo-organization": "3" },
};

const NAMESPACE_7: SelectiveSync = { type: "namespaces", ids: ["7"] };

const putAll = (world: TwoSites): void => {
  for (const key of ALL) world.primaryBucket.put(key, key, { metadata: METADATA[key] ?? {} });
};

/** Which of the keys the secondary has, by its bucket and by its registry. */
const had = async (world: TwoSites): Promise<readonly string[]> => {
  const rows = await Promise.all(ALL.map((key) => world.row(key)));
  const byRegistry = ALL.filter((_, index) => rows[index]?.state === "synced");
  expect(ALL.filter((key) => world.replicaText(key) !== undefined)).toEqual(byRegistry);
  return byRegistry;
};

const change = async (world: TwoSites, settings: SettingsChange): Promise<void> => {
  await world.siteTable.update(changeSettings(settings, world.clock.now()));
  world.clock.advance(STANDING_KEPT_MS);
};

const setFlagOf = async (world: TwoSites, name: string, value: boolean | undefined): Promise<void> => {
  await world.primarySiteTable.update(setFlag(name, value, world.clock.now()));
  world.clock.advance(STANDING_KEPT_MS);
};

/** What the scheduler starts each minute, until nothing is left to do. */
const walkThrough = async (world: TwoSites): Promise<void> => {
  const heads: string[] = [];
  const site: WalkingSite = {
    ...world.secondary,
    settings: world.settings,
    registry: world.registry,
    siteTable: world.siteTable,
    primary: {
      list: (options) => world.secondary.primary.list(options),
      head: (key) => {
        heads.push(key);
        return world.secondary.primary.head(key);
      },
    },
    backfill: {
      name: "backfill",
      send: (messages) => world.queues.events.live.send(messages),
      backlog: () => Promise.resolve(0),
    },
  };
  for (let minute = 0; minute < 3; minute += 1) {
    world.clock.advance(60_000);
    await keepConsistent(site, world.replicables, WALK_SETTINGS_DEFAULT, Infinity);
    await world.settle();
  }
};

/** The primary looks at an object of a type, as the sweep has it do. */
const sweepUp = async (world: TwoSites, replicableName: string, key: string): Promise<void> => {
  const message: GeoMessage = { version: 1, kind: "due", replicable_name: replicableName, keys: [encodeKey(key)] };
  await world.queues.checksum.live.send([{ body: JSON.stringify(message) }]);
  await world.settle();
};

const walkOf = async (world: TwoSites, name: string) => parseWalk(await world.siteTable.get(walkRequest(name)));

describe("a secondary with a rule", () => {
  test.each<readonly [string, SelectiveSync, readonly string[]]>([
    ["nothing is restricted", { type: "none" }, ALL],
    ["a namespace includes its descendants", NAMESPACE_7, [OF_7, OF_42_UNDER_7]],
    ["a descendant does not include its ancestors", { type: "namespaces", ids: ["42"] }, [OF_42_UNDER_7]],
    ["several namespaces", { type: "namespaces", ids: ["8", "40"] }, [OF_8, OF_42_UNDER_7]],
    ["a shard", { type: "shards", ids: ["nvme"] }, [WIDGET_OF_SHARD]],
    ["an organization", { type: "organizations", ids: ["3"] }, [WIDGET_OF_SHARD]],
  ])("takes what its rule names: %s (F51, F52)", async (_, rule, wanted) => {
    const world = twoSites();
    await change(world, { selectiveSync: rule });
    putAll(world);
    await world.settle();
    expect(await had(world)).toEqual(wanted);
    expect(world.queues.events.live.size).toBe(0);
  });

  test("applies a delete whatever the rule says of the object (F48)", async () => {
    const world = twoSites();
    putAll(world);
    await world.settle();
    await change(world, { selectiveSync: NAMESPACE_7 });
    world.primaryBucket.deleteCurrent(OF_8);
    await world.settle();
    expect(world.replicaText(OF_8)).toBeUndefined();
    expect(await world.row(OF_8)).toBeUndefined();
  });

  test("says so where an object's owners can not be read, and goes by the rest", async () => {
    const world = twoSites();
    await change(world, { selectiveSync: NAMESPACE_7 });
    world.primaryBucket.put(OF_7, "x", { metadata: { "geo-namespace": "7//; drop" } });
    await world.settle();
    expect(world.replicaText(OF_7)).toBe("x");
    const warning = world.telemetry.linesOf("an object's owners can not be read")[0];
    expect(warning?.fields["reason"]).toContain('the metadata geo-namespace is "7//; drop"');
  });
});

describe("a rule that changes while the site runs", () => {
  test("lets what left go, through the guard, and brings what came in (F46)", async () => {
    const world = twoSites();
    putAll(world);
    await world.settle();
    await walkThrough(world);
    expect(await had(world)).toEqual(ALL);

    await change(world, { selectiveSync: NAMESPACE_7 });
    await walkThrough(world);
    expect(await had(world)).toEqual([OF_7, OF_42_UNDER_7]);
    expect(await walkOf(world, "group_upload")).toMatchObject({
      reason: "settings_changed",
      findings: { outOfScope: 1 },
    });
    expect(await walkOf(world, "cool_widget")).toMatchObject({ findings: { outOfScope: 2, missing: 0 } });
    expect(world.telemetry.total("ReplicaRemoved")).toBe(3);
    // What an operator asked for is nothing to be alarmed at.
    for (const metric of ["ConsistencyMissing", "ConsistencyStale", "ConsistencyOrphan"]) {
      expect(world.telemetry.total(metric)).toBe(0);
    }

    await change(world, { selectiveSync: { type: "none" } });
    await walkThrough(world);
    expect(await had(world)).toEqual(ALL);
  });

  test("costs nothing in walks afterwards for what can be told from the key, and one look for what can not", async () => {
    const world = twoSites();
    await change(world, { selectiveSync: NAMESPACE_7 });
    putAll(world);
    await world.settle();
    await walkThrough(world);
    world.clock.advance(WALK_SETTINGS_DEFAULT.everyMs);
    await walkThrough(world);
    const walk = await walkOf(world, "group_upload");
    expect(walk).toMatchObject({
      reason: "scheduled",
      findings: { listed: 3, missing: 0, outOfScope: 0, enqueued: 0 },
    });
    expect(await had(world)).toEqual([OF_7, OF_42_UNDER_7]);
  });

  test("reaches a worker that has a row in hand and decided by the old one", async () => {
    const world = twoSites();
    putAll(world);
    await world.settle();
    await walkThrough(world);
    await world.registry.update({
      key: rowKey(world.refOf(OF_8)),
      update: "SET attempt_token = :token, lease_until = :lease",
      values: { ":token": "somebody", ":lease": world.clock.now() + 3_600_000 },
    });
    const before = (await world.row(OF_8))?.gen ?? 0;
    await change(world, { selectiveSync: NAMESPACE_7 });
    await walkThrough(world);
    expect((await world.row(OF_8))?.gen).toBe(before + 1);
  });

  test("is not walked through before every function has heard of it", async () => {
    const world = twoSites();
    putAll(world);
    await world.settle();
    await walkThrough(world);
    const { id } = (await walkOf(world, "group_upload")) ?? { id: undefined };
    await world.siteTable.update(changeSettings({ selectiveSync: NAMESPACE_7 }, world.clock.now() + 60_000));
    world.clock.advance(60_000 + 2 * STANDING_KEPT_MS);
    const site: WalkingSite = {
      ...world.secondary,
      settings: world.settings,
      registry: world.registry,
      siteTable: world.siteTable,
      backfill: {
        name: "backfill",
        send: () => Promise.resolve({ outcome: "sent" }),
        backlog: () => Promise.resolve(0),
      },
    };
    await keepConsistent(site, world.replicables, WALK_SETTINGS_DEFAULT, Infinity);
    expect((await walkOf(world, "group_upload"))?.id).toBe(id);
    world.clock.advance(STANDING_KEPT_MS);
    await keepConsistent(site, world.replicables, WALK_SETTINGS_DEFAULT, Infinity);
    expect((await walkOf(world, "group_upload"))?.id).not.toBe(id);
  });

  test("of keeping objects at all: off forgets the rows and leaves the replicas, on adopts them without a copy (F54)", async () => {
    const world = twoSites();
    putAll(world);
    await world.settle();
    await walkThrough(world);
    const versions = ALL.map((key) => world.replicaBucket.versions(key).length);
    await change(world, { syncObjectStorage: false });
    await walkThrough(world);
    for (const key of ALL) {
      expect(await world.row(key)).toBeUndefined();
      expect(world.replicaText(key)).toBe(key);
    }
    await change(world, { syncObjectStorage: true });
    await walkThrough(world);
    expect(await had(world)).toEqual(ALL);
    expect(ALL.map((key) => world.replicaBucket.versions(key).length)).toEqual(versions);
  });
});

describe("a type that is switched off (F84)", () => {
  const flag = "geo_cool_widget_replication";
  const KEY = "cool_widgets/6/widget.bin";

  test("has no events, no sync and no verification; what is there stays, and another type goes on", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "one");
    await world.settle();
    await setFlagOf(world, flag, false);
    world.primaryBucket.put(KEY, "two");
    world.primaryBucket.put(OF_7, "of a group");
    await world.settle();
    await world.live(3_600_000);
    expect(world.replicaText(KEY)).toBe("one");
    expect(await world.row(KEY)).toMatchObject({ state: "synced", verification_state: "succeeded" });
    expect(world.replicaText(OF_7)).toBe("of a group");
    expect(world.telemetry.total("SwitchedOff")).toBeGreaterThan(0);
  });

  test("goes on by backfill when it is on again, with all that changed meanwhile", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "one");
    await world.settle();
    await walkThrough(world);
    await setFlagOf(world, flag, false);
    world.primaryBucket.put(KEY, "two");
    world.primaryBucket.put(WIDGET_OF_NOBODY, "new");
    await world.settle();
    await walkThrough(world);
    expect(world.replicaText(KEY)).toBe("one");
    await setFlagOf(world, flag, true);
    await walkThrough(world);
    expect(world.replicaText(KEY)).toBe("two");
    expect(world.replicaText(WIDGET_OF_NOBODY)).toBe("new");
  });

  test("is off when its declaration says so, until somebody switches it on", async () => {
    const world = twoSites({ flagsOfDeclarations: true });
    world.primaryBucket.put(KEY, "one");
    await world.settle();
    expect(await world.row(KEY)).toBeUndefined();
    await setFlagOf(world, flag, true);
    world.primaryBucket.put(KEY, "two");
    await world.settle();
    expect(world.replicaText(KEY)).toBe("two");
  });

  test("keeps its digests at the primary while its checksumming is forced (F85)", async () => {
    const world = twoSites({ flagsOfDeclarations: true });
    world.primaryBucket.put(KEY, "one");
    await world.settle();
    expect(await world.state(KEY)).toBeUndefined();
    await setFlagOf(world, "geo_cool_widget_force_primary_checksumming", true);
    world.primaryBucket.put(KEY, "two");
    await world.settle();
    expect(await world.state(KEY)).toMatchObject({ verification_state: "succeeded" });
    expect(await world.row(KEY)).toBeUndefined();
  });

  test("and with verification off everywhere, replicas are copied and not read; on again, they are (F87)", async () => {
    const world = twoSites();
    await setFlagOf(world, "geo_object_storage_verification", false);
    world.primaryBucket.put(KEY, "one");
    await world.settle();
    expect(await world.row(KEY)).toMatchObject({ state: "synced", verification_state: "disabled" });
    expect((await world.row(KEY))?.due_at).toBeUndefined();
    await walkThrough(world);
    await setFlagOf(world, "geo_object_storage_verification", true);
    await walkThrough(world);
    expect(await world.row(KEY)).toMatchObject({ state: "synced", verification_state: "succeeded" });
    expect(world.replicaBucket.versions(KEY)).toHaveLength(1);
  });

  test("nothing is decided while its flag can not be read: messages come again", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "one");
    await world.primarySiteTable.put({ pk: "site", sk: "flags", flag_geo_cool_widget_replication: "yes, please" });
    await world.settle().catch(() => undefined);
    expect(world.replicaText(KEY)).toBeUndefined();
    await setFlagOf(world, flag, true);
    await world.live(3_600_000);
    expect(world.replicaText(KEY)).toBe("one");
  });
});

describe("a partitioned type and its partitions (F90)", () => {
  const FLAG = "geo_upload_replication";
  const AVATAR = "achievement_uploads/7/42/avatar.png";

  /** The types that have a row of the key, in either table. */
  const registriesOf = async (world: TwoSites): Promise<readonly string[]> => {
    const names = ["achievement_upload", "upload"];
    const rows = await Promise.all(
      names.map((replicableName) => world.registry.get(rowKey({ replicableName, key: AVATAR }))),
    );
    return names.filter((_, index) => rows[index] !== undefined);
  };

  test("an object is of the one that is on, and never of both", async () => {
    const world = twoSites({ flagsOfDeclarations: true });
    await setFlagOf(world, "geo_achievement_upload_replication", true);
    world.primaryBucket.put(AVATAR, "one");
    await world.settle();
    expect(world.replicaText(AVATAR)).toBe("one");
    expect(await registriesOf(world)).toEqual(["upload"]);
    expect(await world.verificationState.get(rowKey({ replicableName: "upload", key: AVATAR }))).toBeDefined();
  });

  test("after the switch-over the partition adopts what is there, without a copy, and goes on alone", async () => {
    const world = twoSites({ flagsOfDeclarations: true });
    world.primaryBucket.put(AVATAR, "one");
    await world.settle();
    await walkThrough(world);
    await setFlagOf(world, "geo_achievement_upload_replication", true);
    await setFlagOf(world, FLAG, false);
    await walkThrough(world);
    expect(await world.row(AVATAR)).toMatchObject({ state: "synced", verification_state: "succeeded" });
    expect(world.replicaBucket.versions(AVATAR)).toHaveLength(1);

    world.primaryBucket.put(AVATAR, "two");
    await world.settle();
    expect(world.replicaText(AVATAR)).toBe("two");
    world.primaryBucket.deleteCurrent(AVATAR);
    await world.settle();
    await world.live(3_600_000);
    expect(world.replicaText(AVATAR)).toBeUndefined();
    // The row of before is of a type that is off: it stays as it was, and nobody acts on it (F84).
    expect(await registriesOf(world)).toEqual(["upload"]);
  });

  test("under a rule by namespaces all uploads but those of groups and projects go everywhere, as one type; as partitions not", async () => {
    const [ofUser, ofGroup] = ["user_uploads/3/9/avatar.png", "achievement_uploads/8/43/avatar.png"] as const;
    const has = (world: TwoSites) => [ofUser, ofGroup, AVATAR].filter((key) => world.replicaText(key) !== undefined);
    for (const [flagsOfDeclarations, expected] of [
      [true, [ofUser, AVATAR]],
      [false, [AVATAR]],
    ] as const) {
      const world = twoSites({ flagsOfDeclarations });
      await change(world, { selectiveSync: NAMESPACE_7 });
      for (const key of [ofUser, ofGroup, AVATAR]) world.primaryBucket.put(key, key);
      await world.settle();
      expect(has(world)).toEqual(expected);
    }
  });

  test("and back again: the partitioned type finds all that changed meanwhile", async () => {
    const world = twoSites();
    world.primaryBucket.put(AVATAR, "one");
    await world.settle();
    await walkThrough(world);
    await setFlagOf(world, FLAG, true);
    world.primaryBucket.put(AVATAR, "two");
    await world.settle();
    await walkThrough(world);
    expect(world.replicaText(AVATAR)).toBe("two");
    expect(await world.registry.get(rowKey({ replicableName: "upload", key: AVATAR }))).toMatchObject({ state: 2 });
  });

  test("what was read of an object under the one is not read again under the other (F92)", async () => {
    const world = twoSites({ flagsOfDeclarations: true });
    // S3 stores no digest of it that could be compared, so that the primary has to read it.
    world.primaryBucket.put(AVATAR, "one", { checksum: "none" });
    await world.settle();
    const before = await world.verificationState.get(rowKey({ replicableName: "upload", key: AVATAR }));
    expect(before).toMatchObject({ verification_checksum: expect.stringMatching(/^sha256:/) as string });
    await setFlagOf(world, "geo_achievement_upload_replication", true);
    await setFlagOf(world, FLAG, false);
    world.primaryFaults.failNext("read", "unavailable");
    await sweepUp(world, "achievement_upload", AVATAR);
    expect(await world.state(AVATAR)).toMatchObject({
      verification_state: "succeeded",
      verification_checksum: before?.["verification_checksum"],
    });
    await walkThrough(world);
    expect(await world.row(AVATAR)).toMatchObject({ state: "synced", verification_state: "succeeded" });

    // Another version is another matter: nobody has read that one.
    world.primaryBucket.put(AVATAR, "two", { checksum: "none" });
    await setFlagOf(world, FLAG, true);
    await world.settle();
    expect(await world.verificationState.get(rowKey({ replicableName: "upload", key: AVATAR }))).toMatchObject({
      verification_state: 3,
    });
  });
});
