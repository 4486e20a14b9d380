import { describe, expect, test } from "vitest";
import { recordPrimaryChecksum } from "../../shared/services/record-checksum.ts";
import { twoSites, type TwoSites } from "../support/two-sites.ts";

const KEY = "cool_widgets/42/widget.bin";

/** A worker of the primary that has read its row and seen its object, and is then overtaken by whatever `meanwhile` does. */
const overtaken = async (world: TwoSites, meanwhile: () => Promise<void>) => {
  const { bucket } = world.primary;
  let first = true;
  const slow = {
    ...world.primary,
    bucket: {
      ...bucket,
      bucket: bucket.bucket,
      head: async (key: string) => {
        const seen = await bucket.head(key);
        if (first) {
          first = false;
          await meanwhile();
        }
        return seen;
      },
    } as typeof bucket,
  };
  const ref = world.refOf(KEY);
  return recordPrimaryChecksum(slow, { ref, modelRecordId: "42/widget.bin", correlationId: "c", stopAt: Infinity });
};

describe("a slow look at the primary's own object", () => {
  test("does not record a version that was purged since, though the row looks as it did", async () => {
    const world = twoSites();
    const kept = world.primaryBucket.put(KEY, "kept");
    await world.settle();
    const purged = world.primaryBucket.put(KEY, "purged");
    await world.loseMessages();
    await overtaken(world, async () => {
      world.primaryBucket.deleteVersion(KEY, purged.versionId);
      await world.settle();
    });
    await world.settle();
    expect(await world.state(KEY)).toMatchObject({ src_version_id: kept.versionId });
  });

  test("does not make a record of an object that was deleted since, though there is none as there was none", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "short-lived");
    await world.loseMessages();
    await overtaken(world, async () => {
      world.primaryBucket.deleteCurrent(KEY);
      await world.settle();
    });
    await world.live(3 * 60 * 60_000);
    expect(await world.state(KEY)).toBeUndefined();
  });
});
