import { CopyObjectCommand, DeleteObjectCommand, type S3Client, type StorageClass } from "@aws-sdk/client-s3";
import type {
  AbortOutcome,
  BeginUploadOutcome,
  CompleteOutcome,
  CompleteRequest,
  CopyOutcome,
  CopyRequest,
  PartOutcome,
  PartRequest,
  PartsOutcome,
  RemoveOutcome,
  ReplicaBucket,
  UploadMarker,
  UploadRequest,
  UploadsPage,
} from "../ports/object-store.ts";
import { copySource } from "./copy-source.ts";
import { S3Bucket, type S3BucketOptions } from "./s3-bucket.ts";
import { destinationCondition, refusal } from "./s3-refusal.ts";
import { S3Uploads } from "./s3-uploads.ts";
import type { VersioningCheck } from "./versioning-check.ts";
import { watchStatus } from "./watch-status.ts";

export interface S3ReplicaBucketOptions extends S3BucketOptions {
  /** A client of the replica's region that sends every request once (`s3Writer`). */
  readonly writer: S3Client;
  /** A client of the replica's region for the parts of large copies (`s3PartCopier`). */
  readonly copier: S3Client;
  /** Where copies come from; owned by the same account. */
  readonly primaryBucket: string;
  /**
   * How many milliseconds a copy or removal may take, asked at the start of each. Must end before the function does: an
   * answer that nobody waits for is an unknown outcome, and an abandoned request may thaw in a later invocation.
   */
  readonly timeLimitMs: () => number;
  /** Judges whether the bucket has kept what was written. Without one answers are told as they came, and judged by the caller. */
  readonly versioning?: Pick<VersioningCheck, "withoutVersion">;
}

/** A secondary's bucket on S3. */
export class S3ReplicaBucket extends S3Bucket implements ReplicaBucket {
  readonly #writer: S3Client;
  readonly #primaryBucket: string;
  readonly #accountId: string;
  readonly #timeLimitMs: () => number;
  readonly #versioning: S3ReplicaBucketOptions["versioning"];
  readonly #uploads: S3Uploads;

  constructor(options: S3ReplicaBucketOptions) {
    super(options);
    this.#writer = options.writer;
    this.#primaryBucket = options.primaryBucket;
    this.#accountId = options.accountId;
    this.#timeLimitMs = options.timeLimitMs;
    this.#versioning = options.versioning;
    this.#uploads = new S3Uploads({ ...options, asking: options.client });
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
      const copied = { outcome: "copied", versionId: VersionId ?? "null", etag: CopyObjectResult?.ETag ?? "" } as const;
      return this.#versioning?.withoutVersion(this.bucket, VersionId) ?? copied;
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
      const removed = { outcome: "removed", deleteMarkerVersionId: VersionId ?? "null" } as const;
      return this.#versioning?.withoutVersion(this.bucket, VersionId) ?? removed;
    } catch (thrown) {
      const refused = refusal(thrown, status());
      // The key is absent, or holds something else: either way the world is not what the caller saw.
      return refused.outcome === "gone" ? { outcome: "lost" } : refused;
    }
  }

  beginUpload(request: UploadRequest): Promise<BeginUploadOutcome> {
    return this.#uploads.begin(request);
  }

  copyPart(request: PartRequest): Promise<PartOutcome> {
    return this.#uploads.copyPart(request);
  }

  listParts(key: string, uploadId: string): Promise<PartsOutcome> {
    return this.#uploads.listParts(key, uploadId);
  }

  completeUpload(request: CompleteRequest): Promise<CompleteOutcome> {
    return this.#uploads.complete(request);
  }

  abortUpload(key: string, uploadId: string): Promise<AbortOutcome> {
    return this.#uploads.abort(key, uploadId);
  }

  listUploads(after?: UploadMarker): Promise<UploadsPage> {
    return this.#uploads.list(after);
  }

  #deadline(): { readonly abortSignal: AbortSignal } {
    return { abortSignal: AbortSignal.timeout(Math.max(1, Math.floor(this.#timeLimitMs()))) };
  }
}
