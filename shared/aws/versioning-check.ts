import { GetBucketVersioningCommand, type S3Client } from "@aws-sdk/client-s3";
import { GeoError } from "../geo/errors.ts";

/** A bucket of a site, and a client of its region. */
export interface CheckedBucket {
  readonly client: S3Client;
  readonly bucket: string;
  readonly accountId: string;
}

/**
 * Refuses to work on a bucket whose versioning is not on. There a delete destroys and an overwrite forgets, while all that
 * is promised rests on every version staying (S3). A configuration may say `versioned: true` of an existing bucket; only
 * the bucket knows.
 *
 * Asked once per environment: what S3 says of a bucket may be a minute old, and who suspends versioning under a running
 * site is caught by the next environment.
 */
export class VersioningCheck {
  readonly #buckets: readonly CheckedBucket[];
  #passed: Promise<void> | undefined;

  constructor(buckets: readonly CheckedBucket[]) {
    this.#buckets = buckets;
  }

  /** @throws GeoError GEO_BUCKET_NOT_VERSIONED, naming the bucket and what S3 says of it */
  async assertEnabled(): Promise<void> {
    this.#passed ??= this.#check();
    try {
      await this.#passed;
    } catch (error) {
      // Asked again by the next message: versioning may be turned on at any time.
      this.#passed = undefined;
      throw error;
    }
  }

  async #check(): Promise<void> {
    for (const { client, bucket, accountId } of this.#buckets) {
      const { Status } = await client.send(
        new GetBucketVersioningCommand({ Bucket: bucket, ExpectedBucketOwner: accountId }),
      );
      if (Status === "Enabled") continue;
      throw new GeoError(
        "GEO_BUCKET_NOT_VERSIONED",
        `versioning of bucket ${bucket} is ${Status ?? "off"}, expected Enabled; nothing is done on it until that is so`,
      );
    }
  }
}
