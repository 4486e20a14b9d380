import { lacksNothing } from "./capability.ts";
import { bucketContract } from "./bucket.contract.ts";
import { memorySites } from "./support/memory-sites.ts";

bucketContract("Memory", lacksNothing, async () => {
  const { primary, primaryWorld } = memorySites();
  return { bucket: primary, world: primaryWorld, missing: undefined };
});
