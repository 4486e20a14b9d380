import { describe, expect, test } from "vitest";
import { RegistryItem, StateItem } from "../../shared/geo/registry-row.ts";
import type { Replicable } from "../../shared/geo/replicable.ts";
import { loneWorld } from "./lone-world.ts";

/** What every type's records look like, and how they are counted. */
export const keepsRegistry = (type: Replicable): void => {
  const { names } = type;
  const { statusFields } = names;

  describe("its registry (F6, F11)", () => {
    test("has one row for each object, under the type's name", async () => {
      const world = await loneWorld(type);
      for (const text of ["first", "second"]) {
        world.primaryBucket.put(world.key, text);
        world.primaryBucket.put(world.otherKey, text);
        await world.settle();
      }
      for (const table of [world.registry, world.verificationState]) {
        const items = table.items();
        expect(items.map(({ sk }) => sk).toSorted()).toEqual([world.key, world.otherKey].toSorted());
        for (const { pk } of items) expect(pk).toMatch(new RegExp(`^${type.name}#[0-9a-f]{3}$`));
      }
    });

    test("has Geo's columns and no others", async () => {
      const world = await loneWorld(type);
      world.primaryBucket.put(world.key, "first");
      await world.settle();
      const known = { registry: Object.keys(RegistryItem.shape), state: Object.keys(StateItem.shape) };
      for (const item of world.registry.items())
        expect(known.registry).toEqual(expect.arrayContaining(Object.keys(item)));
      for (const item of world.verificationState.items())
        expect(known.state).toEqual(expect.arrayContaining(Object.keys(item)));
      const row = await world.row();
      expect(row).toMatchObject({ state: "synced", retry_count: 0, src_size: 5 });
      expect(row?.last_synced_at).toBeGreaterThan(0);
      expect(row).not.toHaveProperty("last_sync_failure");
      expect(row).not.toHaveProperty("retry_at");
    });

    test("says why a sync failed and when it is tried again, and forgets that when it succeeds", async () => {
      const world = await loneWorld(type);
      world.replicaFaults.failNext("copy", "forbidden");
      world.primaryBucket.put(world.key, "first");
      await world.settle();
      const failed = await world.row();
      expect(failed).toMatchObject({ state: "failed", retry_count: 1 });
      expect(failed?.last_sync_failure).not.toBe("");
      expect(failed?.retry_at).toBeGreaterThan(world.clock.now());
      await world.live(60 * 60_000);
      const row = await world.row();
      expect(row).toMatchObject({ state: "synced", verification_state: "succeeded", retry_count: 0 });
      expect(row).not.toHaveProperty("last_sync_failure");
    });

    test("is counted under the type's own name, at both sites", async () => {
      const world = await loneWorld(type);
      world.primaryBucket.put(world.key, "first");
      world.primaryBucket.put(world.otherKey, "second");
      await world.settle();
      expect(await world.status("secondary")).toMatchObject({
        [statusFields.registryCount]: 2,
        [statusFields.syncedCount]: 2,
        [statusFields.verifiedCount]: 2,
        [statusFields.failedCount]: 0,
        [statusFields.syncedInPercentage]: "100.00%",
      });
      expect(await world.status("primary")).toMatchObject({
        [statusFields.count]: 2,
        [statusFields.checksummedCount]: 2,
        [statusFields.checksumFailedCount]: 0,
      });
    });

    test("is counted no more when its objects are gone", async () => {
      const world = await loneWorld(type);
      world.primaryBucket.put(world.key, "first");
      await world.settle();
      world.primaryBucket.deleteCurrent(world.key);
      await world.settle();
      expect(await world.status("secondary")).toMatchObject({ [statusFields.registryCount]: 0 });
      expect(await world.status("primary")).toMatchObject({ [statusFields.count]: 0 });
    });
  });

  test("has the names that follow from its own (F2)", () => {
    const { name } = type;
    expect(names).toMatchObject({
      registryTable: `${name}_registry`,
      stateTable: `${name}_states`,
      foreignKeyColumn: `${name}_id`,
      registryEnumKey: `${name}_registry`.toUpperCase(),
      flags: { replication: `geo_${name}_replication` },
    });
    expect(names.registryClass.toLowerCase()).toBe(`${name}registry`.replaceAll("_", ""));
    expect(names.registriesField.toLowerCase()).toBe(`${name}registries`.replaceAll("_", ""));
    expect(statusFields.syncedCount).toBe(`${names.plural}_synced_count`);
    expect(names.gauges.syncedCount).toBe(`geo_${names.plural}_synced`);
  });
};
