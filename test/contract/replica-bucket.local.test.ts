import { afterAll, describe } from "vitest";
import { replicaBucketContract } from "./replica-bucket.contract.ts";
import { type CloudSites, cloudSites } from "./support/cloud-sites.ts";
import { cloudLacks, contractCloud, hasCloud } from "./support/contract-cloud.ts";

const lacks = await cloudLacks();

describe.skipIf(!hasCloud)("On the cloud at AWS_ENDPOINT_URL (skipped while that is not set)", () => {
  let sites: CloudSites | undefined;
  afterAll(async () => sites?.remove());

  replicaBucketContract("S3", lacks, async () => {
    sites = await cloudSites(await contractCloud());
    return sites;
  });
});
