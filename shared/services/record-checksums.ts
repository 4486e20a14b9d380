import { decodeKey } from "../geo/key-codec.ts";
import { COUNT_METRICS } from "../geo/metrics.ts";
import { parseGeoMessage } from "../geo/read-message.ts";
import type { Replicable } from "../geo/replicable.ts";
import { coalesce, parseS3Notification } from "../geo/s3-notification.ts";
import { otherOwner } from "../geo/upload-partitions.ts";
import type { MessageQueue, ReceivedMessage } from "../ports/message-queue.ts";
import type { PrimarySite } from "../ports/site.ts";
import type { KeyCapacity } from "./key-capacity.ts";
import { keyMatcher } from "./key-matcher.ts";
import { park } from "./park.ts";
import { OutOfPattern } from "./put-off.ts";
import { recordPrimaryChecksum } from "./record-checksum.ts";
import { reportChecksum } from "./report-transitions.ts";
import { type WorkedThrough, workThrough } from "./work-through.ts";

/** What the primary's checksum function needs. */
export interface Recording {
  readonly site: PrimarySite;
  readonly replicables: readonly Replicable[];
  readonly primaryBucket: string;
  readonly parking: MessageQueue;
  /** When to stop, milliseconds since the epoch. */
  readonly stopAt: number;
  /** How many keys this function has under way, over all messages. Default: what each message may have. */
  readonly capacity?: KeyCapacity;
}

interface NamedKey {
  readonly key: string;
  readonly correlationId: string;
  /** The type whose row is due; undefined for what S3 reports, which knows no types. */
  readonly dueOf?: string;
}

type Named =
  | { readonly keys: readonly NamedKey[]; readonly partly?: string }
  | { readonly unreadable: string; readonly foreignBucket?: true };

/** Keys from a notification of S3, from the sweep's list of due rows, or from a walk's of objects without a record. */
const namedKeys = (primaryBucket: string, message: ReceivedMessage): Named => {
  const own = parseGeoMessage(message.body);
  if ("message" in own) {
    if (own.message.kind !== "due" && own.message.kind !== "look") {
      return { unreadable: "an announcement of our own is not for this queue" };
    }
    const { kind, replicable_name: name, keys } = own.message;
    const dueOf = kind === "due" ? { dueOf: name } : {};
    return { keys: keys.map((key) => ({ key: decodeKey(key), correlationId: message.id, ...dueOf })) };
  }
  const notification = parseS3Notification(message.body);
  if (notification.kind === "test") return { keys: [] };
  if (notification.kind === "unreadable") return { unreadable: notification.reason };
  const foreign = notification.changes.find((change) => change.bucket !== primaryBucket);
  if (foreign !== undefined) {
    return {
      unreadable: `a change of bucket ${foreign.bucket.slice(0, 63)}, expected ${primaryBucket}`,
      foreignBucket: true,
    };
  }
  const keys = coalesce(notification.changes).map((change) => ({
    key: change.key,
    correlationId: change.requestId ?? message.id,
  }));
  return notification.unreadable.length === 0 ? { keys } : { keys, partly: notification.unreadable.join("; ") };
};

const readNamedKeys = (primaryBucket: string, message: ReceivedMessage): Named => {
  try {
    return namedKeys(primaryBucket, message);
  } catch (error) {
    return { unreadable: error instanceof Error ? error.message : String(error) };
  }
};

/**
 * Handles one message of the primary's checksum queue: brings the record of each key it names up to date. A key that no
 * type claims has no record; the publisher counts those. A due record whose type does not claim its key any more is put off.
 *
 * @returns done: acknowledge it; otherwise it has to be delivered again
 */
export const recordChecksums = async (recording: Recording, message: ReceivedMessage): Promise<WorkedThrough> => {
  const { site, replicables, primaryBucket, parking, stopAt, capacity } = recording;
  const named = readNamedKeys(primaryBucket, message);
  const keys = "keys" in named ? named.keys : [];
  const outOfPattern = new OutOfPattern(site, site.verificationState);
  const matching = await keyMatcher(replicables, site.switches);
  const working = { site, stopAt, receiveCount: message.receiveCount, capacity };
  const worked = await workThrough(keys, working, async ({ key, correlationId, dueOf }) => {
    const match = matching(key);
    if (dueOf !== undefined && match?.replicable.name !== dueOf) {
      return outOfPattern.putOff({ replicableName: dueOf, key });
    }
    if (match === undefined) return;
    if (!(await site.switches.of(match.replicable.name)).primaryChecksumming) {
      return site.telemetry.count(COUNT_METRICS.switchedOff, 1, match.replicable.name);
    }
    const ref = { replicableName: match.replicable.name, key };
    const request = {
      ref,
      modelRecordId: match.modelRecordId,
      correlationId,
      stopAt,
      otherOwner: otherOwner(replicables, key, match.replicable.name),
    };
    const startedAt = site.clock.now();
    reportChecksum(site, request, startedAt, await recordPrimaryChecksum(site, request));
  });
  outOfPattern.report();
  const reason = "keys" in named ? named.partly : named.unreadable;
  if (reason === undefined || !worked.done) return worked;
  await park(parking, message, reason, site.clock.now());
  const foreign = "foreignBucket" in named;
  site.telemetry.count(foreign ? COUNT_METRICS.foreignBucketEvent : COUNT_METRICS.parkedMessage, 1);
  site.telemetry.error("parked a message that can not be read", { message_id: message.id, reason });
  return { done: true };
};
