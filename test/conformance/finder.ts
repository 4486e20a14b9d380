import { describe, expect, test } from "vitest";
import type { Replicable } from "../../shared/geo/replicable.ts";
import { loneWorld } from "./lone-world.ts";

/** How every type's unfinished work is found, whatever was lost. */
export const isFound = (type: Replicable): void => {
  describe("its unfinished work is found (F41, F44, F45, F104)", () => {
    test("by the sweep, when a row is due", async () => {
      const world = await loneWorld(type);
      world.replicaFaults.failNext("copy", "unavailable");
      world.primaryBucket.put(world.key, "first");
      await world.settle();
      expect(await world.row()).toHaveProperty("due_at");
      await world.loseMessages();
      await world.live(60 * 60_000);
      expect(world.replicaText(world.key)).toBe("first");
      expect(await world.row()).not.toHaveProperty("due_at");
    });

    test("by a walk, when no message ever came", async () => {
      const world = await loneWorld(type);
      world.primaryBucket.put(world.key, "first");
      await world.loseMessages();
      expect(await world.walk()).toMatchObject({
        findings: { listed: 1, missing: 1, enqueued: 1 },
        finished: [type.name],
      });
      await world.settle();
      expect(world.replicaText(world.key)).toBe("first");
    });

    test("by a walk, when a deletion was not heard of", async () => {
      const world = await loneWorld(type);
      world.primaryBucket.put(world.key, "first");
      await world.settle();
      world.primaryBucket.deleteCurrent(world.key);
      await world.loseMessages();
      expect(await world.walk()).toMatchObject({ findings: { orphan: 1 } });
      await world.settle();
      expect(world.replicaText(world.key)).toBeUndefined();
    });
  });
};
