import { MemoryBucket } from "../../../shared/memory/bucket.ts";
import { SeededChance } from "../../../shared/memory/chance.ts";
import { ManualClock } from "../../../shared/memory/clock.ts";
import { MemoryReadableBucket } from "../../../shared/memory/readable-bucket.ts";
import { MemoryReplicaBucket } from "../../../shared/memory/replica-bucket.ts";
import type { ObjectWorld } from "../object-world.ts";
import type { ReplicaUnderTest } from "../replica-bucket.contract.ts";

const worldOf = (bucket: MemoryBucket): ObjectWorld => ({
  put: async (key, body, upload) => bucket.put(key, body, upload),
  deleteCurrent: async (key) => bucket.deleteCurrent(key),
  deleteVersion: async (key, versionId) => bucket.deleteVersion(key, versionId),
});

/** Two buckets in memory. */
export const memorySites = (): ReplicaUnderTest => {
  const clock = new ManualClock();
  const chance = new SeededChance(1);
  const primary = new MemoryBucket({ name: "primary", clock, chance });
  const replica = new MemoryBucket({ name: "replica", clock, chance, region: "eu-west-1" });
  return {
    primary: new MemoryReadableBucket(primary),
    replica: new MemoryReplicaBucket({ primary, replica }),
    primaryWorld: worldOf(primary),
    replicaWorld: worldOf(replica),
  };
};
