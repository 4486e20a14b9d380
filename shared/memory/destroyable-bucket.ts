import { GeoError } from "../geo/errors.ts";
import type { CurrentVersion, CurrentVersionsPage, DestroyableBucket, HideOutcome } from "../ports/destroy.ts";
import type { CopyOutcome, HeadOutcome } from "../ports/object-store.ts";
import type { MemoryBucket } from "./bucket.ts";
import { MemoryReplicaBucket, type MemoryReplicaBucketOptions } from "./replica-bucket.ts";

/** Most entries in one request of S3. */
const ENTRIES_MAX = 1_000;

/** How often each kind of request was sent: what a destroy costs is made of these. */
export interface DestroyRequests {
  list: number;
  head: number;
  hide: number;
  copy: number;
}

/** The primary's bucket in memory, as a batch destroy sees it. */
export class MemoryDestroyableBucket extends MemoryReplicaBucket implements DestroyableBucket {
  readonly requests: DestroyRequests = { list: 0, head: 0, hide: 0, copy: 0 };
  /** Whether the bucket keeps versions; replaceable at any time. */
  isVersioned = true;

  constructor(model: MemoryBucket, options: Omit<MemoryReplicaBucketOptions, "primary" | "replica"> = {}) {
    super({ ...options, primary: model, replica: model });
  }

  override head(key: string): Promise<HeadOutcome> {
    this.requests.head += 1;
    return super.head(key);
  }

  async assertVersioned(): Promise<void> {
    if (!this.isVersioned) throw new GeoError("GEO_BUCKET_NOT_VERSIONED", `${this.bucket} keeps no versions`);
  }

  async listCurrent(options: {
    readonly prefix: string;
    readonly after?: string | undefined;
  }): Promise<CurrentVersionsPage> {
    this.requests.list += 1;
    const { prefix, after } = options;
    const page = await this.list({ prefix, ...(after === undefined ? {} : { after }), limit: ENTRIES_MAX });
    const objects = page.objects.flatMap(({ key }): CurrentVersion[] => {
      const current = this.model.current(key);
      if (current?.kind !== "object") return [];
      const { versionId, etag, body, lastModified, storageClass } = current;
      return [{ key, versionId, etag, size: body.byteLength, lastModified, storageClass }];
    });
    return { objects, ...(page.next === undefined ? {} : { next: page.next }) };
  }

  async hide(entries: readonly { readonly key: string; readonly etag: string }[]): Promise<readonly HideOutcome[]> {
    if (entries.length < 1 || entries.length > ENTRIES_MAX) {
      throw new Error(`S3 deletes 1 to ${ENTRIES_MAX} objects in a request, got ${entries.length}`);
    }
    this.requests.hide += 1;
    const outcomes: HideOutcome[] = [];
    for (const { key, etag } of entries) {
      const removed = await this.remove(key, etag);
      if (removed.outcome === "removed") {
        outcomes.push({ key, outcome: "hidden", markerVersionId: removed.deleteMarkerVersionId });
      } else if (removed.outcome === "lost") outcomes.push({ key, outcome: "refused" });
      else {
        const detail = removed.outcome === "failed" ? removed.failure.detail : removed.detail;
        outcomes.push({ key, outcome: "failed", detail });
      }
    }
    return outcomes;
  }

  bringBack(request: Parameters<DestroyableBucket["bringBack"]>[0]): Promise<CopyOutcome> {
    this.requests.copy += 1;
    return this.copyFromPrimary({ ...request, headers: {}, metadata: {}, replica: { expect: "nothing" } });
  }
}
