import { bucketContract } from "./bucket.contract.ts";
import { memorySites } from "./support/memory-sites.ts";

bucketContract("Memory", async () => {
  const { primary, primaryWorld } = memorySites();
  return { bucket: primary, world: primaryWorld, missing: undefined };
});
