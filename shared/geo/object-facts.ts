/** The content headers that travel with an object. Absent means that the header is not set. */
export interface ContentHeaders {
  readonly contentType?: string;
  readonly contentEncoding?: string;
  readonly contentDisposition?: string;
  readonly contentLanguage?: string;
  readonly cacheControl?: string;
  /** As S3 returns it: an HTTP date. */
  readonly expires?: string;
}

/** S3's checksum algorithms that may stand on an object (AWS SDK, `ChecksumAlgorithm`, 2026). */
export type ChecksumAlgorithm =
  "CRC32" | "CRC32C" | "CRC64NVME" | "SHA1" | "SHA256" | "SHA512" | "MD5" | "XXHASH64" | "XXHASH3" | "XXHASH128";

/** A checksum that S3 stored with a version. `COMPOSITE` is a checksum of part checksums and names no content. */
export interface StoredChecksum {
  readonly algorithm: ChecksumAlgorithm;
  readonly type: "FULL_OBJECT" | "COMPOSITE";
  /** Base64, as S3 prints it. */
  readonly value: string;
}

/** What S3 calls the one version of a key that a bucket keeps while its versioning is not on; it has no id of its own. */
export const NO_VERSION = "null";

/** What a HEAD says about the current version of a key. */
export interface ObjectFacts {
  /** `null` (the four letters) for an object from before versioning. */
  readonly versionId: string;
  /** As S3 prints it, quotes included. A change token, not a content hash. */
  readonly etag: string;
  /** Bytes. */
  readonly size: number;
  /** Milliseconds since the epoch. */
  readonly lastModified: number;
  /** The strongest checksum that S3 stores with this version, if any. */
  readonly checksum?: StoredChecksum;
  /** User metadata without the `x-amz-meta-` prefix. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly headers: ContentHeaders;
  /** `STANDARD` when S3 names none. */
  readonly storageClass: string;
  /** True while the bytes are in an archive class and not restored: they can not be copied. */
  readonly archived: boolean;
  /** True when it is encrypted with a customer's key (SSE-C), which this product is never given. */
  readonly customerKey: boolean;
}

/** Classes whose bytes have to be restored before they can be read. */
const ARCHIVE_CLASSES: ReadonlySet<string> = new Set(["GLACIER", "DEEP_ARCHIVE"]);

/**
 * The storage class of an object's replica: the source's own. A replica has to be read to be verified, so that of a
 * restored archive goes to the archive class that can be read at once; a lifecycle rule may move it on.
 */
export const replicaStorageClass = (source: Pick<ObjectFacts, "storageClass">): string =>
  ARCHIVE_CLASSES.has(source.storageClass) ? "GLACIER_IR" : source.storageClass;

/** What S3 computed over an object's bytes when they came, in the one algorithm that it computes over parts as well. */
export const crc64nvmeOf = ({ checksum }: Pick<ObjectFacts, "checksum">): string | undefined =>
  checksum?.algorithm === "CRC64NVME" && checksum.type === "FULL_OBJECT" ? checksum.value : undefined;
