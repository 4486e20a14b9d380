import type { Cloud, CloudName } from "./cloud.ts";

/**
 * What a test may need that not every stand-in for AWS has. A test that needs one says so and is skipped, with the
 * reason, where it is missing.
 */
export const CAPABILITIES = [
  "access-control",
  "alarm-metric-math",
  "batching-window",
  "checksum-enforcement",
  "concurrent-pollers",
  "copy-checksum-algorithm",
  "copy-destination-conditions",
  "distributed-map-item-reader",
  "dynamodb-pitr",
  "emf-metrics",
  "event-delete-marker-names",
  "event-delivery-delay",
  "event-for-multi-object-delete",
  "event-for-tagging",
  "event-key-encoding",
  "event-sequencer",
  "event-version-id",
  "lambda-context",
  "lambda-error-names",
  "multipart-full-object-checksum",
  "precondition-error-names",
  "queue-message-size-default",
  "queue-redrive-policy-from-cloudformation",
  "region-isolated-buckets",
  "sqs-metrics",
  "table-ttl-from-cloudformation",
  "tumbling-window",
  "upload-part-copy-source-conditions",
  "upload-size-limits",
  "upload-tags",
] as const;
export type Capability = (typeof CAPABILITIES)[number];

type Gaps = Readonly<Partial<Record<Capability, string>>>;

/** What MiniStack 1.4.21 does otherwise than AWS: measured with it, or read in its source. */
const MINISTACK: Gaps = {
  "access-control": "IAM policies, bucket policies and queue policies are stored and not enforced",
  "alarm-metric-math": "an alarm over a metric expression makes the deployment fail",
  "batching-window": "the batching window of an event source mapping is stored and not applied",
  "checksum-enforcement": "a wrong x-amz-checksum-sha256 on a put is accepted",
  "concurrent-pollers": "one thread polls all queues, one batch at a time; maximum concurrency means nothing",
  "copy-checksum-algorithm": "a copy keeps the source's checksum whatever algorithm is asked for",
  "copy-destination-conditions": "If-Match and If-None-Match on the destination of a copy are ignored",
  "distributed-map-item-reader": "ItemReader is ignored: the state's input becomes the only item and the run succeeds",
  "dynamodb-pitr": "point-in-time recovery is accepted and does nothing",
  "emf-metrics": "metrics embedded in log lines are not extracted",
  "event-delete-marker-names": "adding a delete marker is reported as ObjectRemoved:Delete",
  "event-delivery-delay": "S3's messages do not wait for the delay of the queue that they are sent to",
  "event-for-multi-object-delete": "deleting several keys in one request raises no events",
  "event-for-tagging": "changing an object's tags raises no event",
  "event-key-encoding": "keys in S3 events are not URL-encoded",
  "event-sequencer": 'the sequencer of every S3 event is "0"',
  "event-version-id": "S3 events carry no version id",
  "lambda-context": "the context names no function and its remaining time never falls",
  "lambda-error-names": "every thrown error is called Runtime.HandlerError",
  "multipart-full-object-checksum": "a full-object checksum of a multipart upload is compared with a composite one",
  "queue-message-size-default": "a new queue takes 256 KiB, not 1 MiB; set afterwards by fix-ups.ts",
  "queue-redrive-policy-from-cloudformation": "dropped on deployment; put back afterwards by fix-ups.ts",
  "region-isolated-buckets": "buckets of every region answer in every region",
  "sqs-metrics": "queues publish no metrics, so an alarm on a dead-letter queue can not fire by itself",
  "table-ttl-from-cloudformation": "dropped on deployment; put back afterwards by fix-ups.ts",
  "tumbling-window": "stream batches carry no window and no state",
  "upload-part-copy-source-conditions": "conditions on the source of UploadPartCopy are ignored",
  "upload-size-limits": "parts of any size are put together, and the announced size is not compared",
  "upload-tags": "tags that an upload is begun with are dropped",
};

/** LocalStack's documented limits; not measured here, since it needs docker and a token. */
const LOCALSTACK: Gaps = {
  "access-control": "policies are not enforced unless it is asked to",
  "alarm-metric-math": "metric expressions are not evaluated",
  "concurrent-pollers": "maximum concurrency of a mapping means nothing",
  "dynamodb-pitr": "point-in-time recovery is accepted and does nothing",
  "emf-metrics": "metrics embedded in log lines are not extracted",
  "tumbling-window": "stream batches carry no window and no state",
};

/** An endpoint of which we only know that it answers is trusted with nothing that any stand-in gets wrong. */
const OTHER: Gaps = Object.fromEntries(
  CAPABILITIES.map((capability) => [capability, "nothing is known about the cloud at this endpoint"]),
);

const GAPS: Readonly<Record<CloudName, Gaps>> = { aws: {}, localstack: LOCALSTACK, ministack: MINISTACK, other: OTHER };

/** What `ministack-launcher.py` corrects; a MiniStack that it started says so in its version. */
const CORRECTED: readonly Capability[] = [
  "event-delete-marker-names",
  "event-delivery-delay",
  "event-for-tagging",
  "event-key-encoding",
  "event-version-id",
  "multipart-full-object-checksum",
  "upload-part-copy-source-conditions",
  "upload-tags",
];

/** Why a cloud can not show something; `undefined` when it can. */
export const missingCapability = (
  cloud: Pick<Cloud, "name" | "version">,
  capability: Capability,
): string | undefined =>
  cloud.version.endsWith("+s3-geo") && CORRECTED.includes(capability) ? undefined : GAPS[cloud.name][capability];
