import { type DriftSuspicion, type ReplicaChange, suspectDrift } from "../geo/drift.ts";
import type { GeoMessage } from "../geo/geo-message.ts";
import { encodeKey } from "../geo/key-codec.ts";
import { COUNT_METRICS } from "../geo/metrics.ts";
import { type ObjectRef, type RegistryRow, parseRegistryRow, rowKey } from "../geo/registry-row.ts";
import type { Replicable } from "../geo/replicable.ts";
import { parseS3Notification, type S3Change } from "../geo/s3-notification.ts";
import type { MessageQueue, ReceivedMessage } from "../ports/message-queue.ts";
import type { SecondarySite } from "../ports/site.ts";
import { touchDrifted } from "../tables/registry/touch-drifted.ts";
import { firstRev } from "../tables/write-columns.ts";
import { asRecorded } from "./blob-sync/rechecking.ts";
import { keepForLater } from "./keep-for-later.ts";
import { keyMatcher } from "./key-matcher.ts";
import { park } from "./park.ts";
import { type WorkedThrough, workThrough } from "./work-through.ts";

/**
 * How often a report waits for somebody who holds a row, or for S3's word. Then it is counted into the row as a hint, which
 * costs a look, so that it ends in no dead-letter queue however long the row is held (F98). Thirty times 200 seconds is an hour and
 * 40 minutes: longer than a dead holder is not noticed, and before the queue's alarm on its oldest message goes off
 * (infra/constructs/drift-queue.ts).
 */
const DRIFT_PATIENCE = 30;

/** What noticing drift needs of a secondary: it reads the replica, and writes nothing but rows. */
export type DriftingSite = Pick<SecondarySite, "clock" | "chance" | "telemetry" | "registry" | "switches"> & {
  readonly replica: Pick<SecondarySite["replica"], "bucket" | "head">;
};

/**
 * T9, step by step as in a sync: the row is read, then the replica is asked if the row says something else, then the row is
 * touched if the replica does.
 */
export type Drift =
  | { readonly at: "read_row"; readonly ref: ObjectRef; readonly change: ReplicaChange }
  | { readonly at: "look"; readonly ref: ObjectRef; readonly row: RegistryRow | undefined }
  | { readonly at: "touch"; readonly ref: ObjectRef }
  | { readonly at: "ended"; readonly result: DriftResult };

/** `later`: the message has to be delivered again. */
export type DriftResult = "as_recorded" | "later" | "touched";

const ended = (result: DriftResult): Drift => ({ at: "ended", result });

const afterReading = (ref: ObjectRef, row: RegistryRow | undefined, suspicion: DriftSuspicion): Drift => {
  switch (suspicion) {
    case "as_recorded":
      return ended("as_recorded");
    case "under_way":
      return ended("later");
    case "look":
      return { at: "look", ref, row };
    case "touch":
      return { at: "touch", ref };
  }
};

/** One step of noticing a change of one key. */
export const driftStep = async (site: DriftingSite, drift: Exclude<Drift, { at: "ended" }>): Promise<Drift> => {
  const { ref } = drift;
  switch (drift.at) {
    case "read_row": {
      const item = await site.registry.get(rowKey(ref));
      const row = item === undefined ? undefined : parseRegistryRow(item);
      return afterReading(ref, row, suspectDrift(drift.change, row));
    }
    case "look": {
      // Asked after the row was read: a write that lands later than this has an event of its own.
      const seen = await site.replica.head(ref.key);
      if (seen.outcome === "failed") return ended("later");
      return asRecorded(drift.row?.rep_version_id, seen) ? ended("as_recorded") : { at: "touch", ref };
    }
    case "touch": {
      const revStart = firstRev(() => site.chance.random());
      const touched = await site.registry.update(touchDrifted(ref, site.clock.now(), revStart));
      if (touched.outcome === "refused") return ended("later");
      site.telemetry.count(COUNT_METRICS.driftFound, 1, ref.replicableName);
      return ended("touched");
    }
  }
};

/** What the replica-drift function needs. */
export interface NoticingDrift {
  readonly site: DriftingSite;
  readonly replicables: readonly Replicable[];
  /** The secondary's geo-events queue: a touched key is named there, so that it need not wait for the sweep. */
  readonly events: MessageQueue;
  readonly parking: MessageQueue;
  /** When to stop, milliseconds since the epoch. */
  readonly stopAt: number;
}

const noticeChange = async (noticing: NoticingDrift, ref: ObjectRef, change: S3Change): Promise<DriftResult> => {
  const { site, events } = noticing;
  let drift: Drift = { at: "read_row", ref, change };
  while (drift.at !== "ended") drift = await driftStep(site, drift);
  if (drift.result !== "touched") return drift.result;
  const { replicableName, key } = ref;
  site.telemetry.warn("the replica's bucket was changed by somebody else, or by a write that landed late", {
    replicable: replicableName,
    key: encodeKey(key),
    event: change.eventName,
    correlation_id: change.requestId,
  });
  const message: GeoMessage = { version: 1, kind: "due", replicable_name: replicableName, keys: [encodeKey(key)] };
  // The row is due: should this not be sent, the next sweep finds it.
  await events.send([{ body: JSON.stringify(message), group: replicableName }]);
  return "touched";
};

/**
 * Handles one message of the drift queue: what S3 reports of the replica's bucket. Whatever differs from its row is touched
 * and thereby made equal to the primary again, whoever changed it: a person, another program, or a write of our own that
 * landed after its worker was given up on (R11, R12).
 *
 * @returns done: acknowledge it; otherwise it has to be delivered again
 */
export const noticeDrift = async (noticing: NoticingDrift, message: ReceivedMessage): Promise<WorkedThrough> => {
  const { site, replicables, parking } = noticing;
  const giveUp = async (reason: string): Promise<void> => {
    await park(parking, message, reason, site.clock.now());
    site.telemetry.count(COUNT_METRICS.parkedMessage, 1);
    site.telemetry.error("parked a message that can not be read", { message_id: message.id, reason });
  };

  const notification = parseS3Notification(message.body);
  if (notification.kind === "test") return { done: true };
  if (notification.kind === "unreadable") {
    await giveUp(notification.reason);
    return { done: true };
  }
  const foreign = notification.changes.find((change) => change.bucket !== site.replica.bucket);
  if (foreign !== undefined) {
    site.telemetry.count(COUNT_METRICS.foreignBucketEvent, 1);
    await giveUp(`a change of bucket ${foreign.bucket.slice(0, 63)}, expected ${site.replica.bucket}`);
    return { done: true };
  }
  let left = 0;
  const matching = await keyMatcher(replicables, site.switches);
  const worked = await workThrough(notification.changes, noticing, async (change) => {
    const match = matching(change.key);
    if (match === undefined) {
      site.telemetry.count(COUNT_METRICS.unmatchedKey, 1);
      return;
    }
    const ref = { replicableName: match.replicable.name, key: change.key };
    if ((await noticeChange(noticing, ref, change)) !== "later") return;
    // A site that is paused takes no row from a holder that is gone: what is not known by now is a hint for whoever comes.
    if (message.receiveCount >= DRIFT_PATIENCE) await keepForLater(site, ref, false);
    else left += 1;
  });
  if (!worked.done) return worked;
  if (left > 0)
    return { done: false, left, reason: "a row is held by somebody whose write this may be, or S3 did not say" };
  if (notification.unreadable.length > 0) await giveUp(notification.unreadable.join("; "));
  return { done: true };
};
