import { describe, expect, test } from "vitest";
import { encodeKey } from "../../shared/geo/key-codec.ts";
import { type Replicable, assertEventSupported } from "../../shared/geo/replicable.ts";
import { loneWorld } from "./lone-world.ts";

/** What every type of blob does with its objects. */
export const behavesAsBlobReplicator = (type: Replicable): void => {
  describe("as a blob replicator (F3, F36, F48)", () => {
    test("announces a new object as created, with Geo's fields", async () => {
      const world = await loneWorld(type);
      world.primaryBucket.put(world.key, "first");
      const [event, ...others] = await world.published();
      expect(others).toEqual([]);
      expect(event).toMatchObject({
        replicable_name: type.name,
        event_name: "created",
        payload: { model_record_id: world.modelRecordId, blob_path: encodeKey(world.key) },
      });
      expect(event?.payload.correlation_id).not.toBe("");
      expect(event?.payload).not.toHaveProperty("uploader_class");
    });

    test("announces a deleted object with the class that wrote it", async () => {
      const world = await loneWorld(type);
      world.primaryBucket.put(world.key, "first");
      await world.settle();
      world.primaryBucket.deleteCurrent(world.key);
      expect(await world.published()).toMatchObject([
        { replicable_name: type.name, event_name: "deleted", payload: { uploader_class: world.uploader } },
      ]);
    });

    test("announces an object that is overwritten as created again, and knows no updated", async () => {
      const world = await loneWorld(type);
      world.primaryBucket.put(world.key, "first");
      await world.settle();
      world.primaryBucket.put(world.key, "second");
      expect(await world.published()).toMatchObject([{ event_name: "created" }]);
      expect(() => assertEventSupported(type, "updated")).toThrow(/has no event "updated"/);
    });

    test("copies a new object with all that belongs to it", async () => {
      const world = await loneWorld(type);
      const beside = { metadata: { "geo-namespace": "1/7" }, tags: { team: "geo" }, storageClass: "STANDARD_IA" };
      world.primaryBucket.put(world.key, "first", beside);
      await world.settle();
      expect(world.replicaText(world.key)).toBe("first");
      expect(world.replicaBucket.current(world.key)).toMatchObject(beside);
    });

    test("follows an object that is overwritten", async () => {
      const world = await loneWorld(type);
      world.primaryBucket.put(world.key, "first");
      await world.settle();
      world.primaryBucket.put(world.key, "second");
      await world.settle();
      expect(world.replicaText(world.key)).toBe("second");
    });

    test("hides the replica of a deleted object, keeps its bytes, and forgets its row", async () => {
      const world = await loneWorld(type);
      world.primaryBucket.put(world.key, "first");
      await world.settle();
      world.primaryBucket.deleteCurrent(world.key);
      await world.settle();
      expect(world.replicaText(world.key)).toBeUndefined();
      expect(world.replicaBucket.versions(world.key).map(({ kind }) => kind)).toEqual(["object", "delete_marker"]);
      expect(await world.row()).toBeUndefined();
    });

    test("leaves what is not of the type alone", async () => {
      const world = await loneWorld(type);
      world.primaryBucket.put(`elsewhere/${world.key}/`, "not ours");
      await world.settle();
      expect(world.replicaBucket.versions(`elsewhere/${world.key}/`)).toEqual([]);
      expect(world.registry.items()).toEqual([]);
    });
  });
};
