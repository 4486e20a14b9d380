import { GetObjectCommand, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { messageOf, StoreUnavailableError } from "../geo/errors.ts";
import type { ManifestStore } from "../ports/destroy.ts";

/** Manifests in a bucket of their own. */
export class S3ManifestStore implements ManifestStore {
  readonly #client: S3Client;
  readonly #target: { readonly Bucket: string; readonly ExpectedBucketOwner: string };

  /**
   * @param client of the bucket's region; a text that is written twice is the same text
   * @param accountId the account that must own the bucket
   */
  constructor(client: S3Client, bucket: string, accountId: string) {
    this.#client = client;
    this.#target = { Bucket: bucket, ExpectedBucketOwner: accountId };
  }

  async write(name: string, text: string): Promise<void> {
    try {
      await this.#client.send(
        new PutObjectCommand({ ...this.#target, Key: name, Body: text, ContentType: "application/jsonl" }),
      );
    } catch (cause) {
      throw this.#unavailable("writing", name, cause);
    }
  }

  async read(name: string): Promise<string> {
    try {
      const { Body } = await this.#client.send(new GetObjectCommand({ ...this.#target, Key: name }));
      return (await Body?.transformToString("utf-8")) ?? "";
    } catch (cause) {
      throw this.#unavailable("reading", name, cause);
    }
  }

  #unavailable(doing: string, name: string, cause: unknown): StoreUnavailableError {
    return new StoreUnavailableError(`${doing} ${this.#target.Bucket}/${name} failed: ${messageOf(cause)}`, { cause });
  }
}
