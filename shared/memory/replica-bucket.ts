import { StoreUnavailableError } from "../geo/errors.ts";
import { SINGLE_COPY_BYTES_MAX } from "../geo/limits.ts";
import { PART_LIMITS, type PartLimits } from "../geo/part-plan.ts";
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
  PendingUpload,
  RemoveOutcome,
  ReplicaBucket,
  ReplicaExpectation,
  UploadMarker,
  UploadRequest,
  UploadsPage,
} from "../ports/object-store.ts";
import type { MemoryBucket, StoredObject } from "./bucket.ts";
import type { BucketFaults, MutationFault } from "./bucket-faults.ts";
import { MemoryReadableBucket, unreadableReason } from "./readable-bucket.ts";
import { MemoryUploads } from "./uploads.ts";

export interface MemoryReplicaBucketOptions {
  /** Where copies come from. */
  readonly primary: MemoryBucket;
  readonly replica: MemoryBucket;
  readonly faults?: BucketFaults;
  /** The largest object that one copy takes, in bytes. Default: S3's 5 GB. */
  readonly copyBytesMax?: number;
  /** What a part and an upload may have. Default: S3's own. */
  readonly parts?: PartLimits;
}

/** The bucket of a secondary in memory: conditional copies from the primary's bucket, conditional delete markers. */
export class MemoryReplicaBucket extends MemoryReadableBucket implements ReplicaBucket {
  readonly #primary: MemoryBucket;
  readonly #copyBytesMax: number;
  readonly #uploads: MemoryUploads;

  constructor(options: MemoryReplicaBucketOptions) {
    super(options.replica, options.faults);
    this.#primary = options.primary;
    this.#copyBytesMax = options.copyBytesMax ?? SINGLE_COPY_BYTES_MAX;
    this.#uploads = new MemoryUploads(options.primary, options.replica, options.parts ?? PART_LIMITS);
  }

  /** Uploads that were begun and neither completed nor aborted. */
  get openUploads(): readonly PendingUpload[] {
    return this.#uploads.pending;
  }

  async copyFromPrimary(request: CopyRequest): Promise<CopyOutcome> {
    const fault = await this.faults.copy?.(request);
    if (fault?.outcome === "failed") return fault;
    const source = this.#primary.version(request.key, request.sourceVersionId);
    if (source === undefined || source.etag !== request.sourceEtag) return { outcome: "gone" };
    const unreadable = unreadableReason(source);
    if (unreadable !== undefined) return { outcome: "failed", failure: unreadable };
    if (source.body.byteLength > this.#copyBytesMax) {
      const detail = `InvalidRequest: ${source.body.byteLength} bytes, ${this.#copyBytesMax} is the most for one copy`;
      return { outcome: "failed", failure: { kind: "too_large", detail } };
    }
    // The source has been read by now; what the replica holds counts when the write lands, however late that is (R11).
    const carryOut = (): CopyOutcome => {
      if (!this.#isExpected(request.key, request.replica)) return { outcome: "lost" };
      const { versionId, etag } = this.model.store(request.key, "ObjectCreated:Copy", copied(source, request));
      return { outcome: "copied", versionId, etag };
    };
    return fault === undefined ? carryOut() : unanswered(fault, carryOut);
  }

  async remove(key: string, etag: string): Promise<RemoveOutcome> {
    const fault = await this.faults.remove?.(key, etag);
    if (fault?.outcome === "failed") return fault;
    const carryOut = (): RemoveOutcome => {
      if (!this.#isExpected(key, { expect: "version_with_etag", etag })) return { outcome: "lost" };
      return { outcome: "removed", deleteMarkerVersionId: this.model.deleteCurrent(key).versionId };
    };
    return fault === undefined ? carryOut() : unanswered(fault, carryOut);
  }

  async beginUpload(request: UploadRequest): Promise<BeginUploadOutcome> {
    const fault = await this.faults.beginUpload?.(request);
    if (fault?.outcome === "failed") return fault;
    const carryOut = (): BeginUploadOutcome => ({ outcome: "begun", uploadId: this.#uploads.begin(request) });
    return fault === undefined ? carryOut() : unanswered(fault, carryOut);
  }

  async copyPart(request: PartRequest): Promise<PartOutcome> {
    const fault = await this.faults.copyPart?.(request);
    if (fault?.outcome === "failed") return fault;
    const carryOut = (): PartOutcome => this.#uploads.copyPart(request);
    if (fault === undefined) return carryOut();
    const { detail } = unanswered(fault, carryOut);
    return { outcome: "failed", failure: { kind: "unavailable", detail } };
  }

  async listParts(key: string, uploadId: string): Promise<PartsOutcome> {
    const failure = await this.faults.listParts?.(key, uploadId);
    return failure === undefined ? this.#uploads.listParts(key, uploadId) : { outcome: "failed", failure };
  }

  async completeUpload(request: CompleteRequest): Promise<CompleteOutcome> {
    const fault = await this.faults.completeUpload?.(request);
    if (fault?.outcome === "failed") return fault;
    const carryOut = (): CompleteOutcome =>
      this.#uploads.complete(request, () => this.#isExpected(request.key, request.replica));
    return fault === undefined ? carryOut() : unanswered(fault, carryOut);
  }

  async abortUpload(key: string, uploadId: string): Promise<AbortOutcome> {
    const fault = await this.faults.abortUpload?.(key, uploadId);
    if (fault?.outcome === "failed") return fault;
    const carryOut = (): AbortOutcome => {
      this.#uploads.abort(key, uploadId);
      return { outcome: "over" };
    };
    if (fault === undefined) return carryOut();
    const { detail } = unanswered(fault, carryOut);
    return { outcome: "failed", failure: { kind: "unavailable", detail } };
  }

  async listUploads(after?: UploadMarker): Promise<UploadsPage> {
    const failure = await this.faults.list?.();
    if (failure !== undefined) {
      throw new StoreUnavailableError(
        `Listing the uploads of ${this.bucket} failed: ${failure.kind}, ${failure.detail}`,
      );
    }
    return this.#uploads.list(after);
  }

  #isExpected(key: string, replica: ReplicaExpectation): boolean {
    const current = this.model.current(key);
    const etag = current?.kind === "object" ? current.etag : undefined;
    return replica.expect === "nothing" ? etag === undefined : etag === replica.etag;
  }
}

/** What a copy makes: everything of the source but its storage class. The checksum is the source's, not computed anew. */
const copied = (source: StoredObject, request: CopyRequest): Parameters<MemoryBucket["store"]>[2] => {
  const { body, etag, checksum, metadata, headers, tags, customerKey } = source;
  return {
    body,
    etag,
    ...(checksum === undefined ? {} : { checksum }),
    metadata,
    headers,
    tags,
    customerKey,
    storageClass: request.storageClass,
    archived: false,
  };
};

const unanswered = (
  fault: Extract<MutationFault, { outcome: "unknown" }>,
  carryOut: () => unknown,
): { readonly outcome: "unknown"; readonly detail: string } => {
  fault.land?.(() => void carryOut());
  return { outcome: "unknown", detail: fault.detail ?? "no answer" };
};
