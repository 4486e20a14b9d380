import { GetBucketVersioningCommand, type S3Client } from "@aws-sdk/client-s3";
import { GeoError } from "../geo/errors.ts";
import { NO_VERSION } from "../geo/object-facts.ts";

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
 * Asked once per environment, and again from the first answer on that shows otherwise (`withoutVersion`): a bucket whose
 * versioning is suspended under a running function answers a write without a version of its own.
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

  /**
   * What to make of an answer to a write: in a bucket that keeps versions each write makes one, and each has a name. One that
   * made none has no end that could be relied on, and the bucket is asked again before the next work is taken up. Only of what
   * was written just now: what has lain there since before versioning was turned on is called `null` for good.
   *
   * @returns undefined when the bucket has kept what was written
   */
  withoutVersion(
    bucket: string,
    versionId: string | undefined,
  ): { readonly outcome: "unknown"; readonly detail: string } | undefined {
    if (versionId !== undefined && versionId !== NO_VERSION) return undefined;
    this.#passed = undefined;
    const detail = `GEO_BUCKET_NOT_VERSIONED: bucket ${bucket} answered a write without a version of its own: it has stopped to keep versions`;
    return { outcome: "unknown", detail };
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
