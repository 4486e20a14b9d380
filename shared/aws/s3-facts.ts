import type { HeadObjectCommandOutput } from "@aws-sdk/client-s3";
import type { ChecksumAlgorithm, ContentHeaders, ObjectFacts, StoredChecksum } from "../geo/object-facts.ts";

/** Where S3's answer holds which checksum; the strongest evidence first, CRCs by width. */
const CHECKSUM_FIELDS = [
  ["SHA512", "ChecksumSHA512"],
  ["SHA256", "ChecksumSHA256"],
  ["SHA1", "ChecksumSHA1"],
  ["MD5", "ChecksumMD5"],
  ["XXHASH128", "ChecksumXXHASH128"],
  ["CRC64NVME", "ChecksumCRC64NVME"],
  ["XXHASH3", "ChecksumXXHASH3"],
  ["XXHASH64", "ChecksumXXHASH64"],
  ["CRC32C", "ChecksumCRC32C"],
  ["CRC32", "ChecksumCRC32"],
] as const satisfies readonly (readonly [ChecksumAlgorithm, keyof HeadObjectCommandOutput])[];

/** `dGVzdA==-3`: a checksum over the checksums of three parts. */
const COMPOSITE = /-\d+$/;

const storedChecksum = (head: HeadObjectCommandOutput): StoredChecksum | undefined => {
  for (const [algorithm, field] of CHECKSUM_FIELDS) {
    const value = head[field];
    if (value === undefined) continue;
    // Objects from before S3 told the type show it in the value.
    const type = head.ChecksumType ?? (COMPOSITE.test(value) ? "COMPOSITE" : "FULL_OBJECT");
    return { algorithm, type, value };
  }
  return undefined;
};

const ARCHIVE_CLASSES: ReadonlySet<string> = new Set(["GLACIER", "DEEP_ARCHIVE"]);

/** `ongoing-request="false"` with an expiry: a readable copy exists for now. */
const isRestored = (restore: string | undefined): boolean => /ongoing-request="false"/.test(restore ?? "");

const isArchived = ({ StorageClass, ArchiveStatus, Restore }: HeadObjectCommandOutput): boolean =>
  (ARCHIVE_CLASSES.has(StorageClass ?? "") || ArchiveStatus !== undefined) && !isRestored(Restore);

const contentHeaders = (head: HeadObjectCommandOutput): ContentHeaders => ({
  ...(head.ContentType === undefined ? {} : { contentType: head.ContentType }),
  ...(head.ContentEncoding === undefined ? {} : { contentEncoding: head.ContentEncoding }),
  ...(head.ContentDisposition === undefined ? {} : { contentDisposition: head.ContentDisposition }),
  ...(head.ContentLanguage === undefined ? {} : { contentLanguage: head.ContentLanguage }),
  ...(head.CacheControl === undefined ? {} : { cacheControl: head.CacheControl }),
  ...(head.ExpiresString === undefined ? {} : { expires: head.ExpiresString }),
});

/** What a HEAD of a present object says, in our words. */
export const objectFacts = (head: HeadObjectCommandOutput): ObjectFacts => {
  const checksum = storedChecksum(head);
  return {
    versionId: head.VersionId ?? "null",
    etag: head.ETag ?? "",
    size: head.ContentLength ?? 0,
    lastModified: head.LastModified?.getTime() ?? 0,
    ...(checksum === undefined ? {} : { checksum }),
    metadata: head.Metadata ?? {},
    headers: contentHeaders(head),
    storageClass: head.StorageClass ?? "STANDARD",
    archived: isArchived(head),
    customerKey: head.SSECustomerAlgorithm !== undefined,
  };
};
