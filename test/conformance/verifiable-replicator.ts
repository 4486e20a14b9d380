import { describe, expect, test } from "vitest";
import type { Replicable } from "../../shared/geo/replicable.ts";
import { loneWorld } from "./lone-world.ts";

/** What every type does to know that its replicas are right. */
export const behavesAsVerifiableReplicator = (type: Replicable): void => {
  describe("as a verifiable replicator (F7, F22, F24)", () => {
    test("keeps a checksum at the primary, and verifies the replica against it", async () => {
      const world = await loneWorld(type);
      world.primaryBucket.put(world.key, "first");
      await world.settle();
      const state = await world.state();
      expect(state).toMatchObject({ verification_state: "succeeded", tombstone: false });
      expect(state?.verification_checksum).toMatch(/^\w+:[0-9a-f]+$/);
      const row = await world.row();
      expect(row).toMatchObject({ verification_state: "succeeded", checksum_mismatch: false });
      expect(row?.verification_checksum).toBe(state?.verification_checksum);
    });

    test("computes the checksum of an object for which S3 keeps none", async () => {
      const world = await loneWorld(type);
      world.primaryBucket.put(world.key, "first", { checksum: "none" });
      await world.settle();
      await world.live(60_000);
      expect((await world.state())?.verification_checksum).toMatch(/^sha256:/);
      expect(await world.row()).toMatchObject({ state: "synced", verification_state: "succeeded" });
    });

    test("verifies later what is too large to be verified in passing", async () => {
      const world = await loneWorld(type, { fusedVerificationBytesMax: 0 });
      world.primaryBucket.put(world.key, "first");
      await world.settle();
      expect(await world.row()).toMatchObject({ state: "synced", verification_state: "succeeded" });
    });

    test("puts right a replica that somebody else has changed", async () => {
      const world = await loneWorld(type);
      world.primaryBucket.put(world.key, "right");
      await world.settle();
      world.replicaBucket.put(world.key, "wrong");
      await world.live(5 * 60_000);
      expect(world.replicaText(world.key)).toBe("right");
      expect(await world.row()).toMatchObject({ state: "synced", verification_state: "succeeded" });
    });

    test("forgets the primary's checksum when the object is gone", async () => {
      const world = await loneWorld(type);
      world.primaryBucket.put(world.key, "first");
      await world.settle();
      world.primaryBucket.deleteCurrent(world.key);
      await world.settle();
      expect(await world.state()).toMatchObject({ tombstone: true });
    });
  });
};
