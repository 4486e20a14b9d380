import * as z from "zod/mini";

/**
 * What travels in the queues. A message is a hint, "look at these keys again", and carries no authority: no content, no
 * decision. Keys are percent-encoded, since SQS refuses some characters that S3 allows in keys (R36).
 */

/** The events that a replicable's strategy may publish. */
export const GEO_EVENT_NAMES = ["created", "updated", "deleted", "checksum_succeeded"] as const;
export type GeoEventName = (typeof GEO_EVENT_NAMES)[number];

/** One Geo event, with GitLab Geo's field names. */
export const GeoEvent = z.object({
  /** Unique per event. */
  id: z.string().check(z.minLength(1), z.maxLength(64)),
  replicable_name: z.string().check(z.minLength(1), z.maxLength(255)),
  event_name: z.enum(GEO_EVENT_NAMES),
  /** When it was published, milliseconds since the epoch. */
  created_at: z.number(),
  payload: z.object({
    /** What the key pattern finds in the key; opaque. */
    model_record_id: z.string().check(z.minLength(1)),
    /** The same from the S3 request to the consumer's logs. */
    correlation_id: z.string().check(z.minLength(1), z.maxLength(255)),
    /** The object's key, percent-encoded (`encodeKey`). */
    blob_path: z.string().check(z.minLength(1), z.maxLength(3_072)),
    /** Deleted events name the uploader, as in Geo. */
    uploader_class: z.optional(z.string().check(z.maxLength(255))),
    /** When S3 says that it happened, milliseconds since the epoch; for lag figures only. */
    occurred_at: z.optional(z.number()),
  }),
});
export type GeoEvent = z.infer<typeof GeoEvent>;

/** Most keys in one message: about a minute's work for one consumer, and 300 KiB at the very most. */
export const KEYS_PER_MESSAGE_MAX = 100;

const replicableName = z.string().check(z.minLength(1), z.maxLength(255));

/** Percent-encoded. */
const encodedKeys = z
  .array(z.string().check(z.minLength(1), z.maxLength(3_072)))
  .check(z.minLength(1), z.maxLength(KEYS_PER_MESSAGE_MAX));

/** A message in a geo-events, verification or checksum queue. */
export const GeoMessage = z.discriminatedUnion("kind", [
  z.object({
    version: z.literal(1),
    kind: z.literal("geo_events"),
    events: z.array(GeoEvent).check(z.minLength(1), z.maxLength(KEYS_PER_MESSAGE_MAX)),
  }),
  z.object({
    version: z.literal(1),
    /** Rows found in the due index: to be attended to without counting as a change. */
    kind: z.literal("due"),
    replicable_name: replicableName,
    keys: encodedKeys,
    /** A few of many, to find out whether the others can be tried again: what becomes of them is to be told. */
    probe: z.optional(z.boolean()),
  }),
  z.object({
    version: z.literal(1),
    /** Keys that a walk through both sides found different: hints like any other. */
    kind: z.literal("look"),
    replicable_name: replicableName,
    keys: encodedKeys,
    /** The walk saw something under each of these keys in the replica's bucket: it is to be looked at before a copy is sent. */
    replica_listed: z.optional(z.boolean()),
  }),
  z.object({
    version: z.literal(1),
    /** Keys that an operator wants copied again whatever their replicas hold (F18). */
    kind: z.literal("resync"),
    replicable_name: replicableName,
    keys: encodedKeys,
    /** The same from the operator's request to the consumer's logs. */
    correlation_id: z.string().check(z.minLength(1), z.maxLength(255)),
  }),
]);
export type GeoMessage = z.infer<typeof GeoMessage>;
