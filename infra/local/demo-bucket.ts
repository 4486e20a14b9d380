import type { ContentHeaders } from "../../shared/geo/object-facts.ts";

/** Checksums that an upload may bring. `CRC32` is what SDKs send by default, and too weak to prove anything by. */
export type UploadChecksum = "CRC64NVME" | "SHA256" | "CRC32";

/** One upload. */
export interface Upload {
  readonly key: string;
  readonly body: Uint8Array;
  readonly headers: ContentHeaders;
  readonly metadata: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  readonly storageClass: string;
  readonly checksum: UploadChecksum;
}

/** What stands beside the bytes of a key's current version. */
export interface Description {
  readonly versionId: string;
  readonly size: number;
  readonly headers: ContentHeaders;
  readonly metadata: Readonly<Record<string, string>>;
  readonly storageClass: string;
}

/** The version was there a moment ago and is not any more. */
export class VersionGoneError extends Error {
  override readonly name = "VersionGoneError";
}

/**
 * A bucket as people use it, on a cloud or in memory: what the demonstration does to the primary, and what the comparison
 * reads from both. It knows nothing of the product: no row, no event, no port.
 */
export interface DemoBucket {
  readonly name: string;
  put(upload: Upload): Promise<void>;
  /** Replaces the metadata and headers of an object by copying it onto itself, as people do. */
  replaceMetadata(key: string, metadata: Readonly<Record<string, string>>, headers: ContentHeaders): Promise<void>;
  replaceTags(key: string, tags: Readonly<Record<string, string>>): Promise<void>;
  /** Adds a delete marker and returns its version id. */
  remove(key: string): Promise<string>;
  /** Takes one version, or one marker, away for ever. */
  removeVersion(key: string, versionId: string): Promise<void>;
  /** Keys with a current version, in the order of their UTF-8 bytes. */
  keys(): AsyncIterable<string>;
  describe(key: string): Promise<Description | undefined>;
  /** @throws {VersionGoneError} */
  tags(key: string, versionId: string): Promise<Readonly<Record<string, string>>>;
  /** @throws {VersionGoneError} */
  read(key: string, versionId: string): Promise<AsyncIterable<Uint8Array>>;
}
