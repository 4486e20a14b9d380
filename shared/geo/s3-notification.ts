import { Buffer } from "node:buffer";
import * as z from "zod/mini";
import { messageOf } from "./errors.ts";
import { decodeNotificationKey, ENCODED_KEY_LENGTH_MAX, quoted, type NotificationKeyEncoding } from "./key-codec.ts";

/**
 * What S3 tells about a bucket, straight from its queue or through a topic with raw delivery (T0 of the protocol). Anybody
 * who may send to the queue could have written it, and S3 itself repeats and reorders. That is harmless: of a change
 * only bucket, key and kind are ever acted on, and only as a hint to look at that key.
 */

/** SQS takes no longer body. */
export const NOTIFICATION_BYTES_MAX = 1_048_576;

/** S3 keeps a record below this (S3 user guide, event message structure); longer ones are not from S3. */
export const NOTIFICATION_RECORD_BYTES_MAX = 65_536;

/** S3 sends one record in a message today; its format allows more. */
export const NOTIFICATION_RECORDS_MAX = 100;

/** One change of one key. Everything but bucket, key and change is for logs and lag figures, and may be missing. */
export interface S3Change {
  readonly bucket: string;
  readonly key: string;
  /** S3's own name, without `s3:` in front: `ObjectCreated:Put`. */
  readonly eventName: string;
  /** What it hints at: `created` asks to look again at a key that should be there. */
  readonly change: "created" | "deleted";
  readonly versionId?: string;
  /** Without quotes. */
  readonly etag?: string;
  /** Bytes. */
  readonly size?: number;
  /** S3's order of changes to one key; too uncertain to order by. */
  readonly sequencer?: string;
  /** Milliseconds since the epoch. */
  readonly occurredAt?: number;
  /** Id of the S3 request that made the change: the correlation id of all that follows. */
  readonly requestId?: string;
}

/**
 * What a message said.
 * - `changes`: at least one record could be read. `ignored` names events that change nothing for us; `unreadable` has a reason
 *   per record that could not be read: the message is to be parked as well, so that these are not lost
 * - `test`: S3 tries a new notification configuration
 * - `unreadable`: to be parked with the reason
 */
export type S3Notification =
  | {
      readonly kind: "changes";
      readonly changes: readonly S3Change[];
      readonly ignored: readonly string[];
      readonly unreadable: readonly string[];
    }
  | { readonly kind: "test" }
  | { readonly kind: "unreadable"; readonly reason: string };

/**
 * Events after which a key is to be looked at, by name or by family. S3 has more (transitions, ACLs, restore requests): a
 * replica does not depend on those.
 */
const CHANGE_OF_EVENT: ReadonlyMap<string, S3Change["change"]> = new Map<string, S3Change["change"]>([
  ["ObjectCreated:*", "created"],
  ["ObjectTagging:*", "created"],
  ["ObjectAnnotation:*", "created"],
  ["ObjectRetention:Put", "created"],
  // An archived object can be read, and hence copied, from now on.
  ["ObjectRestore:Completed", "created"],
  ["ObjectRemoved:*", "deleted"],
  // Lifecycle rules do not raise ObjectRemoved.
  ["LifecycleExpiration:*", "deleted"],
]);

/** A hint that does not look like what it should be is left out; it is no reason to lose the change. */
const hint = <T extends z.ZodMiniType>(schema: T) =>
  // oxlint-disable-next-line promise/valid-params -- zod's catch, not that of a promise
  z.catch(z.optional(schema), undefined);
const shortText = (longest: number) => hint(z.string().check(z.minLength(1), z.maxLength(longest)));

const S3Record = z.object({
  /** The minor version grows with fields that we do not need; the major one with another format. */
  eventVersion: z.string().check(z.regex(/^2\.\d{1,3}$/, "expected eventVersion 2.x")),
  eventSource: z.literal("aws:s3", "expected eventSource aws:s3"),
  eventName: z.string().check(z.regex(/^(?:s3:)?[A-Za-z]{1,40}(?::[A-Za-z]{1,40})?$/, "expected an event name")),
  eventTime: shortText(64),
  responseElements: hint(z.object({ "x-amz-request-id": shortText(255) })),
  s3: z.object({
    bucket: z.object({ name: z.string().check(z.regex(/^[A-Za-z0-9._-]{3,255}$/, "expected a bucket name")) }),
    object: z.object({
      key: z.string().check(z.minLength(1), z.maxLength(ENCODED_KEY_LENGTH_MAX)),
      size: hint(z.number().check(z.nonnegative())),
      eTag: shortText(256),
      versionId: shortText(1_024),
      sequencer: shortText(64),
    }),
  }),
});
type S3Record = z.infer<typeof S3Record>;

const Notification = z.object({
  Records: z
    .array(z.unknown())
    .check(
      z.minLength(1, "expected at least one record"),
      z.maxLength(NOTIFICATION_RECORDS_MAX, `expected at most ${String(NOTIFICATION_RECORDS_MAX)} records`),
    ),
});
const TestEvent = z.object({ Service: z.literal("Amazon S3"), Event: z.literal("s3:TestEvent") });
const TopicEnvelope = z.object({ Type: z.literal("Notification"), TopicArn: z.string(), Message: z.string() });

/**
 * Reads the body of an SQS message that S3 wrote. Never throws.
 * @param keyEncoding how the sender spells keys; `form`, as AWS does, unless it is known to be an emulator
 */
export const parseS3Notification = (body: string, keyEncoding: NotificationKeyEncoding = "form"): S3Notification => {
  const bytes = Buffer.byteLength(body, "utf8");
  if (bytes > NOTIFICATION_BYTES_MAX)
    return unreadable(`the message is ${String(bytes)} bytes long, expected at most ${String(NOTIFICATION_BYTES_MAX)}`);
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return unreadable(`the message is not JSON: ${quoted(body)}`);
  }
  if (TestEvent.safeParse(value).success) return { kind: "test" };
  if (TopicEnvelope.safeParse(value).success)
    return unreadable("the message is in an SNS envelope; its subscription needs raw message delivery");

  const notification = Notification.safeParse(value);
  if (!notification.success) return unreadable(`the message is no S3 notification: ${reasonOf(notification.error)}`);
  const records = notification.data.Records;
  // Records are measured together, since measuring one means walking a tree that a stranger has made.
  if (bytes > records.length * NOTIFICATION_RECORD_BYTES_MAX)
    return unreadable(
      `the message has ${String(bytes)} bytes in ${String(records.length)} records, expected at most ${String(NOTIFICATION_RECORD_BYTES_MAX)} each`,
    );
  return collect(records.map((record) => readRecord(record, keyEncoding)));
};

/** The last hint for each key, in the order in which these came: one look per key is enough. */
export const coalesce = (changes: readonly S3Change[]): readonly S3Change[] => {
  const last = new Map<string, S3Change>();
  for (const change of changes) {
    // No bucket's name has a slash in it, so this tells apart what is different.
    const object = `${change.bucket}/${change.key}`;
    last.delete(object);
    last.set(object, change);
  }
  return [...last.values()];
};

type RecordOutcome = { readonly change: S3Change } | { readonly ignored: string } | { readonly unreadable: string };

const collect = (outcomes: readonly RecordOutcome[]): S3Notification => {
  const reasons = outcomes.flatMap((outcome) => ("unreadable" in outcome ? [outcome.unreadable] : []));
  if (reasons.length === outcomes.length) return unreadable(reasons.join("; "));
  return {
    kind: "changes",
    changes: outcomes.flatMap((outcome) => ("change" in outcome ? [outcome.change] : [])),
    ignored: outcomes.flatMap((outcome) => ("ignored" in outcome ? [outcome.ignored] : [])),
    unreadable: reasons,
  };
};

const readRecord = (value: unknown, keyEncoding: NotificationKeyEncoding): RecordOutcome => {
  const parsed = S3Record.safeParse(value);
  if (!parsed.success) return { unreadable: `a record can not be read: ${reasonOf(parsed.error)}` };
  const eventName = parsed.data.eventName.replace(/^s3:/, "");
  const [family = ""] = eventName.split(":", 1);
  const change = CHANGE_OF_EVENT.get(`${family}:*`) ?? CHANGE_OF_EVENT.get(eventName);
  if (change === undefined) return { ignored: eventName };
  try {
    const key = decodeNotificationKey(parsed.data.s3.object.key, keyEncoding);
    return { change: toChange(parsed.data, eventName, change, key) };
  } catch (error) {
    return { unreadable: `a record's key can not be read: ${messageOf(error)}` };
  }
};

const toChange = (record: S3Record, eventName: string, change: S3Change["change"], key: string): S3Change => {
  const { object, bucket } = record.s3;
  const occurredAt = record.eventTime === undefined ? Number.NaN : Date.parse(record.eventTime);
  const requestId = record.responseElements?.["x-amz-request-id"];
  return {
    bucket: bucket.name,
    key,
    eventName,
    change,
    ...(object.versionId === undefined ? {} : { versionId: object.versionId }),
    ...(object.eTag === undefined ? {} : { etag: object.eTag }),
    ...(object.size === undefined ? {} : { size: object.size }),
    ...(object.sequencer === undefined ? {} : { sequencer: object.sequencer }),
    ...(Number.isNaN(occurredAt) ? {} : { occurredAt }),
    ...(requestId === undefined ? {} : { requestId }),
  };
};

/** The longest reason that is kept with a parked message, in characters. */
const REASON_LENGTH_MAX = 1_000;

const unreadable = (reason: string): S3Notification => ({
  kind: "unreadable",
  reason: reason.slice(0, REASON_LENGTH_MAX),
});

const reasonOf = (error: z.core.$ZodError): string =>
  error.issues
    .map((issue) => {
      const expectation = issue.code === "invalid_type" ? `expected ${issue.expected}` : issue.message;
      return issue.path.length === 0 ? expectation : `${issue.path.map(String).join(".")}: ${expectation}`;
    })
    .join(", ");
