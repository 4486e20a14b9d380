import type { RegistryRow } from "./registry-row.ts";
import type { S3Change } from "./s3-notification.ts";

/**
 * What a change of the replica's bucket means, by the row that is there when it is read (T9). Most changes are our own
 * copies and removals, which the row names by the time their event comes.
 * - `as_recorded`: the row says the same
 * - `under_way`: somebody holds the row, and it may well be their write: ask again when they are done
 * - `look`: the row says something else, so the replica is asked before anybody is alarmed
 * - `touch`: the row can not say anything about this change, as its version stays the same
 */
export type DriftSuspicion = "as_recorded" | "under_way" | "look" | "touch";

/** Changes of the bucket that add a delete marker: the key shows nothing from then on. */
const ADDS_MARKER: ReadonlySet<string> = new Set([
  "ObjectRemoved:DeleteMarkerCreated",
  "LifecycleExpiration:DeleteMarkerCreated",
]);

/** What is judged of a change. */
export type ReplicaChange = Pick<S3Change, "eventName" | "versionId">;

/** Judges a change of a key by its row. */
export const suspectDrift = (change: ReplicaChange, row: RegistryRow | undefined): DriftSuspicion => {
  const { eventName, versionId } = change;
  // Lifecycle destroys only versions that nobody sees any more, and markers with nothing behind them.
  if (eventName === "LifecycleExpiration:Delete") return "as_recorded";
  if (row?.attempt_token !== undefined) return "under_way";
  if (ADDS_MARKER.has(eventName)) {
    // No row is the last word on a key that was removed: whoever makes one looks at the replica, and sees the marker.
    return row?.rep_version_id === undefined ? "as_recorded" : "look";
  }
  if (eventName.startsWith("ObjectCreated:")) {
    return row?.rep_version_id !== undefined && row.rep_version_id === versionId ? "as_recorded" : "look";
  }
  // A version or a marker was destroyed: what stood behind it shows again.
  if (eventName.startsWith("ObjectRemoved:")) return "look";
  // Tags, annotations, retention.
  return "touch";
};
