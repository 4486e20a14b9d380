import { countMessages, type LedgerLine } from "./ledger.ts";
import type { Charge } from "./prices.ts";

/** What is charged without a request of ours: AWS's own work between the bucket, the topics, the queues and the functions. */
export interface Wiring {
  /** The topic on which the primary announces checksums. */
  readonly announcementsTopic: string;
  readonly eventsQueue: string;
  readonly verificationQueue: string;
}

/**
 * How long one message of a batch keeps a function busy on AWS, and its memory: an assumption (a HEAD or a copy between
 * regions takes some hundred milliseconds, ten are worked on at a time), not something a local cloud could tell.
 */
const ASSUMED_BATCH_MS = { publisher: 100, checksum: 150, consumer: 700, verification: 300 } as const;
const MEMORY_GB = { publisher: 0.25, checksum: 0.5, consumer: 0.5, verification: 0.5 } as const;

/**
 * Estimates what AWS charges for carrying `changes` changes of the bucket to the functions: S3's publication to the topic,
 * deliveries to the queues, Lambda's receives and deletes, invocations and their time. The messages that functions sent
 * are counted, not estimated.
 *
 * @param batch messages in one invocation: 10 when busy, 1 when idle
 */
export const estimateCharges = (
  lines: readonly LedgerLine[],
  changes: number,
  wiring: Wiring,
  batch: number,
): readonly Charge[] => {
  const announced = countMessages(lines, wiring.announcementsTopic);
  const received = {
    publisher: changes + announced,
    checksum: changes,
    consumer: countMessages(lines, wiring.eventsQueue),
    verification: countMessages(lines, wiring.verificationQueue),
  };
  const names = ["publisher", "checksum", "consumer", "verification"] as const;
  const invocations = names.map((name) => ({ name, count: received[name] / batch }));
  const total = invocations.reduce((sum, { count }) => sum + count, 0);
  // What has to be waited for does not get shorter because there is less of it: only what is packed into one message does.
  const gigabyteSeconds = invocations.reduce(
    (sum, { name, count }) => sum + count * MEMORY_GB[name] * (ASSUMED_BATCH_MS[name] / 1_000),
    0,
  );
  return [
    { item: "sns_request", units: changes },
    // By the topics to the ingest and checksum queues; then a receive and a delete for each batch.
    { item: "sqs_request", units: received.publisher + received.checksum + 2 * total },
    { item: "lambda_invocation", units: total },
    { item: "lambda_gb_second", units: gigabyteSeconds },
  ];
};
