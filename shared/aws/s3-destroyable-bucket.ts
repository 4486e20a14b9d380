import { DeleteObjectsCommand, ListObjectVersionsCommand, type S3Client } from "@aws-sdk/client-s3";
import { GeoError, messageOf, StoreUnavailableError } from "../geo/errors.ts";
import { quoted } from "../geo/key-codec.ts";
import { NO_VERSION } from "../geo/object-facts.ts";
import type { CurrentVersion, CurrentVersionsPage, DestroyableBucket, HideOutcome } from "../ports/destroy.ts";
import type { CopyOutcome } from "../ports/object-store.ts";
import { S3ReplicaBucket } from "./s3-replica-bucket.ts";
import { VersioningCheck } from "./versioning-check.ts";

export interface S3DestroyableBucketOptions {
  /** A client of the bucket's own region that tries again by itself (`s3Reader`). */
  readonly reader: S3Client;
  /** One that sends every request once (`s3Writer`). */
  readonly writer: S3Client;
  /** One for the parts of large objects that an undo brings back (`s3PartCopier`). */
  readonly copier: S3Client;
  readonly bucket: string;
  /** The account that must own the bucket. */
  readonly accountId: string;
  /** How many milliseconds a request that changes something may take, asked at the start of each. */
  readonly timeLimitMs: () => number;
}

/** Answers to one entry of a deletion that say: the key does not show what was named, and nothing was done. */
const REFUSALS: ReadonlySet<string> = new Set(["PreconditionFailed", "NoSuchKey"]);

/** XML 1.0 can not carry these, and the entries of a deletion travel in XML. Such keys are few, and go one by one. */
const UNSENDABLE = /[^\t\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/u;

const decoded = (key: string): string => decodeURIComponent(key.replaceAll("+", "%20"));

/** The primary's bucket on S3, as a batch destroy sees it. */
export class S3DestroyableBucket extends S3ReplicaBucket implements DestroyableBucket {
  readonly #reader: S3Client;
  readonly #writer: S3Client;
  readonly #target: { readonly Bucket: string; readonly ExpectedBucketOwner: string };
  readonly #timeLimitMs: () => number;

  constructor(options: S3DestroyableBucketOptions) {
    const { reader, writer, bucket, accountId, timeLimitMs } = options;
    // Copies go from a version of a key onto the same key.
    super({ ...options, client: reader, primaryBucket: bucket });
    this.#reader = reader;
    this.#writer = writer;
    this.#target = { Bucket: bucket, ExpectedBucketOwner: accountId };
    this.#timeLimitMs = timeLimitMs;
  }

  /** Asked each time: a destroy that was waited for is to notice what was changed meanwhile. */
  assertVersioned(): Promise<void> {
    const { Bucket: bucket, ExpectedBucketOwner: accountId } = this.#target;
    return new VersioningCheck([{ client: this.#reader, bucket, accountId }]).assertEnabled();
  }

  async listCurrent(options: {
    readonly prefix: string;
    readonly after?: string | undefined;
  }): Promise<CurrentVersionsPage> {
    try {
      const {
        Versions = [],
        DeleteMarkers = [],
        IsTruncated,
        NextKeyMarker,
        EncodingType,
      } = await this.#reader.send(
        new ListObjectVersionsCommand({
          ...this.#target,
          // XML can not carry every character that a key may hold.
          EncodingType: "url",
          Prefix: options.prefix,
          // Without a version: what comes behind the key, the rest of its own versions left out.
          ...(options.after === undefined ? {} : { KeyMarker: options.after }),
        }),
      );
      // S3 says whether it did as it was asked: a key as it stands may look like one that is encoded.
      const keyOf = (key: string): string => (EncodingType === "url" ? decoded(key) : key);
      const objects = Versions.filter(({ IsLatest }) => IsLatest === true).map(
        ({ Key = "", VersionId = "null", ETag = "", Size = 0, LastModified, StorageClass }): CurrentVersion => ({
          key: keyOf(Key),
          versionId: VersionId,
          etag: ETag,
          size: Size,
          lastModified: LastModified?.getTime() ?? 0,
          storageClass: StorageClass ?? "STANDARD",
        }),
      );
      const isEmpty = Versions.length + DeleteMarkers.length === 0;
      return IsTruncated === true && NextKeyMarker !== undefined && !isEmpty
        ? { objects, next: keyOf(NextKeyMarker) }
        : { objects };
    } catch (cause) {
      throw new StoreUnavailableError(`Listing ${this.bucket} failed: ${messageOf(cause)}. Ask again later.`, {
        cause,
      });
    }
  }

  async hide(entries: readonly { readonly key: string; readonly etag: string }[]): Promise<readonly HideOutcome[]> {
    const together = entries.filter(({ key }) => !UNSENDABLE.test(key));
    const outcomes: HideOutcome[] = together.length === 0 ? [] : [...(await this.#hideTogether(together))];
    for (const { key, etag } of entries.filter((entry) => UNSENDABLE.test(entry.key))) {
      outcomes.push(await this.#hideAlone(key, etag));
    }
    return outcomes;
  }

  bringBack(request: Parameters<DestroyableBucket["bringBack"]>[0]): Promise<CopyOutcome> {
    return this.copyFromPrimary({ ...request, headers: {}, metadata: {}, replica: { expect: "nothing" } });
  }

  /** Where a marker was made, the object is behind it; where none was, it is gone. */
  #assertMarker(key: string, marker: string | undefined): string {
    if (marker !== undefined && marker !== NO_VERSION) return marker;
    throw new GeoError(
      "GEO_BUCKET_NOT_VERSIONED",
      `${quoted(key)} was removed from ${this.bucket} without a delete marker of its own: the bucket does not keep versions`,
    );
  }

  async #hideTogether(entries: readonly { readonly key: string; readonly etag: string }[]) {
    try {
      const { Deleted = [], Errors = [] } = await this.#writer.send(
        new DeleteObjectsCommand({
          ...this.#target,
          Delete: { Objects: entries.map(({ key, etag }) => ({ Key: key, ETag: etag })) },
        }),
        { abortSignal: AbortSignal.timeout(Math.max(1, Math.floor(this.#timeLimitMs()))) },
      );
      const hidden = new Map(Deleted.map(({ Key = "", DeleteMarkerVersionId }) => [Key, DeleteMarkerVersionId]));
      const errors = new Map(Errors.map((error) => [error.Key ?? "", error]));
      return entries.map(({ key }): HideOutcome => {
        if (hidden.has(key)) {
          return { key, outcome: "hidden", markerVersionId: this.#assertMarker(key, hidden.get(key)) };
        }
        const { Code = "NoAnswer", Message = "S3 said nothing of it" } = errors.get(key) ?? {};
        return REFUSALS.has(Code)
          ? { key, outcome: "refused" }
          : { key, outcome: "failed", detail: `${Code}: ${Message}` };
      });
    } catch (cause) {
      if (cause instanceof GeoError) throw cause;
      throw new StoreUnavailableError(`Hiding objects of ${this.bucket} was not answered: ${messageOf(cause)}`, {
        cause,
      });
    }
  }

  async #hideAlone(key: string, etag: string): Promise<HideOutcome> {
    const removed = await this.remove(key, etag);
    switch (removed.outcome) {
      case "removed":
        return { key, outcome: "hidden", markerVersionId: this.#assertMarker(key, removed.deleteMarkerVersionId) };
      case "lost":
        return { key, outcome: "refused" };
      case "unknown":
        return { key, outcome: "failed", detail: removed.detail };
      case "failed":
        return { key, outcome: "failed", detail: removed.failure.detail };
    }
  }
}
