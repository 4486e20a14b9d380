import type { ByteRange } from "../geo/byte-range.ts";
import type { ContentHeaders, ObjectFacts } from "../geo/object-facts.ts";

/** Why the store did not answer, in the classes that call for different waits. `detail` is the service's own text. */
export interface StoreFailure {
  readonly kind:
    | "throttled" // 503 SlowDown, 429
    | "forbidden" // 403: never to be read as absence (R28)
    | "kms" // the key is disabled, pending deletion or not ours to use
    | "archived" // the bytes are in an archive class and must be restored first
    | "too_large" // above the limit of a single copy, or of all that the store takes
    | "rejected" // any other 4xx: the request itself was wrong for this bucket or key
    | "unavailable"; // 5xx, timeout, reset
  readonly detail: string;
}

/** An authoritative answer about the current version of a key, or a failure. Only a 404 is `absent`. */
export type HeadOutcome =
  | { readonly outcome: "present"; readonly facts: ObjectFacts }
  | { readonly outcome: "absent"; readonly deleteMarkerVersionId?: string }
  | { readonly outcome: "failed"; readonly failure: StoreFailure };

/** What is to be said of one immutable version. `gone` when that version does not exist (any more), or is a delete marker. */
export type VersionOutcome =
  | { readonly outcome: "present"; readonly facts: ObjectFacts }
  | { readonly outcome: "gone" }
  | { readonly outcome: "failed"; readonly failure: StoreFailure };

export type TagsOutcome =
  | { readonly outcome: "read"; readonly tags: Readonly<Record<string, string>> }
  | { readonly outcome: "gone" }
  | { readonly outcome: "failed"; readonly failure: StoreFailure };

/** The bytes of one immutable version. `gone` when that version does not exist (any more). */
export type ReadOutcome =
  | { readonly outcome: "reading"; readonly body: AsyncIterable<Uint8Array>; readonly size: number }
  | { readonly outcome: "gone" }
  | { readonly outcome: "failed"; readonly failure: StoreFailure };

/** What the replica's key must look like when a write lands, or the write is refused. */
export type ReplicaExpectation =
  { readonly expect: "nothing" } | { readonly expect: "version_with_etag"; readonly etag: string };

/** One server-side copy of one pinned source version. */
export interface CopyRequest {
  readonly key: string;
  /** The pin: `versionId` alone is not enough, since a version called `null` can be overwritten. */
  readonly sourceVersionId: string;
  readonly sourceEtag: string;
  readonly size: number;
  readonly storageClass: string;
  readonly headers: ContentHeaders;
  readonly metadata: Readonly<Record<string, string>>;
  readonly replica: ReplicaExpectation;
}

/**
 * How a copy ended.
 * - `gone`: the source version is not there any more (404), or is not what was pinned (412 on the source): look again.
 * - `lost`: the replica changed since we looked (412 or 409 on the destination): look again.
 * - `unknown`: no answer, or an answer that leaves open whether the write happened or still will: the row must be tainted.
 * - `failed`: refused before anything was written.
 */
export type CopyOutcome =
  | { readonly outcome: "copied"; readonly versionId: string; readonly etag: string }
  | { readonly outcome: "gone" }
  | { readonly outcome: "lost" }
  | { readonly outcome: "unknown"; readonly detail: string }
  | { readonly outcome: "failed"; readonly failure: StoreFailure };

/** What an upload is begun with: a copy in parts carries nothing over by itself. */
export interface UploadRequest {
  readonly key: string;
  readonly storageClass: string;
  readonly headers: ContentHeaders;
  readonly metadata: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
}

/**
 * How the beginning of an upload ended. It changes nothing that a replica shows. `unknown`: there may be an upload that
 * nobody knows of, and that the sweep of uploads finds.
 */
export type BeginUploadOutcome =
  | { readonly outcome: "begun"; readonly uploadId: string }
  | { readonly outcome: "unknown"; readonly detail: string }
  | { readonly outcome: "failed"; readonly failure: StoreFailure };

/** One part of one pinned source version. */
export interface PartRequest {
  readonly key: string;
  readonly uploadId: string;
  readonly sourceVersionId: string;
  readonly sourceEtag: string;
  /** From 1. */
  readonly number: number;
  readonly range: ByteRange;
}

/** A part that an upload holds. */
export interface CopiedPart {
  readonly number: number;
  readonly etag: string;
  /** Bytes. */
  readonly size: number;
}

/**
 * How the copy of a part ended. One that was sent twice, or lands late, is the same part: the bytes of a pinned version do
 * not change. So there is no unknown here, and it may be sent again.
 * - `gone`: the source version is not there any more, or is not what was pinned: look again.
 * - `upload_gone`: somebody has completed or aborted the upload.
 */
export type PartOutcome =
  | { readonly outcome: "copied"; readonly part: CopiedPart }
  | { readonly outcome: "gone" }
  | { readonly outcome: "upload_gone" }
  | { readonly outcome: "failed"; readonly failure: StoreFailure };

/** Every part that an upload holds. */
export type PartsOutcome =
  | { readonly outcome: "listed"; readonly parts: readonly CopiedPart[] }
  | { readonly outcome: "upload_gone" }
  | { readonly outcome: "failed"; readonly failure: StoreFailure };

/** The one request of an upload that changes what a replica shows. */
export interface CompleteRequest {
  readonly key: string;
  readonly uploadId: string;
  /** In the order of their numbers. */
  readonly parts: readonly CopiedPart[];
  /** Of the whole object. */
  readonly size: number;
  /** The CRC64NVME of the source's bytes in base64, where S3 stores one: the store compares it with that of the parts. */
  readonly crc64nvme: string | undefined;
  readonly replica: ReplicaExpectation;
}

/**
 * How the completion of an upload ended; the words are those of `CopyOutcome`.
 * - `upload_gone`: it was completed, by us or by somebody else, or it was aborted.
 * - `unusable`: the parts are not what they should be, and never will be: the upload has to be aborted.
 */
export type CompleteOutcome =
  | { readonly outcome: "completed"; readonly versionId: string; readonly etag: string }
  | { readonly outcome: "lost" }
  | { readonly outcome: "upload_gone" }
  | { readonly outcome: "unusable"; readonly detail: string }
  | { readonly outcome: "unknown"; readonly detail: string }
  | { readonly outcome: "failed"; readonly failure: StoreFailure };

/** `over`: the upload is not there any more, whoever ended it. */
export type AbortOutcome =
  { readonly outcome: "over" } | { readonly outcome: "failed"; readonly failure: StoreFailure };

/** An upload that was begun and neither completed nor aborted. */
export interface PendingUpload {
  readonly key: string;
  readonly uploadId: string;
  /** When it was begun, milliseconds since the epoch. */
  readonly begunAt: number;
}

/** A place in a listing of uploads. */
export interface UploadMarker {
  readonly key: string;
  readonly uploadId: string;
}

export interface UploadsPage {
  readonly uploads: readonly PendingUpload[];
  /** Present when there may be more: where the next page starts. */
  readonly next?: UploadMarker;
}

/** How a removal (always a delete marker, never a version) ended; the words are those of `CopyOutcome`. */
export type RemoveOutcome =
  | { readonly outcome: "removed"; readonly deleteMarkerVersionId: string }
  | { readonly outcome: "lost" }
  | { readonly outcome: "unknown"; readonly detail: string }
  | { readonly outcome: "failed"; readonly failure: StoreFailure };

export interface ListedObject {
  readonly key: string;
  readonly etag: string;
  readonly size: number;
  /** Milliseconds since the epoch. */
  readonly lastModified: number;
}

export interface ListPage {
  readonly objects: readonly ListedObject[];
  /** Present when there may be more: the key after which the next page starts. */
  readonly next?: string;
}

/** What may be read from a bucket. The primary's bucket is only ever read. */
export interface ReadableBucket {
  readonly bucket: string;
  /** The current version of `key`. */
  head(key: string): Promise<HeadOutcome>;
  /** One version, current or not. */
  headVersion(key: string, versionId: string): Promise<VersionOutcome>;
  tags(key: string, versionId: string): Promise<TagsOutcome>;
  /**
   * @param range of bytes. It has to begin within the version, and may end behind it; `size` is then what comes. Default: all
   */
  read(key: string, versionId: string, range?: ByteRange): Promise<ReadOutcome>;
  /** Current objects in UTF-8 byte order, a page of at most 1,000 at a time. */
  list(options: { readonly prefix?: string; readonly after?: string; readonly limit?: number }): Promise<ListPage>;
}

/**
 * The bucket of a secondary site. There is no way here to delete a version: a removal adds a marker (invariant S3).
 * Every mutation is sent once; trying again is the protocol's business (R14).
 */
export interface ReplicaBucket extends ReadableBucket {
  /** Copies a pinned version from the primary's bucket, tags included, without bytes passing through the caller. */
  copyFromPrimary(request: CopyRequest): Promise<CopyOutcome>;
  /** Begins a copy in parts, for what is too large for one request. */
  beginUpload(request: UploadRequest): Promise<BeginUploadOutcome>;
  /** Copies a stretch of a pinned version from the primary's bucket into an upload. */
  copyPart(request: PartRequest): Promise<PartOutcome>;
  listParts(key: string, uploadId: string): Promise<PartsOutcome>;
  /** Makes the upload's parts the current version, on the condition that the replica is as expected. */
  completeUpload(request: CompleteRequest): Promise<CompleteOutcome>;
  /** Ends an upload and gives back what its parts take. Whatever is completed or aborted already is `over`. */
  abortUpload(key: string, uploadId: string): Promise<AbortOutcome>;
  /**
   * Uploads of the bucket that are under way, a page of at most 1,000 at a time, in the order of their keys.
   * @throws StoreUnavailableError when the bucket does not answer
   */
  listUploads(after?: UploadMarker): Promise<UploadsPage>;
  /** Adds a delete marker, on the condition that the current version still carries `etag`. */
  remove(key: string, etag: string): Promise<RemoveOutcome>;
}
