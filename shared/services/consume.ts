import type { GeoMessage } from "../geo/geo-message.ts";
import { encodeKey } from "../geo/key-codec.ts";
import { writeBudgetMs } from "../geo/limits.ts";
import { COUNT_METRICS } from "../geo/metrics.ts";
import { readGeoMessage, type Wanted } from "../geo/read-message.ts";
import type { Replicable } from "../geo/replicable.ts";
import type { MessageQueue, ReceivedMessage } from "../ports/message-queue.ts";
import type { SecondarySite, VerifyingSite } from "../ports/site.ts";
import { countThrottled } from "../tables/site/walk-pace-item.ts";
import { syncBlob } from "./blob-sync/blob-sync.ts";
import { keepForLater, keepVerificationForLater } from "./keep-for-later.ts";
import type { KeyCapacity } from "./key-capacity.ts";
import { keyMatcher } from "./key-matcher.ts";
import { park } from "./park.ts";
import { OutOfPattern } from "./put-off.ts";
import { SyncReporter, VerificationReporter } from "./report-transitions.ts";
import type { SyncOutcomes } from "./sync-outcomes.ts";
import { verifyReplica } from "./verification/verify-replica.ts";
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

const forwardToVerification = async (site: SecondarySite, replicableName: string, key: string): Promise<void> => {
  const message: GeoMessage = { version: 1, kind: "due", replicable_name: replicableName, keys: [encodeKey(key)] };
  await site.verificationQueue.send([{ body: JSON.stringify(message), group: replicableName }]);
};

/**
 * A paused site does nothing about what it hears, and forgets none of it (F98): a hint is counted into its row, which is due
 * until somebody follows it. What is named as due is due, and stays that.
 */
const keep = async (site: VerifyingSite, wanted: Exclude<Wanted, { want: "put_off" }>): Promise<void> => {
  if (wanted.want === "verify") return keepVerificationForLater(site, wanted);
  if (wanted.cause !== "due") await keepForLater(site, wanted, wanted.cause === "resync");
};

const isPaused = async ({ standing }: VerifyingSite): Promise<boolean> => (await standing.read()).paused === true;

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
    // Asked before each key: a message may name many, and a pause is to be heard of soon.
    if (await isPaused(site)) return keep(site, wanted);
    if (wanted.want === "verify") return forwardToVerification(site, replicableName, key);
    const reporter = new SyncReporter(site, { replicableName, key }, correlationId);
    const request = { ref: { replicableName, key }, cause: wanted.cause, stopAt, epoch };
    const result = await syncBlob(site, request, reporter.claimed);
    if (result.result === "verification_due") await forwardToVerification(site, replicableName, key);
    // Walks through history go slower for it.
    if (result.result === "failed" && result.kind === "throttled") await site.siteTable.update(countThrottled());
    consuming.outcomes?.note({ replicableName, key }, result, wanted.isProbe === true);
    reporter.ended(result);
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
    if (await isPaused(site)) return wanted.want === "verify" ? keep(site, wanted) : undefined;
    const cause = wanted.want === "verify" ? "checksum_succeeded" : "due";
    const reporter = new VerificationReporter(site, { replicableName, key }, correlationId);
    reporter.ended(await verifyReplica(site, { replicableName, key }, cause, stopAt, reporter.claimed));
  });
};
