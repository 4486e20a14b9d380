import {
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  type S3Client,
} from "@aws-sdk/client-s3";
import { StoreUnavailableError } from "../geo/errors.ts";
import type { ByteRange } from "../geo/byte-range.ts";
import type {
  HeadOutcome,
  ListedObject,
  ListPage,
  ReadableBucket,
  ReadOutcome,
  TagsOutcome,
  VersionOutcome,
} from "../ports/object-store.ts";
import { objectFacts } from "./s3-facts.ts";
import { readSdkError, storeFailure } from "./s3-failure.ts";

export interface S3BucketOptions {
  /** A client of the bucket's own region that tries again by itself (`s3Reader`). */
  readonly client: S3Client;
  readonly bucket: string;
  /** The account that must own the bucket; a bucket that somebody else made under this name is refused with 403. */
  readonly accountId: string;
}

/** A bucket on S3, for reading. */
export class S3Bucket implements ReadableBucket {
  readonly bucket: string;
  readonly #client: S3Client;
  readonly #target: { readonly Bucket: string; readonly ExpectedBucketOwner: string };

  constructor({ client, bucket, accountId }: S3BucketOptions) {
    this.bucket = bucket;
    this.#client = client;
    this.#target = { Bucket: bucket, ExpectedBucketOwner: accountId };
  }

  /**
   * Asks about the key as it is now. A customer's key (SSE-C) makes S3 refuse the question itself with 400, which comes
   * back as `rejected`.
   */
  async head(key: string): Promise<HeadOutcome> {
    try {
      const head = await this.#client.send(
        new HeadObjectCommand({ ...this.#target, Key: key, ChecksumMode: "ENABLED" }),
      );
      return { outcome: "present", facts: objectFacts(head) };
    } catch (thrown) {
      const error = readSdkError(thrown);
      if (error.status !== 404) return { outcome: "failed", failure: storeFailure(error) };
      if (error.headers["x-amz-delete-marker"] === "true") {
        const versionId = error.headers["x-amz-version-id"];
        return versionId === undefined
          ? { outcome: "absent" }
          : { outcome: "absent", deleteMarkerVersionId: versionId };
      }
      return this.#absentUnlessBucketIsGone();
    }
  }

  /** Asks about one version, whether or not it is the key's current one. */
  async headVersion(key: string, versionId: string): Promise<VersionOutcome> {
    try {
      const head = await this.#client.send(
        new HeadObjectCommand({ ...this.#target, Key: key, VersionId: versionId, ChecksumMode: "ENABLED" }),
      );
      return { outcome: "present", facts: objectFacts(head) };
    } catch (thrown) {
      const error = readSdkError(thrown);
      if (error.status === 405) return { outcome: "gone" };
      if (error.status !== 404) return { outcome: "failed", failure: storeFailure(error) };
      const asked = await this.#absentUnlessBucketIsGone();
      return asked.outcome === "absent" ? { outcome: "gone" } : asked;
    }
  }

  async tags(key: string, versionId: string): Promise<TagsOutcome> {
    try {
      const { TagSet = [] } = await this.#client.send(
        new GetObjectTaggingCommand({ ...this.#target, Key: key, VersionId: versionId }),
      );
      return { outcome: "read", tags: Object.fromEntries(TagSet.map((tag) => [tag.Key ?? "", tag.Value ?? ""])) };
    } catch (thrown) {
      return goneOrFailed(thrown);
    }
  }

  /** The body has to be read to its end or left early by `break`: an untouched one holds on to a connection. */
  async read(key: string, versionId: string, range?: ByteRange): Promise<ReadOutcome> {
    try {
      const {
        Body,
        ContentLength = 0,
        ContentRange,
      } = await this.#client.send(
        new GetObjectCommand({
          ...this.#target,
          Key: key,
          VersionId: versionId,
          ...(range === undefined ? {} : { Range: `bytes=${range.start}-${range.endInclusive}` }),
        }),
      );
      // On Node the body is a readable stream of Buffers; the SDK's type covers browsers, too.
      const body = (Body ?? []) as AsyncIterable<Uint8Array>;
      // Whoever serves HTTP may ignore a range, and some stores do when a version is named: then all of it comes.
      if (range !== undefined && ContentRange === undefined)
        return cutOut(this.#watched(body, key), ContentLength, range);
      return { outcome: "reading", body: this.#watched(body, key), size: ContentLength };
    } catch (thrown) {
      return goneOrFailed(thrown);
    }
  }

  async list(
    options: { readonly prefix?: string; readonly after?: string; readonly limit?: number } = {},
  ): Promise<ListPage> {
    const { prefix, after, limit } = options;
    try {
      const { Contents = [], IsTruncated } = await this.#client.send(
        new ListObjectsV2Command({
          ...this.#target,
          // XML can not carry every character that a key may hold.
          EncodingType: "url",
          ...(prefix === undefined ? {} : { Prefix: prefix }),
          ...(after === undefined ? {} : { StartAfter: after }),
          ...(limit === undefined ? {} : { MaxKeys: Math.min(limit, 1_000) }),
        }),
      );
      const objects = Contents.map(({ Key = "", ETag = "", Size = 0, LastModified }): ListedObject => ({
        key: decodeURIComponent(Key.replaceAll("+", "%20")),
        etag: ETag,
        size: Size,
        lastModified: LastModified?.getTime() ?? 0,
      }));
      const last = objects.at(-1);
      return IsTruncated === true && last !== undefined ? { objects, next: last.key } : { objects };
    } catch (thrown) {
      const { detail } = storeFailure(readSdkError(thrown));
      throw new StoreUnavailableError(
        `Listing ${this.bucket} failed: ${detail}. Nothing was changed; ask again later.`,
        {
          cause: thrown,
        },
      );
    }
  }

  /**
   * S3 answers 404 without a body both for a key that never was and for a bucket that is gone. Taking the second for the
   * first would remove every replica (R29), so the bucket itself is asked. That costs a request only for keys which have
   * not even a delete marker.
   */
  async #absentUnlessBucketIsGone(): Promise<Extract<HeadOutcome, { outcome: "absent" | "failed" }>> {
    try {
      await this.#client.send(new HeadBucketCommand(this.#target));
      return { outcome: "absent" };
    } catch (thrown) {
      const failure = storeFailure(readSdkError(thrown));
      return { outcome: "failed", failure: { ...failure, detail: `The bucket ${this.bucket}: ${failure.detail}` } };
    }
  }

  async *#watched(body: AsyncIterable<Uint8Array>, key: string): AsyncGenerator<Uint8Array> {
    try {
      yield* body;
    } catch (cause) {
      throw new StoreUnavailableError(`Reading ${this.bucket}/${key} stopped half way; it has to be read again.`, {
        cause,
      });
    }
  }
}

/** The range of a body that was sent whole. */
const cutOut = async (body: AsyncGenerator<Uint8Array>, size: number, range: ByteRange): Promise<ReadOutcome> => {
  const end = Math.min(range.endInclusive + 1, size);
  if (range.start < end) return { outcome: "reading", body: within(body, range.start, end), size: end - range.start };
  await body.return(undefined);
  const detail = `InvalidRange: ${range.start}-${range.endInclusive} of ${size} bytes`;
  return { outcome: "failed", failure: { kind: "rejected", detail } };
};

const within = async function* (body: AsyncIterable<Uint8Array>, start: number, end: number) {
  let at = 0;
  for await (const chunk of body) {
    const wanted = chunk.subarray(Math.max(0, start - at), Math.max(0, end - at));
    at += chunk.byteLength;
    if (wanted.byteLength > 0) yield wanted;
    if (at >= end) return;
  }
};

/** 404 for a version that is not there, 405 for one that is a delete marker; a missing bucket is neither. */
const goneOrFailed = (thrown: unknown): Extract<ReadOutcome & TagsOutcome, { outcome: "gone" | "failed" }> => {
  const error = readSdkError(thrown);
  const isGone = (error.status === 404 && error.name !== "NoSuchBucket") || error.status === 405;
  return isGone ? { outcome: "gone" } : { outcome: "failed", failure: storeFailure(error) };
};
