import type { ContentHeaders, ObjectFacts } from "../geo/object-facts.ts";

/** Why the store did not answer, in the classes that call for different waits. `detail` is the service's own text. */
export interface StoreFailure {
  readonly kind:
    | "throttled" // 503 SlowDown, 429
    | "forbidden" // 403: never to be read as absence (R28)
    | "kms" // the key is disabled, pending deletion or not ours to use
    | "archived" // the bytes are in an archive class and must be restored first
    | "too_large" // above the limit of a single copy
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

/** Counted from 0. */
export interface ByteRange {
  readonly start: number;
  readonly endInclusive: number;
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
  /** Adds a delete marker, on the condition that the current version still carries `etag`. */
  remove(key: string, etag: string): Promise<RemoveOutcome>;
}
