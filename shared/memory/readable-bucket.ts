import { StoreUnavailableError } from "../geo/errors.ts";
import type { ByteRange } from "../geo/byte-range.ts";
import type {
  HeadOutcome,
  ListPage,
  ReadableBucket,
  ReadOutcome,
  StoreFailure,
  TagsOutcome,
  VersionOutcome,
} from "../ports/object-store.ts";
import type { MemoryBucket, StoredObject } from "./bucket.ts";
import type { BucketFaults } from "./bucket-faults.ts";
import { compareUtf8 } from "../geo/utf8-order.ts";

/** Most keys on a page of S3's listing. */
const PAGE_MAX = 1_000;

/** Bytes handed over at a time. */
const CHUNK_BYTES = 64 * 1024;

/** Without its key, S3 answers any question about an SSE-C object with 400. */
const CUSTOMER_KEY: StoreFailure = { kind: "rejected", detail: "400: encrypted with a customer's key" };
const ARCHIVED: StoreFailure = { kind: "archived", detail: "InvalidObjectState: not restored" };

/** What the product may read from a bucket in memory. */
export class MemoryReadableBucket implements ReadableBucket {
  readonly bucket: string;
  /** Replaceable at any time. */
  faults: BucketFaults;
  protected readonly model: MemoryBucket;

  constructor(model: MemoryBucket, faults: BucketFaults = {}) {
    this.bucket = model.name;
    this.model = model;
    this.faults = faults;
  }

  async head(key: string): Promise<HeadOutcome> {
    const failure = await this.faults.head?.(key);
    if (failure !== undefined) return { outcome: "failed", failure };
    const current = this.model.current(key);
    if (current === undefined) return { outcome: "absent" };
    if (current.kind === "delete_marker") return { outcome: "absent", deleteMarkerVersionId: current.versionId };
    return presentUnlessHidden(current);
  }

  async headVersion(key: string, versionId: string): Promise<VersionOutcome> {
    const failure = await this.faults.headVersion?.(key, versionId);
    if (failure !== undefined) return { outcome: "failed", failure };
    const version = this.model.version(key, versionId);
    return version === undefined ? { outcome: "gone" } : presentUnlessHidden(version);
  }

  async tags(key: string, versionId: string): Promise<TagsOutcome> {
    const failure = await this.faults.tags?.(key, versionId);
    if (failure !== undefined) return { outcome: "failed", failure };
    const version = this.model.version(key, versionId);
    return version === undefined ? { outcome: "gone" } : { outcome: "read", tags: version.tags };
  }

  async read(key: string, versionId: string, range?: ByteRange): Promise<ReadOutcome> {
    const failure = await this.faults.read?.(key, versionId);
    if (failure !== undefined) return { outcome: "failed", failure };
    const version = this.model.version(key, versionId);
    if (version === undefined) return { outcome: "gone" };
    const unreadable = unreadableReason(version);
    if (unreadable !== undefined) return { outcome: "failed", failure: unreadable };
    if (range !== undefined && (range.start >= version.body.byteLength || range.endInclusive < range.start)) {
      const detail = `InvalidRange: ${range.start}-${range.endInclusive} of ${version.body.byteLength} bytes`;
      return { outcome: "failed", failure: { kind: "rejected", detail } };
    }
    const body = range === undefined ? version.body : version.body.subarray(range.start, range.endInclusive + 1);
    return { outcome: "reading", body: chunks(body), size: body.byteLength };
  }

  async list(
    options: { readonly prefix?: string; readonly after?: string; readonly limit?: number } = {},
  ): Promise<ListPage> {
    const failure = await this.faults.list?.();
    if (failure !== undefined) {
      throw new StoreUnavailableError(`Listing ${this.bucket} failed: ${failure.kind}, ${failure.detail}`);
    }
    const { prefix = "", after } = options;
    const limit = Math.min(options.limit ?? PAGE_MAX, PAGE_MAX);
    const keys = this.model
      .keys()
      .filter((key) => key.startsWith(prefix) && (after === undefined || compareUtf8(key, after) > 0));
    const page = keys.slice(0, limit);
    const objects = page.flatMap((key) => {
      const current = this.model.current(key);
      if (current?.kind !== "object") return [];
      const { etag, lastModified, body } = current;
      return [{ key, etag, size: body.byteLength, lastModified }];
    });
    const last = page.at(-1);
    return keys.length > page.length && last !== undefined ? { objects, next: last } : { objects };
  }
}

/** What S3 says of a version, unless it is asked for a key that only its owner has. */
const presentUnlessHidden = (
  version: StoredObject,
): Extract<HeadOutcome & VersionOutcome, { outcome: "present" | "failed" }> => {
  if (version.customerKey) return { outcome: "failed", failure: CUSTOMER_KEY };
  return {
    outcome: "present",
    facts: {
      versionId: version.versionId,
      etag: version.etag,
      size: version.body.byteLength,
      lastModified: version.lastModified,
      ...(version.checksum === undefined ? {} : { checksum: version.checksum }),
      metadata: version.metadata,
      headers: version.headers,
      storageClass: version.storageClass,
      archived: version.archived,
      customerKey: false,
    },
  };
};

/** Why the bytes of a version can be neither read nor copied; undefined when they can. */
export const unreadableReason = (version: StoredObject): StoreFailure | undefined => {
  if (version.customerKey) return CUSTOMER_KEY;
  return version.archived ? ARCHIVED : undefined;
};

const chunks = async function* (body: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < body.byteLength; at += CHUNK_BYTES) yield body.subarray(at, at + CHUNK_BYTES);
};
