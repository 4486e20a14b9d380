import { expect, test } from "vitest";
import { twoSites, type TwoSites } from "../support/two-sites.ts";
import { Worker } from "../support/workers.ts";

const KEY = "cool_widgets/42/widget.bin";

/** From now on the replica's bucket makes no versions, until the function that is returned is called. */
const suspendVersioning = (world: TwoSites): (() => void) => {
  const { replicaBucket } = world;
  const identity = replicaBucket.identity.bind(replicaBucket);
  replicaBucket.identity = () => ({ ...identity(), versionId: "null" });
  return () => {
    replicaBucket.identity = identity;
  };
};

test("a copy into a bucket that has stopped to keep versions is never settled as synced, and is doubted", async () => {
  const world = twoSites({ replicaDrift: false });
  world.primaryBucket.put(KEY, "one");
  await world.settle();
  const named = (await world.row(KEY))?.rep_version_id;
  world.primaryBucket.put(KEY, "two");
  await world.loseMessages();
  const resume = suspendVersioning(world);
  // What the bucket on S3 makes of an answer that names no version.
  world.replicaFaults.loseNextAnswer("copy", "now");
  const worker = await new Worker(world, KEY).until("copy");
  expect(await worker.finish()).toMatchObject({ result: "failed", kind: "unknown_outcome" });
  expect(world.replicaText(KEY)).toBe("two");
  const row = await world.row(KEY);
  expect(row).toMatchObject({ state: "failed", rep_version_id: named, retry_count: 1 });
  expect(row?.taint_until).toBeGreaterThan(world.clock.now());
  // It keeps them again: what lies there is as good as any version from before versioning was turned on.
  resume();
  await world.live(3 * 60 * 60_000);
  expect(await world.row(KEY)).toMatchObject({
    state: "synced",
    verification_state: "succeeded",
    rep_version_id: "null",
  });
  expect(world.replicaBucket.current(KEY)?.versionId).toBe("null");
});
