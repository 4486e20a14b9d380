import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  type S3Client,
  type StorageClass,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import { StoreUnavailableError } from "../geo/errors.ts";
import type {
  AbortOutcome,
  BeginUploadOutcome,
  CompleteOutcome,
  CompleteRequest,
  CopiedPart,
  PartOutcome,
  PartRequest,
  PartsOutcome,
  UploadMarker,
  UploadRequest,
  UploadsPage,
} from "../ports/object-store.ts";
import { copySource } from "./copy-source.ts";
import { readSdkError, storeFailure } from "./s3-failure.ts";
import { destinationCondition, refusal } from "./s3-refusal.ts";
import type { VersioningCheck } from "./versioning-check.ts";
import { watchStatus } from "./watch-status.ts";

export interface S3UploadsOptions {
  /** For questions, and for what may be asked twice: parts are the same part however often they are copied. */
  readonly asking: S3Client;
  /** Copies parts: has as many sockets as there are parts in flight, and may try again (`s3PartCopier`). */
  readonly copier: S3Client;
  /** Sends every request once (`s3Writer`). */
  readonly writer: S3Client;
  readonly bucket: string;
  readonly primaryBucket: string;
  readonly accountId: string;
  readonly timeLimitMs: () => number;
  /** Judges whether the bucket has kept what was completed. */
  readonly versioning?: Pick<VersioningCheck, "withoutVersion"> | undefined;
}

/** What S3 says of an upload that was completed or aborted, or that never was. */
const NO_SUCH_UPLOAD = "NoSuchUpload";

/** S3's words for parts that can not become the object, however often it is asked. */
const UNUSABLE: ReadonlySet<string> = new Set([
  "BadDigest",
  "EntityTooSmall",
  "InvalidPart",
  "InvalidPartOrder",
  "InvalidRequest",
]);

/** Uploads in parts to a replica's bucket on S3. */
export class S3Uploads {
  readonly #options: S3UploadsOptions;
  readonly #target: { readonly Bucket: string; readonly ExpectedBucketOwner: string };

  constructor(options: S3UploadsOptions) {
    this.#options = options;
    this.#target = { Bucket: options.bucket, ExpectedBucketOwner: options.accountId };
  }

  async begin({ key, storageClass, headers, metadata, tags }: UploadRequest): Promise<BeginUploadOutcome> {
    const command = new CreateMultipartUploadCommand({
      ...this.#target,
      Key: key,
      // S3 computes it over the bytes that arrive, part by part, and says at the end what the whole comes to.
      ChecksumAlgorithm: "CRC64NVME",
      ChecksumType: "FULL_OBJECT",
      StorageClass: storageClass as StorageClass,
      Metadata: { ...metadata },
      Tagging: tagging(tags),
      ...(headers.contentType === undefined ? {} : { ContentType: headers.contentType }),
      ...(headers.contentEncoding === undefined ? {} : { ContentEncoding: headers.contentEncoding }),
      ...(headers.contentDisposition === undefined ? {} : { ContentDisposition: headers.contentDisposition }),
      ...(headers.contentLanguage === undefined ? {} : { ContentLanguage: headers.contentLanguage }),
      ...(headers.cacheControl === undefined ? {} : { CacheControl: headers.cacheControl }),
    });
    if (headers.expires !== undefined) withHeader(command, "expires", headers.expires);
    const status = watchStatus(command);
    try {
      const { UploadId } = await this.#options.writer.send(command, this.#deadline());
      return UploadId === undefined
        ? { outcome: "unknown", detail: "the answer names no upload" }
        : { outcome: "begun", uploadId: UploadId };
    } catch (thrown) {
      const refused = refusal(thrown, status());
      // No condition was stated: whatever S3 calls it, this was a refusal.
      return refused.outcome === "unknown" || refused.outcome === "failed" ? refused : failed(thrown);
    }
  }

  async copyPart({ key, uploadId, sourceVersionId, sourceEtag, number, range }: PartRequest): Promise<PartOutcome> {
    const { copier, primaryBucket, accountId } = this.#options;
    const command = new UploadPartCopyCommand({
      ...this.#target,
      Key: key,
      UploadId: uploadId,
      PartNumber: number,
      CopySource: copySource(primaryBucket, key, sourceVersionId),
      CopySourceIfMatch: sourceEtag,
      CopySourceRange: `bytes=${range.start}-${range.endInclusive}`,
      ExpectedSourceBucketOwner: accountId,
    });
    try {
      const { CopyPartResult } = await copier.send(command, this.#deadline());
      const etag = CopyPartResult?.ETag;
      if (etag === undefined) {
        return { outcome: "failed", failure: { kind: "unavailable", detail: "the answer names no part" } };
      }
      return { outcome: "copied", part: { number, etag, size: range.endInclusive - range.start + 1 } };
    } catch (thrown) {
      const { name, status } = readSdkError(thrown);
      if (name === NO_SUCH_UPLOAD) return { outcome: "upload_gone" };
      if (status === 412 || (status === 404 && name !== "NoSuchBucket")) return { outcome: "gone" };
      return failed(thrown);
    }
  }

  async listParts(key: string, uploadId: string): Promise<PartsOutcome> {
    const parts: CopiedPart[] = [];
    try {
      let marker: string | undefined;
      do {
        const page = await this.#options.asking.send(
          new ListPartsCommand({
            ...this.#target,
            Key: key,
            UploadId: uploadId,
            ...(marker === undefined ? {} : { PartNumberMarker: marker }),
          }),
        );
        for (const { PartNumber, ETag, Size } of page.Parts ?? []) {
          if (PartNumber === undefined || ETag === undefined || Size === undefined) continue;
          parts.push({ number: PartNumber, etag: ETag, size: Size });
        }
        marker = page.IsTruncated === true ? page.NextPartNumberMarker : undefined;
      } while (marker !== undefined);
    } catch (thrown) {
      return readSdkError(thrown).name === NO_SUCH_UPLOAD ? { outcome: "upload_gone" } : failed(thrown);
    }
    return { outcome: "listed", parts };
  }

  async complete({ key, uploadId, parts, size, crc64nvme, replica }: CompleteRequest): Promise<CompleteOutcome> {
    const command = new CompleteMultipartUploadCommand({
      ...this.#target,
      Key: key,
      UploadId: uploadId,
      MultipartUpload: { Parts: parts.map(({ number, etag }) => ({ PartNumber: number, ETag: etag })) },
      MpuObjectSize: size,
      ...destinationCondition(replica),
      ...(crc64nvme === undefined ? {} : { ChecksumCRC64NVME: crc64nvme, ChecksumType: "FULL_OBJECT" }),
    });
    const status = watchStatus(command);
    try {
      const { VersionId, ETag } = await this.#options.writer.send(command, this.#deadline());
      const completed = { outcome: "completed", versionId: VersionId ?? "null", etag: ETag ?? "" } as const;
      return this.#options.versioning?.withoutVersion(this.#options.bucket, VersionId) ?? completed;
    } catch (thrown) {
      const refused = refusal(thrown, status());
      const { name, message } = readSdkError(thrown);
      if (refused.outcome === "gone") {
        // `If-Match` on a key that shows nothing is a 404, too.
        return name === NO_SUCH_UPLOAD ? { outcome: "upload_gone" } : { outcome: "lost" };
      }
      if (refused.outcome === "failed" && UNUSABLE.has(name)) {
        return { outcome: "unusable", detail: `${name}: ${message}` };
      }
      return refused;
    }
  }

  async abort(key: string, uploadId: string): Promise<AbortOutcome> {
    const command = new AbortMultipartUploadCommand({ ...this.#target, Key: key, UploadId: uploadId });
    try {
      await this.#options.asking.send(command, this.#deadline());
      return { outcome: "over" };
    } catch (thrown) {
      return readSdkError(thrown).name === NO_SUCH_UPLOAD ? { outcome: "over" } : failed(thrown);
    }
  }

  async list(after: UploadMarker | undefined): Promise<UploadsPage> {
    const command = new ListMultipartUploadsCommand({
      ...this.#target,
      EncodingType: "url",
      ...(after === undefined ? {} : { KeyMarker: after.key, UploadIdMarker: after.uploadId }),
    });
    try {
      const page = await this.#options.asking.send(command);
      const isEncoded = page.EncodingType === "url";
      const keyOf = (key: string): string => (isEncoded ? decodeURIComponent(key.replaceAll("+", " ")) : key);
      const uploads = (page.Uploads ?? []).flatMap(({ Key, UploadId, Initiated }) =>
        Key === undefined || UploadId === undefined
          ? []
          : [{ key: keyOf(Key), uploadId: UploadId, begunAt: Initiated?.getTime() ?? 0 }],
      );
      const { IsTruncated, NextKeyMarker, NextUploadIdMarker } = page;
      return IsTruncated === true && NextKeyMarker !== undefined && NextUploadIdMarker !== undefined
        ? { uploads, next: { key: keyOf(NextKeyMarker), uploadId: NextUploadIdMarker } }
        : { uploads };
    } catch (thrown) {
      const { detail } = storeFailure(readSdkError(thrown));
      throw new StoreUnavailableError(`Listing the uploads of ${this.#options.bucket} failed: ${detail}`, {
        cause: thrown,
      });
    }
  }

  #deadline(): { readonly abortSignal: AbortSignal } {
    return { abortSignal: AbortSignal.timeout(Math.max(1, Math.floor(this.#options.timeLimitMs()))) };
  }
}

const failed = (thrown: unknown) => ({ outcome: "failed", failure: storeFailure(readSdkError(thrown)) }) as const;

const tagging = (tags: Readonly<Record<string, string>>): string =>
  Object.entries(tags)
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .join("&");

/** The SDK takes some headers as dates only; what S3 told as text goes back as the same text. */
const withHeader = (command: CreateMultipartUploadCommand, name: string, value: string): void =>
  command.middlewareStack.add(
    (next) => (args) => {
      const { request } = args;
      if (typeof request === "object" && request !== null && "headers" in request) {
        Object.assign(request.headers as object, { [name]: value });
      }
      return next(args);
    },
    { step: "build", name: `header ${name}` },
  );
