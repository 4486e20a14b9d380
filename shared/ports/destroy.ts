import type { Replicable } from "../geo/replicable.ts";
import type { MessageQueue } from "./message-queue.ts";
import type { CopyLimits } from "../geo/copy-limits.ts";
import type { CopyOutcome, CopyRequest, ReplicaBucket } from "./object-store.ts";
import type { SiteBase } from "./site.ts";
import type { ManyReader, Table } from "./table.ts";

/** The current version of a key, as a listing of versions shows it. */
export interface CurrentVersion {
  readonly key: string;
  readonly versionId: string;
  /** As S3 prints it, quotes included. */
  readonly etag: string;
  /** Bytes. */
  readonly size: number;
  /** Milliseconds since the epoch. */
  readonly lastModified: number;
  readonly storageClass: string;
}

export interface CurrentVersionsPage {
  /** In UTF-8 byte order; keys that are hidden are left out. */
  readonly objects: readonly CurrentVersion[];
  /** Present when there may be more: the key after which the next page starts. */
  readonly next?: string;
}

/**
 * What became of one key that was to be hidden. `refused`: the key does not show what it should, so nothing was done. `failed`:
 * S3 did not do it; the same may be asked for again.
 */
export type HideOutcome =
  | { readonly key: string; readonly outcome: "hidden"; readonly markerVersionId: string }
  | { readonly key: string; readonly outcome: "refused" }
  | { readonly key: string; readonly outcome: "failed"; readonly detail: string };

/** How an object is copied that is too large for one request. Here copies go from a version of a key onto the same key. */
type UploadCall = "beginUpload" | "copyPart" | "listParts" | "completeUpload" | "abortUpload";

/**
 * The primary's bucket, as a batch destroy sees it: it hides objects behind delete markers and brings hidden versions back by
 * copying them. There is no way here to delete a version, nor a marker (S3).
 */
export interface DestroyableBucket extends Pick<
  ReplicaBucket,
  "bucket" | "head" | "headVersion" | "tags" | UploadCall
> {
  /** Throws GEO_BUCKET_NOT_VERSIONED when the bucket does not keep versions now: to hide would be to destroy there. */
  assertVersioned(): Promise<void>;
  /** Keys with what they show now, a page at a time. Throws StoreUnavailableError when S3 does not answer. */
  listCurrent(options: { readonly prefix: string; readonly after?: string | undefined }): Promise<CurrentVersionsPage>;
  /**
   * Adds a delete marker to each key that still shows this ETag, at most 1,000 of them. Throws StoreUnavailableError when
   * there was no answer: some, all or none may be hidden then. Throws GEO_BUCKET_NOT_VERSIONED when S3 removed a key without
   * making a marker.
   */
  hide(entries: readonly { readonly key: string; readonly etag: string }[]): Promise<readonly HideOutcome[]>;
  /** Makes a version that is hidden the current one again, by copying it onto its own key in one request. */
  bringBack(request: Omit<CopyRequest, "replica" | "headers" | "metadata">): Promise<CopyOutcome>;
}

/** Where manifests are frozen. Names are paths. */
export interface ManifestStore {
  /** Throws StoreUnavailableError. */
  write(name: string, text: string): Promise<void>;
  /** Throws StoreUnavailableError, also when there is none: what was written and is not there was taken away by somebody. */
  read(name: string): Promise<string>;
}

/** A secondary, as far as a destroy watches it. */
export interface WatchedSecondary {
  readonly name: string;
  readonly registry: ManyReader;
}

/** The primary site, seen by its batch destroy. */
export interface DestroyingSite extends SiteBase {
  readonly replicables: readonly Replicable[];
  readonly bucket: DestroyableBucket;
  /** How an undo copies, by the size of objects. */
  readonly copies: CopyLimits;
  readonly manifests: ManifestStore;
  /** The primary's own table. */
  readonly siteTable: Table;
  /** Where the primary announces what it did itself. */
  readonly geoEvents: MessageQueue;
  /** The secondaries that there are. Throws TableUnavailableError. */
  secondaries(): Promise<readonly WatchedSecondary[]>;
}

/** What a secondary's removal guard asks of the primary's destroys. */
export interface DestroyedReader {
  /**
   * Whether a destroy that was confirmed names this very version of the key.
   * @throws TableUnavailableError when the primary's table does not answer
   */
  names(ref: { readonly replicableName: string; readonly key: string }, versionId: string): Promise<boolean>;
}
