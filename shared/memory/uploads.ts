import { createHash } from "node:crypto";
import type { PartLimits } from "../geo/part-plan.ts";
import type {
  CompleteOutcome,
  CompleteRequest,
  CopiedPart,
  PartOutcome,
  PartRequest,
  PartsOutcome,
  PendingUpload,
  UploadMarker,
  UploadRequest,
  UploadsPage,
} from "../ports/object-store.ts";
import { compareUtf8 } from "../geo/utf8-order.ts";
import type { MemoryBucket } from "./bucket.ts";
import { crc64nvmeBase64 } from "./crc64nvme.ts";
import { unreadableReason } from "./readable-bucket.ts";

/** Most uploads on a page of S3's listing. */
const PAGE_MAX = 1_000;

interface Part extends CopiedPart {
  readonly body: Uint8Array;
}

interface Upload {
  readonly request: UploadRequest;
  readonly begunAt: number;
  readonly parts: Map<number, Part>;
}

const unusable = (detail: string): CompleteOutcome => ({ outcome: "unusable", detail });

/** The uploads of a replica's bucket, as S3 keeps them: parts are seen by nobody until they are made a version together. */
export class MemoryUploads {
  readonly #primary: MemoryBucket;
  readonly #replica: MemoryBucket;
  readonly #limits: PartLimits;
  readonly #uploads = new Map<string, Upload>();

  constructor(primary: MemoryBucket, replica: MemoryBucket, limits: PartLimits) {
    this.#primary = primary;
    this.#replica = replica;
    this.#limits = limits;
  }

  /** In the order of their keys. */
  get pending(): readonly PendingUpload[] {
    return [...this.#uploads]
      .map(([uploadId, { request, begunAt }]) => ({ key: request.key, uploadId, begunAt }))
      .sort((a, b) => compareUtf8(a.key, b.key) || compareUtf8(a.uploadId, b.uploadId));
  }

  begin(request: UploadRequest): string {
    const { versionId, lastModified } = this.#replica.identity();
    this.#uploads.set(versionId, { request, begunAt: lastModified, parts: new Map() });
    return versionId;
  }

  copyPart({ key, uploadId, sourceVersionId, sourceEtag, number, range }: PartRequest): PartOutcome {
    const upload = this.#find(key, uploadId);
    if (upload === undefined) return { outcome: "upload_gone" };
    const source = this.#primary.version(key, sourceVersionId);
    if (source === undefined || source.etag !== sourceEtag) return { outcome: "gone" };
    const failure = unreadableReason(source);
    if (failure !== undefined) return { outcome: "failed", failure };
    const body = source.body.subarray(range.start, range.endInclusive + 1);
    const planned = range.endInclusive - range.start + 1;
    if (number < 1 || number > this.#limits.partsMax || planned > this.#limits.mostBytes || body.byteLength < planned) {
      const detail = `InvalidArgument: part ${number}, bytes ${range.start} to ${range.endInclusive} of ${source.body.byteLength}`;
      return { outcome: "failed", failure: { kind: "rejected", detail } };
    }
    const etag = `"${createHash("md5").update(body).digest("hex")}"`;
    upload.parts.set(number, { number, etag, size: body.byteLength, body });
    return { outcome: "copied", part: { number, etag, size: body.byteLength } };
  }

  listParts(key: string, uploadId: string): PartsOutcome {
    const upload = this.#find(key, uploadId);
    if (upload === undefined) return { outcome: "upload_gone" };
    const parts = [...upload.parts.values()].sort((a, b) => a.number - b.number);
    return { outcome: "listed", parts: parts.map(({ number, etag, size }) => ({ number, etag, size })) };
  }

  /** @param isExpected whether the replica is what the request expects, now that it lands */
  complete({ key, uploadId, parts, size, crc64nvme }: CompleteRequest, isExpected: () => boolean): CompleteOutcome {
    const upload = this.#find(key, uploadId);
    if (upload === undefined) return { outcome: "upload_gone" };
    if (!isExpected()) return { outcome: "lost" };
    const held = parts.map(({ number, etag }) => {
      const part = upload.parts.get(number);
      return part?.etag === etag ? part : undefined;
    });
    const found = held.filter((part) => part !== undefined);
    if (found.length < parts.length || parts.length === 0) return unusable("InvalidPart");
    if (parts.some(({ number }, index) => number <= (parts[index - 1]?.number ?? 0)))
      return unusable("InvalidPartOrder");
    if (found.slice(0, -1).some((part) => part.size < this.#limits.leastBytes)) return unusable("EntityTooSmall");
    const body =
      found.length === 1 ? (found[0]?.body ?? new Uint8Array()) : Buffer.concat(found.map((part) => part.body));
    if (body.byteLength !== size) return unusable(`InvalidRequest: ${body.byteLength} bytes, ${size} were announced`);
    // Computed over the bytes that were copied, and not carried over from the source: evidence of what arrived.
    const value = crc64nvmeBase64(body);
    if (crc64nvme !== undefined && crc64nvme !== value) return unusable(`BadDigest: ${value}, not ${crc64nvme}`);
    this.#uploads.delete(uploadId);
    const { metadata, headers, tags, storageClass } = upload.request;
    const stored = this.#replica.store(key, "ObjectCreated:CompleteMultipartUpload", {
      body,
      etag: etagOf(found),
      checksum: { algorithm: "CRC64NVME", type: "FULL_OBJECT", value },
      metadata,
      headers,
      tags,
      storageClass,
      customerKey: false,
      archived: false,
    });
    return { outcome: "completed", versionId: stored.versionId, etag: stored.etag };
  }

  abort(key: string, uploadId: string): void {
    if (this.#find(key, uploadId) !== undefined) this.#uploads.delete(uploadId);
  }

  list(after: UploadMarker | undefined): UploadsPage {
    const isAfter = ({ key, uploadId }: PendingUpload): boolean => {
      if (after === undefined) return true;
      const byKey = compareUtf8(key, after.key);
      return byKey > 0 || (byKey === 0 && compareUtf8(uploadId, after.uploadId) > 0);
    };
    const rest = this.pending.filter(isAfter);
    const uploads = rest.slice(0, PAGE_MAX);
    const last = uploads.at(-1);
    return rest.length > uploads.length && last !== undefined
      ? { uploads, next: { key: last.key, uploadId: last.uploadId } }
      : { uploads };
  }

  #find(key: string, uploadId: string): Upload | undefined {
    const upload = this.#uploads.get(uploadId);
    return upload?.request.key === key ? upload : undefined;
  }
}

/** A digest of the parts' digests, and how many they are: no digest of the content. */
const etagOf = (parts: readonly Part[]): string => {
  const hash = createHash("md5");
  for (const { etag } of parts) hash.update(Buffer.from(etag.slice(1, -1), "hex"));
  return `"${hash.digest("hex")}-${parts.length}"`;
};
