import { countMessages, countRequests, type LedgerLine } from "./ledger.ts";
import type { Charge } from "./prices.ts";

/** What is charged without a request of ours: AWS's own work between the bucket, the topics, the queues and the functions. */
export interface Wiring {
  /** The topic on which the primary announces checksums. */
  readonly announcementsTopic: string;
  readonly eventsQueue: string;
  readonly verificationQueue: string;
}

/** How full batches and messages are: on a busy system all are, on an idle one each object comes by itself. */
export type Load = "busy" | "idle";

const FUNCTIONS = ["publisher", "checksum", "consumer", "verification"] as const;
type WorkingFunction = (typeof FUNCTIONS)[number];

/**
 * Milliseconds for which an object keeps a function busy on AWS: its share of full batches, or an invocation of its own.
 * An assumption of docs/performance.md, since a local cloud could not tell.
 */
const ASSUMED_MS: Readonly<Record<WorkingFunction, Readonly<Record<Load, number>>>> = {
  publisher: { busy: 2, idle: 50 },
  checksum: { busy: 10, idle: 100 },
  consumer: { busy: 25, idle: 300 },
  verification: { busy: 15, idle: 150 },
};

/** As infra/subsystems has it. */
const MEMORY_GB: Readonly<Record<WorkingFunction, number>> = {
  publisher: 0.25,
  checksum: 0.5,
  consumer: 0.5,
  verification: 0.5,
};

/** Messages in an invocation of a function that a queue feeds. */
const BATCH: Readonly<Record<Load, number>> = { busy: 10, idle: 1 };

/**
 * Estimates what AWS charges for carrying `changes` changes of the bucket to the functions: S3's publication to the topic,
 * deliveries to the queues, Lambda's receives and deletes, invocations and their time. How many messages the functions
 * sent is counted for a busy system; on an idle one nothing is packed, so each object has a message, and a send, of its own.
 */
export const estimateCharges = (
  lines: readonly LedgerLine[],
  changes: number,
  wiring: Wiring,
  load: Load,
): readonly Charge[] => {
  const announced = countMessages(lines, wiring.announcementsTopic);
  const sent = {
    events: countMessages(lines, wiring.eventsQueue),
    verification: countMessages(lines, wiring.verificationQueue),
  };
  const messages: Readonly<Record<WorkingFunction, number>> = {
    publisher: changes + announced,
    checksum: changes,
    consumer: load === "busy" ? sent.events : changes,
    verification: load === "busy" ? sent.verification : Math.max(announced, sent.verification),
  };
  const objects: Readonly<Record<WorkingFunction, number>> = {
    ...messages,
    consumer: changes,
    verification: Math.max(announced, sent.verification),
  };
  const invocations = FUNCTIONS.reduce((sum, name) => sum + messages[name], 0) / BATCH[load];
  const counted = countRequests(
    lines,
    ({ target, messages: carried }) =>
      carried > 0 && (target === wiring.eventsQueue || target === wiring.verificationQueue),
  );
  const furtherSends = load === "busy" ? 0 : Math.max(0, messages.consumer + messages.verification - counted);
  return [
    { item: "sns_request", units: changes },
    // By the topics to the ingest and checksum queues; a receive and a delete for each batch.
    { item: "sqs_request", units: messages.publisher + messages.checksum + 2 * invocations + furtherSends },
    { item: "lambda_invocation", units: invocations },
    {
      item: "lambda_gb_second",
      units: FUNCTIONS.reduce(
        (sum, name) => sum + objects[name] * MEMORY_GB[name] * (ASSUMED_MS[name][load] / 1_000),
        0,
      ),
    },
  ];
};
