import type { AttributeValue, DynamoDBRecord, DynamoDBStreamEvent } from "aws-lambda";
import type { RowChange } from "../geo/counters.ts";
import { GeoError } from "../geo/errors.ts";

/** Changes of one stream shard, oldest first. */
export interface StreamBatch {
  readonly shard: string;
  readonly changes: readonly RowChange[];
}

/**
 * What Lambda adds to a stream's event when the mapping has a tumbling window. The window is there for the `shardId`
 * alone; nothing is carried in its state.
 */
type WindowedStreamEvent = DynamoDBStreamEvent & { readonly shardId?: string };

/**
 * The name under which records are counted that came without a shard. Only an event source that has no shards leaves it
 * out (the local cloud: one list of records per table, read by one poller), and then all records are in one order and
 * one mark is exact. AWS names the shard whenever a tumbling window is configured; the infrastructure tests hold that.
 */
const ONLY_SHARD = "the-only-shard";

/** A stored value in plain form. Only what rows are made of: no sets, no binary. */
const plain = (value: AttributeValue): unknown => {
  if (value.S !== undefined) return value.S;
  if (value.N !== undefined) return Number(value.N);
  if (value.BOOL !== undefined) return value.BOOL;
  if (value.L !== undefined) return value.L.map(plain);
  if (value.M !== undefined) return plainImage(value.M);
  return undefined;
};

const plainImage = (image: Readonly<Record<string, AttributeValue>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(image).map(([name, value]) => [name, plain(value)]));

const changeOf = ({ eventID, dynamodb }: DynamoDBRecord): RowChange => {
  const sequenceNumber = dynamodb?.SequenceNumber ?? "";
  if (!/^\d+$/.test(sequenceNumber)) {
    throw new GeoError(
      "GEO_UNSUPPORTED_EVENT",
      `stream record ${eventID ?? "without id"} has sequence number ${JSON.stringify(sequenceNumber)}; expected decimal digits`,
    );
  }
  const { ApproximateCreationDateTime: seconds, OldImage: before, NewImage: after } = dynamodb ?? {};
  return {
    sequenceNumber,
    // Seconds in the event, with or without a fraction.
    ...(seconds !== undefined && { changedAt: Math.round(seconds * 1_000) }),
    ...(before && { before: plainImage(before) }),
    ...(after && { after: plainImage(after) }),
  };
};

/**
 * A handler for a table's stream with old and new images. A batch is one unit: when `handle` throws, the invocation
 * fails and the stream delivers the whole batch again, in order, perhaps split. Nothing is reported record by record: the
 * counting of a batch is atomic, so its first unprocessed record is always its first, and there are event sources that
 * take a partial failure for a success.
 */
export const streamHandler =
  (handle: (batch: StreamBatch) => Promise<void>) =>
  async (event: WindowedStreamEvent): Promise<{ readonly state: Readonly<Record<string, never>> }> => {
    // A window closes with a call of its own, which may have no records.
    const changes = event.Records.map(changeOf);
    if (changes.length > 0) await handle({ shard: event.shardId ?? ONLY_SHARD, changes });
    return { state: {} };
  };
