import {
  ChecksumAlgorithm,
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  NotFound,
  paginateListObjectsV2,
  PutObjectCommand,
  PutObjectTaggingCommand,
  type S3Client,
  type StorageClass,
} from "@aws-sdk/client-s3";
import type { ContentHeaders } from "../../shared/geo/object-facts.ts";
import type { DemoBucket } from "./demo-bucket.ts";

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

/** A bucket of a cloud, through the SDK. */
export const cloudDemoBucket = (s3: S3Client, bucket: string): DemoBucket => ({
  name: bucket,

  async put(upload) {
    await s3.send(
      new PutObjectCommand({
        Bucket: bucket,
        Key: upload.key,
        Body: upload.body,
        ...headersToSend(upload.headers),
        Metadata: { ...upload.metadata },
        Tagging: new URLSearchParams(upload.tags).toString(),
        StorageClass: upload.storageClass as StorageClass,
        ChecksumAlgorithm: ChecksumAlgorithm[upload.checksum],
      }),
    );
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
    const { TagSet = [] } = await s3.send(
      new GetObjectTaggingCommand({ Bucket: bucket, Key: key, VersionId: versionId }),
    );
    return Object.fromEntries(TagSet.map(({ Key = "", Value = "" }) => [Key, Value]));
  },

  async read(key, versionId) {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key, VersionId: versionId }));
    if (Body === undefined) throw new Error(`${bucket}/${key} came without a body`);
    // In Node the SDK's body is a readable stream of buffers.
    return Body as AsyncIterable<Uint8Array>;
  },
});
