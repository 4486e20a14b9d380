import { messageOf } from "../geo/errors.ts";
import { encodeKey } from "../geo/key-codec.ts";
import { COUNT_METRICS } from "../geo/metrics.ts";
import { UPLOAD_UNCLAIMED_MS } from "../geo/copy-limits.ts";
import { parseRegistryRow, rowKey } from "../geo/registry-row.ts";
import type { Replicable } from "../geo/replicable.ts";
import { matchKey } from "../geo/replicable-match.ts";
import type { Clock } from "../ports/clock.ts";
import type { PendingUpload, ReplicaBucket, UploadMarker } from "../ports/object-store.ts";
import type { Item, Table } from "../ports/table.ts";
import type { Telemetry } from "../ports/telemetry.ts";

/** What the sweep of uploads needs of a secondary. */
export interface SweepingUploads {
  readonly replica: Pick<ReplicaBucket, "listUploads" | "abortUpload">;
  readonly registry: Pick<Table, "get">;
  /** All that are declared, whether they are on or off. */
  readonly replicables: readonly Replicable[];
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  /** When to stop, milliseconds since the epoch. */
  readonly stopAt: number;
}

/** How a sweep went. */
export interface UploadsSwept {
  /** Uploads that were under way. */
  readonly seen: number;
  /** Uploads that nobody would have gone on with, and that are gone now. */
  readonly aborted: number;
  /** Present when the time was up: where the next sweep goes on. */
  readonly next?: UploadMarker;
}

/** What the row of an item names. One that can not be read may name any upload, and must not end the sweep each day. */
const mayName = (item: Item, uploadId: string, telemetry: Telemetry): boolean => {
  try {
    return parseRegistryRow(item).upload_id === uploadId;
  } catch (error) {
    telemetry.warn("an upload is kept, since its row can not be read", {
      upload_id: uploadId,
      reason: messageOf(error),
    });
    return true;
  }
};

/** Whether a row goes on naming the upload. A key is of one type at a time, and may have rows of two (F90). */
const isNamed = async (
  { registry, replicables, telemetry }: SweepingUploads,
  { key, uploadId }: PendingUpload,
): Promise<boolean> => {
  for (const replicable of replicables) {
    if (matchKey([replicable], key) === undefined) continue;
    const item = await registry.get(rowKey({ replicableName: replicable.name, key }));
    if (item !== undefined && mayName(item, uploadId, telemetry)) return true;
  }
  return false;
};

/**
 * Aborts uploads that no row names: whoever began one died before it was written down, never heard of it, or had the
 * registry restored under them (R25). Their parts show nowhere and are paid for. An upload is written down within the life of
 * the function that began it, so that one which is a day old and which no row names is nobody's. Only of keys that a type
 * claims: others are not ours.
 *
 * @throws StoreUnavailableError, TableUnavailableError when somebody does not answer: nothing is lost, the next sweep comes
 */
export const sweepUploads = async (sweeping: SweepingUploads, from?: UploadMarker): Promise<UploadsSwept> => {
  const { replica, replicables, clock, telemetry, stopAt } = sweeping;
  let [seen, aborted] = [0, 0];
  let after = from;
  for (;;) {
    const { uploads, next } = await replica.listUploads(after);
    for (const upload of uploads) {
      const { key, uploadId, begunAt } = upload;
      if (clock.now() >= stopAt) return { seen, aborted, ...(after === undefined ? {} : { next: after }) };
      seen += 1;
      const match = matchKey(replicables, key);
      const isOurs = match !== undefined && begunAt <= clock.now() - UPLOAD_UNCLAIMED_MS;
      if (isOurs && !(await isNamed(sweeping, upload))) {
        const ended = await replica.abortUpload(key, uploadId);
        if (ended.outcome === "over") {
          aborted += 1;
          telemetry.count(COUNT_METRICS.uploadLeaked, 1, match.replicable.name);
        }
        telemetry.warn("upload of nobody", { key: encodeKey(key), upload_id: uploadId, ended: ended.outcome });
      }
      after = { key, uploadId };
    }
    if (next === undefined) return { seen, aborted };
    after = next;
  }
};
