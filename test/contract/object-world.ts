import type { ContentHeaders } from "../../shared/geo/object-facts.ts";

/** What the uploader says about an object. */
export interface Upload {
  readonly metadata?: Readonly<Record<string, string>>;
  readonly headers?: ContentHeaders;
  readonly tags?: Readonly<Record<string, string>>;
  readonly storageClass?: string;
  /** Which checksum the store keeps. Default CRC64NVME. */
  readonly checksum?: "crc64nvme" | "sha256";
}

/** What people do to a bucket, which the product may not. Lets one suite set the scene in memory and on S3. */
export interface ObjectWorld {
  put(
    key: string,
    body: string | Uint8Array,
    upload?: Upload,
  ): Promise<{ readonly versionId: string; readonly etag: string }>;
  deleteCurrent(key: string): Promise<{ readonly versionId: string }>;
  deleteVersion(key: string, versionId: string): Promise<void>;
}
