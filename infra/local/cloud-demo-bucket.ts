import {
  ChecksumAlgorithm,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  NotFound,
  paginateListObjectsV2,
  PutObjectCommand,
  PutObjectTaggingCommand,
  type S3Client,
  S3ServiceException,
  type StorageClass,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import type { ContentHeaders } from "../../shared/geo/object-facts.ts";
import { type DemoBucket, type Upload, VersionGoneError } from "./demo-bucket.ts";

const headersToSend = (headers: ContentHeaders) => ({
  ...(headers.contentType === undefined ? {} : { ContentType: headers.contentType }),
  ...(headers.contentEncoding === undefined ? {} : { ContentEncoding: headers.contentEncoding }),
  ...(headers.contentDisposition === undefined ? {} : { ContentDisposition: headers.contentDisposition }),
  ...(headers.contentLanguage === undefined ? {} : { ContentLanguage: headers.contentLanguage }),
  ...(headers.cacheControl === undefined ? {} : { CacheControl: headers.cacheControl }),
  ...(headers.expires === undefined ? {} : { Expires: new Date(headers.expires) }),
});

const defined = <Value extends object>(value: Value): { [Name in keyof Value]?: NonNullable<Value[Name]> } =>
  // Only entries with a value are left.
  Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as {
    [Name in keyof Value]?: NonNullable<Value[Name]>;
  };

const tagSet = (tags: Readonly<Record<string, string>>) => Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));

/** Larger uploads go in parts of this size, as SDKs advise; S3's least is 5 MiB. */
const PART_BYTES = 8 * 1_024 * 1_024;

const CHECKSUM_FIELDS = { CRC64NVME: "ChecksumCRC64NVME", CRC32: "ChecksumCRC32", SHA256: "ChecksumSHA256" } as const;

const describeUpload = (bucket: string, upload: Upload) => ({
  Bucket: bucket,
  Key: upload.key,
  ...headersToSend(upload.headers),
  Metadata: { ...upload.metadata },
  Tagging: new URLSearchParams(upload.tags).toString(),
  StorageClass: upload.storageClass as StorageClass,
  ChecksumAlgorithm: ChecksumAlgorithm[upload.checksum],
});

const putInParts = async (s3: S3Client, bucket: string, upload: Upload): Promise<void> => {
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand(describeUpload(bucket, upload)));
  const target = { Bucket: bucket, Key: upload.key, UploadId };
  const parts: CompletedPart[] = [];
  for (let start = 0; start < upload.body.byteLength; start += PART_BYTES) {
    const PartNumber = parts.length + 1;
    const Body = upload.body.subarray(start, start + PART_BYTES);
    const sent = await s3.send(
      new UploadPartCommand({ ...target, PartNumber, Body, ChecksumAlgorithm: ChecksumAlgorithm[upload.checksum] }),
    );
    const field = CHECKSUM_FIELDS[upload.checksum];
    parts.push({ PartNumber, ETag: sent.ETag, ...(sent[field] === undefined ? {} : { [field]: sent[field] }) });
  }
  await s3.send(new CompleteMultipartUploadCommand({ ...target, MultipartUpload: { Parts: parts } }));
};

/** Runs a request about a version, which somebody may take away meanwhile. */
const aboutVersion = async <Answer>(request: Promise<Answer>): Promise<Answer> => {
  try {
    return await request;
  } catch (error) {
    if (error instanceof S3ServiceException && error.$metadata.httpStatusCode === 404) {
      throw new VersionGoneError(error.message, { cause: error });
    }
    throw error;
  }
};

/** A bucket of a cloud, through the SDK. */
export const cloudDemoBucket = (s3: S3Client, bucket: string): DemoBucket => ({
  name: bucket,

  async put(upload) {
    if (upload.body.byteLength > PART_BYTES) return putInParts(s3, bucket, upload);
    await s3.send(new PutObjectCommand({ ...describeUpload(bucket, upload), Body: upload.body }));
  },

  async replaceMetadata(key, metadata, headers) {
    await s3.send(
      new CopyObjectCommand({
        Bucket: bucket,
        Key: key,
        CopySource: `${bucket}/${encodeURIComponent(key)}`,
        MetadataDirective: "REPLACE",
        Metadata: { ...metadata },
        ...headersToSend(headers),
      }),
    );
  },

  async replaceTags(key, tags) {
    await s3.send(new PutObjectTaggingCommand({ Bucket: bucket, Key: key, Tagging: { TagSet: tagSet(tags) } }));
  },

  async remove(key) {
    const { VersionId } = await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
    if (VersionId === undefined) throw new Error(`${bucket} is not versioned: deleting ${key} left no marker`);
    return VersionId;
  },

  async removeVersion(key, versionId) {
    await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: key, VersionId: versionId }));
  },

  async *keys() {
    // Keys may hold characters that XML can not: they are asked for percent-encoded.
    const pages = paginateListObjectsV2({ client: s3 }, { Bucket: bucket, EncodingType: "url" });
    for await (const page of pages) {
      for (const { Key } of page.Contents ?? []) {
        if (Key !== undefined) yield decodeURIComponent(Key.replaceAll("+", " "));
      }
    }
  },

  async describe(key) {
    try {
      const head = await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
      return {
        versionId: head.VersionId ?? "null",
        size: head.ContentLength ?? 0,
        metadata: head.Metadata ?? {},
        storageClass: head.StorageClass ?? "STANDARD",
        headers: defined({
          contentType: head.ContentType,
          contentEncoding: head.ContentEncoding,
          contentDisposition: head.ContentDisposition,
          contentLanguage: head.ContentLanguage,
          cacheControl: head.CacheControl,
          expires: head.ExpiresString,
        }),
      };
    } catch (error) {
      if (error instanceof NotFound) return undefined;
      throw error;
    }
  },

  async tags(key, versionId) {
    const { TagSet = [] } = await aboutVersion(
      s3.send(new GetObjectTaggingCommand({ Bucket: bucket, Key: key, VersionId: versionId })),
    );
    return Object.fromEntries(TagSet.map(({ Key = "", Value = "" }) => [Key, Value]));
  },

  async read(key, versionId) {
    const { Body } = await aboutVersion(
      s3.send(new GetObjectCommand({ Bucket: bucket, Key: key, VersionId: versionId })),
    );
    if (Body === undefined) throw new Error(`${bucket}/${key} came without a body`);
    // In Node the SDK's body is a readable stream of buffers.
    return Body as AsyncIterable<Uint8Array>;
  },
});
