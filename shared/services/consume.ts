import type { GeoMessage } from "../geo/geo-message.ts";
import { encodeKey } from "../geo/key-codec.ts";
import { writeBudgetMs } from "../geo/limits.ts";
import { COUNT_METRICS, DURATION_METRICS } from "../geo/metrics.ts";
import { readGeoMessage, type Wanted } from "../geo/read-message.ts";
import type { Replicable } from "../geo/replicable.ts";
import type { MessageQueue, ReceivedMessage } from "../ports/message-queue.ts";
import type { SecondarySite, VerifyingSite } from "../ports/site.ts";
import { countThrottled } from "../tables/site/walk-pace-item.ts";
import type { SyncResult } from "./blob-sync/attempt.ts";
import { syncBlob } from "./blob-sync/blob-sync.ts";
import type { KeyCapacity } from "./key-capacity.ts";
import { keyMatcher } from "./key-matcher.ts";
import { park } from "./park.ts";
import { OutOfPattern } from "./put-off.ts";
import type { SyncOutcomes } from "./sync-outcomes.ts";
import { type VerificationResult, verifyReplica } from "./verification/verify-replica.ts";
import { type WorkedThrough, workThrough } from "./work-through.ts";

/** What a secondary's message handlers need beside the site. */
export interface Consuming<Site extends VerifyingSite> {
  readonly site: Site;
  readonly replicables: readonly Replicable[];
  /** Where unreadable messages go. */
  readonly parking: MessageQueue;
  /** When to stop, milliseconds since the epoch. */
  readonly stopAt: number;
  /** How many keys this function has under way, over all messages. Default: what each message may have. */
  readonly capacity?: KeyCapacity;
  /** Where it is told when all of a type fails. Default: nobody is told. */
  readonly outcomes?: SyncOutcomes;
}

/** One line per attempt, where it ended, with what an operator searches for. */
const reportSync = (
  site: SecondarySite,
  replicable: string,
  key: string,
  correlationId: string,
  startedAt: number,
  result: SyncResult,
): void => {
  const { telemetry, clock } = site;
  const now = clock.now();
  const fields = { replicable, key: encodeKey(key), correlation_id: correlationId, duration_ms: now - startedAt };
  switch (result.result) {
    case "synced":
      telemetry.count(COUNT_METRICS.syncSucceeded, 1, replicable);
      telemetry.duration(DURATION_METRICS.attemptDuration, now - startedAt, replicable);
      if (result.how === "copied") {
        telemetry.count(COUNT_METRICS.bytesCopied, result.size, replicable);
        telemetry.duration(DURATION_METRICS.replicationLag, now - result.sourceLastModified, replicable);
        if (result.verification === "verified") {
          telemetry.count(COUNT_METRICS.verified, 1, replicable);
          telemetry.duration(DURATION_METRICS.verificationLag, now - result.sourceLastModified, replicable);
        }
      }
      telemetry.info("synced", { ...fields, how: result.how, verification: result.verification, bytes: result.size });
      return;
    case "absent":
      if (result.how === "removed") telemetry.count(COUNT_METRICS.replicaRemoved, 1, replicable);
      telemetry.info("absent", { ...fields, how: result.how });
      return;
    case "failed":
      telemetry.count(
        result.kind === "throttled" ? COUNT_METRICS.syncThrottled : COUNT_METRICS.syncFailed,
        1,
        replicable,
      );
      if (result.kind === "checksum_mismatch") telemetry.count(COUNT_METRICS.checksumMismatch, 1, replicable);
      if (result.blocked) telemetry.count(COUNT_METRICS.syncBlocked, 1, replicable);
      telemetry.warn("sync failed", { ...fields, kind: result.kind, reason: result.text, retry_at: result.retryAt });
      return;
    case "lost_lease":
      telemetry.count(COUNT_METRICS.leaseLost, 1, replicable);
      telemetry.warn("lost the lease of a row", fields);
      return;
    case "joined":
      telemetry.count(COUNT_METRICS.claimRefused, 1, replicable);
      return;
    case "left_pending":
      telemetry.count(COUNT_METRICS.superseded, 1, replicable);
      telemetry.info("left pending", fields);
      return;
    case "handed_over":
      telemetry.info("left to a workflow", fields);
      return;
    case "nothing_due":
    case "parts_wanted":
    case "verification_due":
    case "rechecked":
  }
};

const reportVerification = (
  site: VerifyingSite,
  replicable: string,
  key: string,
  correlationId: string,
  result: VerificationResult,
): void => {
  const { telemetry } = site;
  const fields = { replicable, key: encodeKey(key), correlation_id: correlationId };
  switch (result.result) {
    case "verified":
      telemetry.count(COUNT_METRICS.verified, 1, replicable);
      telemetry.info("verified", fields);
      return;
    case "mismatched":
      telemetry.count(COUNT_METRICS.checksumMismatch, 1, replicable);
      telemetry.count(COUNT_METRICS.verificationFailed, 1, replicable);
      telemetry.error("replica does not match the primary", {
        ...fields,
        reason: result.text,
        retry_at: result.retryAt,
      });
      return;
    case "failed":
      telemetry.count(COUNT_METRICS.verificationFailed, 1, replicable);
      telemetry.warn("verification failed", { ...fields, reason: result.text, retry_at: result.retryAt });
      return;
    case "timed_out":
      telemetry.count(COUNT_METRICS.verificationTimedOut, 1, replicable);
      telemetry.warn("verification timed out", { ...fields, reason: result.text, retry_at: result.retryAt });
      return;
    case "paused":
      telemetry.info("verification paused", { ...fields, reason: result.detail });
      return;
    case "looking_again":
      telemetry.info("replica does not match the primary, which has looked at its object since: looking again", {
        ...fields,
        reason: result.text,
      });
      return;
    case "awaiting_primary":
    case "not_due":
    case "superseded":
  }
};

const forwardToVerification = async (site: SecondarySite, replicableName: string, key: string): Promise<void> => {
  const message: GeoMessage = { version: 1, kind: "due", replicable_name: replicableName, keys: [encodeKey(key)] };
  await site.verificationQueue.send([{ body: JSON.stringify(message), group: replicableName }]);
};

/**
 * Works through what a message asks for, and then parks it if some of it can not be read. A message that is delivered
 * again is parked when it is done with, not each time.
 */
const workThroughMessage = async (
  { site, replicables, parking, stopAt, capacity }: Consuming<VerifyingSite>,
  message: ReceivedMessage,
  work: (wanted: Exclude<Wanted, { want: "put_off" }>) => Promise<void>,
): Promise<WorkedThrough> => {
  const matching = await keyMatcher(replicables, site.switches);
  const { wanted, unreadable } = readGeoMessage(replicables, message.body, message.id, matching);
  const outOfPattern = new OutOfPattern(site, site.registry);
  const working = { site, stopAt, receiveCount: message.receiveCount, capacity };
  const worked = await workThrough(wanted, working, (one) =>
    one.want === "put_off" ? outOfPattern.putOff(one) : work(one),
  );
  outOfPattern.report();
  if (unreadable === undefined || !worked.done) return worked;
  await park(parking, message, unreadable, site.clock.now());
  site.telemetry.count(COUNT_METRICS.parkedMessage, 1);
  site.telemetry.error("parked a message that can not be read", {
    message_id: message.id,
    reason: unreadable,
    bytes: message.body.length,
  });
  return { done: true };
};

/**
 * Handles one message of the geo-events queue: makes the replica of each key it names equal to its source.
 * @returns done: acknowledge it; otherwise it has to be delivered again
 */
export const consumeEvents = async (
  consuming: Consuming<SecondarySite>,
  message: ReceivedMessage,
): Promise<WorkedThrough> => {
  const { site, stopAt } = consuming;
  // Taken up in one epoch, and written in no other (R27). A site that is no secondary now keeps its messages.
  const { role, epoch } = await site.standing.read();
  if (role !== "secondary") return { done: false, left: 1, reason: `this site is ${role} now, not secondary` };
  // A key that is begun later than this could only be let go of again.
  const beginUntil = stopAt - writeBudgetMs(0, site.functionTimeoutMs);
  const worked = await workThroughMessage({ ...consuming, stopAt: beginUntil }, message, async (wanted) => {
    const { replicableName, key, correlationId } = wanted;
    // What was under way when its type was switched off (F84): a walk finds the key when it is on again.
    if (!(await site.switches.of(replicableName)).replication) {
      return site.telemetry.count(COUNT_METRICS.switchedOff, 1, replicableName);
    }
    if (wanted.want === "verify") return forwardToVerification(site, replicableName, key);
    const startedAt = site.clock.now();
    const result = await syncBlob(site, { ref: { replicableName, key }, cause: wanted.cause, stopAt, epoch });
    if (result.result === "verification_due") await forwardToVerification(site, replicableName, key);
    // Walks through history go slower for it.
    if (result.result === "failed" && result.kind === "throttled") await site.siteTable.update(countThrottled());
    consuming.outcomes?.note({ replicableName, key }, result, wanted.isProbe === true);
    reportSync(site, replicableName, key, correlationId, startedAt, result);
  });
  await consuming.outcomes?.tell();
  return worked;
};

/**
 * Handles one message of the verification queue: reads the replica of each key it names.
 * @returns done: acknowledge it; otherwise it has to be delivered again
 */
export const consumeVerifications = async (
  consuming: Consuming<VerifyingSite>,
  message: ReceivedMessage,
): Promise<WorkedThrough> => {
  const { site, stopAt } = consuming;
  return workThroughMessage(consuming, message, async (wanted) => {
    const { replicableName, key, correlationId } = wanted;
    if (!(await site.switches.of(replicableName)).verification) {
      return site.telemetry.count(COUNT_METRICS.switchedOff, 1, replicableName);
    }
    const cause = wanted.want === "verify" ? "checksum_succeeded" : "due";
    reportVerification(
      site,
      replicableName,
      key,
      correlationId,
      await verifyReplica(site, { replicableName, key }, cause, stopAt),
    );
  });
};
