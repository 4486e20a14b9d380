import { type GeoEvent, type GeoMessage, KEYS_PER_MESSAGE_MAX } from "../geo/geo-message.ts";
import { encodeKey } from "../geo/key-codec.ts";
import { COUNT_METRICS } from "../geo/metrics.ts";
import { parseGeoMessage } from "../geo/read-message.ts";
import type { Replicable } from "../geo/replicable.ts";
import { assertEventSupported } from "../geo/replicable.ts";
import { type S3Change, coalesce, parseS3Notification } from "../geo/s3-notification.ts";
import type { MessageQueue, OutgoingMessage, ReceivedMessage } from "../ports/message-queue.ts";
import type { SiteBase } from "../ports/site.ts";
import { type KeyMatcher, keyMatcher } from "./key-matcher.ts";
import { park } from "./park.ts";

/** What the publisher of one secondary needs. */
export interface Publishing {
  readonly site: Pick<SiteBase, "name" | "clock" | "chance" | "telemetry" | "switches">;
  readonly replicables: readonly Replicable[];
  /** Notifications about any other bucket are parked. */
  readonly primaryBucket: string;
  /** The secondary's geo-events queue. */
  readonly events: MessageQueue;
  /** The secondary's verification queue: `checksum_succeeded` goes there. */
  readonly verification: MessageQueue;
  readonly parking: MessageQueue;
}

/** What one message of the ingest queue holds. */
type Ingested =
  | { readonly kind: "changes"; readonly changes: readonly S3Change[]; readonly unreadable: string | undefined }
  | { readonly kind: "geo_events"; readonly events: readonly GeoEvent[] }
  | { readonly kind: "nothing" }
  | { readonly kind: "unreadable"; readonly reason: string };

/** The primary's own announcements come the same way as S3's notifications, and are told apart by what they say they are. */
const ingest = (body: string): Ingested => {
  const own = parseGeoMessage(body);
  if ("message" in own) {
    return own.message.kind === "geo_events"
      ? { kind: "geo_events", events: own.message.events }
      : { kind: "unreadable", reason: `a message of kind ${own.message.kind} does not travel between sites` };
  }
  const notification = parseS3Notification(body);
  switch (notification.kind) {
    case "test":
      return { kind: "nothing" };
    case "unreadable":
      return notification;
    case "changes": {
      const { changes, unreadable } = notification;
      return { kind: "changes", changes, unreadable: unreadable.length === 0 ? undefined : unreadable.join("; ") };
    }
  }
};

const toEvent = ({ site }: Publishing, matching: KeyMatcher, change: S3Change): GeoEvent | undefined => {
  const match = matching(change.key);
  if (match === undefined) return undefined;
  const { replicable, modelRecordId } = match;
  assertEventSupported(replicable, change.change);
  return {
    id: site.chance.token(),
    replicable_name: replicable.name,
    event_name: change.change,
    created_at: site.clock.now(),
    payload: {
      model_record_id: modelRecordId,
      correlation_id: change.requestId ?? site.chance.token(),
      blob_path: encodeKey(change.key),
      ...(change.change === "deleted" ? { uploader_class: replicable.uploader } : {}),
      ...(change.occurredAt === undefined ? {} : { occurred_at: change.occurredAt }),
    },
  };
};

const pack = (events: readonly GeoEvent[]): readonly OutgoingMessage[] => {
  const messages: OutgoingMessage[] = [];
  for (let start = 0; start < events.length; start += KEYS_PER_MESSAGE_MAX) {
    const message: GeoMessage = {
      version: 1,
      kind: "geo_events",
      events: events.slice(start, start + KEYS_PER_MESSAGE_MAX),
    };
    messages.push({ body: JSON.stringify(message) });
  }
  return messages;
};

/**
 * Turns a batch of the ingest queue into Geo events for one secondary, packed into as few messages as possible. A key that
 * no type claims is counted and dropped, and so is one whose type is switched off (F84): a walk through both sides makes up
 * for what happens meanwhile. A message that can not be read, or that speaks of another bucket, is parked with
 * its reason.
 *
 * @returns the ids of the messages that have to be delivered again: those whose events are not known to be durable
 */
export const publishEvents = async (
  publishing: Publishing,
  messages: readonly ReceivedMessage[],
): Promise<ReadonlySet<string>> => {
  const { site, primaryBucket, parking } = publishing;
  const { telemetry } = site;
  // Before anything is parked: should the flags not be known, all of the batch comes again.
  const matching = await keyMatcher(publishing.replicables, site.switches);
  const changes: S3Change[] = [];
  const announced: GeoEvent[] = [];
  const contributed = new Set<string>();
  const again = new Set<string>();

  const parkOrKeep = async (message: ReceivedMessage, reason: string): Promise<void> => {
    try {
      await park(parking, message, reason, site.clock.now());
      telemetry.count(COUNT_METRICS.parkedMessage, 1);
      telemetry.error("parked a message that can not be read", {
        message_id: message.id,
        reason,
        bytes: message.body.length,
      });
    } catch (error) {
      again.add(message.id);
      telemetry.error("could not park a message", { message_id: message.id, reason: String(error) });
    }
  };

  for (const message of messages) {
    const ingested = ingest(message.body);
    switch (ingested.kind) {
      case "nothing":
        break;
      case "unreadable":
        await parkOrKeep(message, ingested.reason);
        break;
      case "geo_events":
        announced.push(...ingested.events);
        contributed.add(message.id);
        break;
      case "changes": {
        const foreign = ingested.changes.find((change) => change.bucket !== primaryBucket);
        if (foreign !== undefined) {
          telemetry.count(COUNT_METRICS.foreignBucketEvent, 1);
          await parkOrKeep(message, `a change of bucket ${foreign.bucket.slice(0, 63)}, expected ${primaryBucket}`);
          break;
        }
        changes.push(...ingested.changes);
        contributed.add(message.id);
        if (ingested.unreadable !== undefined) await parkOrKeep(message, ingested.unreadable);
      }
    }
  }

  // A key that changed several times within the batch needs one look (R7).
  const events = coalesce(changes).flatMap((change) => {
    const event = toEvent(publishing, matching, change);
    if (event === undefined) telemetry.count(COUNT_METRICS.unmatchedKey, 1);
    return event === undefined ? [] : [event];
  });
  const published = await keepReplicated(site, events);
  const own = await keepReplicated(site, announced);
  const verifications = own.filter((event) => event.event_name === "checksum_succeeded");
  const others = own.filter((event) => event.event_name !== "checksum_succeeded");

  const outcomes = [
    await sendPacked(publishing.events, [...published, ...others]),
    await sendPacked(publishing.verification, verifications),
  ];
  for (const outcome of outcomes) {
    if (outcome.outcome === "sent") continue;
    // Which event came from which message does not matter: sending one twice costs a look, not sending it costs an object.
    for (const id of contributed) again.add(id);
    telemetry.error("events could not be sent to the secondary", { reason: outcome.reason });
  }
  for (const { name, count } of countByReplicable(published))
    telemetry.count(COUNT_METRICS.eventPublished, count, name);
  return again;
};

/** Those of types that are replicated now. */
const keepReplicated = async (
  { switches, telemetry }: Publishing["site"],
  events: readonly GeoEvent[],
): Promise<readonly GeoEvent[]> => {
  const kept: GeoEvent[] = [];
  for (const event of events) {
    if ((await switches.of(event.replicable_name)).replication) kept.push(event);
    else telemetry.count(COUNT_METRICS.switchedOff, 1, event.replicable_name);
  }
  return kept;
};

const sendPacked = async (queue: MessageQueue, events: readonly GeoEvent[]) =>
  events.length === 0 ? ({ outcome: "sent" } as const) : queue.send(pack(events));

const countByReplicable = (
  events: readonly GeoEvent[],
): readonly { readonly name: string; readonly count: number }[] => {
  const counts = new Map<string, number>();
  for (const event of events) counts.set(event.replicable_name, (counts.get(event.replicable_name) ?? 0) + 1);
  return [...counts].map(([name, count]) => ({ name, count }));
};
