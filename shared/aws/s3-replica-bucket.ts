import {
  type CopyObjectCommandInput,
  CopyObjectCommand,
  DeleteObjectCommand,
  type S3Client,
  type StorageClass,
} from "@aws-sdk/client-s3";
import type {
  CopyOutcome,
  CopyRequest,
  RemoveOutcome,
  ReplicaBucket,
  ReplicaExpectation,
} from "../ports/object-store.ts";
import { copySource } from "./copy-source.ts";
import { S3Bucket, type S3BucketOptions } from "./s3-bucket.ts";
import { readSdkError, storeFailure, wasNeverSent } from "./s3-failure.ts";
import { watchStatus } from "./watch-status.ts";

export interface S3ReplicaBucketOptions extends S3BucketOptions {
  /** A client of the replica's region that sends every request once (`s3Writer`). */
  readonly writer: S3Client;
  /** Where copies come from; owned by the same account. */
  readonly primaryBucket: string;
  /**
   * How many milliseconds a copy or removal may take, asked at the start of each. Must end before the function does: an
   * answer that nobody waits for is an unknown outcome, and an abandoned request may thaw in a later invocation.
   */
  readonly timeLimitMs: () => number;
}

/** A secondary's bucket on S3. */
export class S3ReplicaBucket extends S3Bucket implements ReplicaBucket {
  readonly #writer: S3Client;
  readonly #primaryBucket: string;
  readonly #accountId: string;
  readonly #timeLimitMs: () => number;

  constructor(options: S3ReplicaBucketOptions) {
    super(options);
    this.#writer = options.writer;
    this.#primaryBucket = options.primaryBucket;
    this.#accountId = options.accountId;
    this.#timeLimitMs = options.timeLimitMs;
  }

  async copyFromPrimary(request: CopyRequest): Promise<CopyOutcome> {
    const command = new CopyObjectCommand({
      Bucket: this.bucket,
      Key: request.key,
      ExpectedBucketOwner: this.#accountId,
      CopySource: copySource(this.#primaryBucket, request.key, request.sourceVersionId),
      CopySourceIfMatch: request.sourceEtag,
      ExpectedSourceBucketOwner: this.#accountId,
      ...destinationCondition(request.replica),
      // Headers, user metadata and tags come from the pinned version itself, not from what was seen of it.
      MetadataDirective: "COPY",
      TaggingDirective: "COPY",
      StorageClass: request.storageClass as StorageClass,
    });
    const status = watchStatus(command);
    try {
      const { VersionId, CopyObjectResult } = await this.#writer.send(command, this.#deadline());
      return { outcome: "copied", versionId: VersionId ?? "null", etag: CopyObjectResult?.ETag ?? "" };
    } catch (thrown) {
      return refusal(thrown, status());
    }
  }

  async remove(key: string, etag: string): Promise<RemoveOutcome> {
    const command = new DeleteObjectCommand({
      Bucket: this.bucket,
      Key: key,
      ExpectedBucketOwner: this.#accountId,
      IfMatch: etag,
    });
    const status = watchStatus(command);
    try {
      const { VersionId } = await this.#writer.send(command, this.#deadline());
      return { outcome: "removed", deleteMarkerVersionId: VersionId ?? "null" };
    } catch (thrown) {
      const refused = refusal(thrown, status());
      // The key is absent, or holds something else: either way the world is not what the caller saw.
      return refused.outcome === "gone" ? { outcome: "lost" } : refused;
    }
  }

  #deadline(): { readonly abortSignal: AbortSignal } {
    return { abortSignal: AbortSignal.timeout(Math.max(1, Math.floor(this.#timeLimitMs()))) };
  }
}

const destinationCondition = (
  replica: ReplicaExpectation,
): Pick<CopyObjectCommandInput, "IfMatch"> | Pick<CopyObjectCommandInput, "IfNoneMatch"> =>
  replica.expect === "nothing" ? { IfNoneMatch: "*" } : { IfMatch: replica.etag };

type Refusal = Exclude<CopyOutcome, { outcome: "copied" }>;

/**
 * How a mutation ended that threw. `status` is what came over the wire: the SDK turns an error in the body of a 200 into
 * a 503 of its own making, and only a real 503 says that nothing was done.
 */
const refusal = (thrown: unknown, status: number | undefined): Refusal => {
  const error = { ...readSdkError(thrown), status };
  const { detail } = storeFailure(error);
  if (status === undefined) {
    return wasNeverSent(error)
      ? { outcome: "failed", failure: { kind: "unavailable", detail } }
      : { outcome: "unknown", detail };
  }
  if (status < 300) return { outcome: "unknown", detail: `200 with an error in its body. ${detail}` };
  if (status === 412) {
    // Both sides of a copy answer a false condition with 412, and S3 names the header only sometimes. Unnamed counts as
    // the destination: `lost` and `gone` both make the protocol look at both sides again.
    const { condition = "" } = error;
    return { outcome: condition.toLowerCase().startsWith("x-amz-copy-source") ? "gone" : "lost" };
  }
  if (status === 409) return { outcome: "lost" }; // R35
  // It may also mean that `If-Match` found no replica; looking again finds out which.
  if (status === 404 && error.name !== "NoSuchBucket") return { outcome: "gone" };
  // Asked to slow down, S3 has not begun. Any other 5xx leaves that open.
  if (status >= 500 && error.name !== "SlowDown") return { outcome: "unknown", detail };
  return { outcome: "failed", failure: storeFailure(error) };
};
