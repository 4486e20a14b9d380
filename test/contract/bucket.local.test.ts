import { afterAll, describe } from "vitest";
import { bucketContract } from "./bucket.contract.ts";
import { type CloudSites, cloudSites } from "./support/cloud-sites.ts";
import { cloudLacks, contractCloud, hasCloud } from "./support/contract-cloud.ts";

const lacks = await cloudLacks();

describe.skipIf(!hasCloud)("On the cloud at AWS_ENDPOINT_URL (skipped while that is not set)", () => {
  let sites: CloudSites | undefined;
  afterAll(async () => sites?.remove());

  bucketContract("S3", lacks, async () => {
    sites = await cloudSites(await contractCloud());
    return { bucket: sites.primary, world: sites.primaryWorld, missing: sites.missing };
  });
});
