import { countMessages, countRequests, type LedgerLine } from "./ledger.ts";
import {
  ASSUMED_MS,
  type Charge,
  DRIFT_MESSAGES_AT_ONCE,
  type Load,
  MEMORY_GB,
  MESSAGES_AT_ONCE,
  WORKING_FUNCTIONS,
  type WorkingFunction,
} from "../../shared/geo/prices.ts";

/** What is charged without a request of ours: AWS's own work between the bucket, the topics, the queues and the functions. */
export interface Wiring {
  /** The topic on which the primary announces checksums. */
  readonly announcementsTopic: string;
  readonly eventsQueue: string;
  readonly verificationQueue: string;
  /** The bucket of replicas, which reports each of its changes. */
  readonly replicaBucket: string;
}

/** Messages that Lambda receives, and deletes, in one request. */
const AT_ONCE: Readonly<Record<Load, number>> = { busy: MESSAGES_AT_ONCE, idle: 1 };

/** Messages in an invocation of a function that a queue feeds; drift is collected for a while. */
const invocationsOf = (name: WorkingFunction, messages: number, load: Load): number =>
  messages / (name === "drift" && load === "busy" ? DRIFT_MESSAGES_AT_ONCE : AT_ONCE[load]);

/** What changes a bucket of replicas: copies, and deletions that add a marker. */
const CHANGING: ReadonlySet<string> = new Set(["CopyObject", "DeleteObject"]);

/** Changes of the bucket of replicas that S3 did not refuse. */
const changesOf = (lines: readonly LedgerLine[], bucket: string): number =>
  lines
    .filter(({ service, target, operation }) => service === "s3" && target === bucket && CHANGING.has(operation))
    .reduce((sum, { requests, refused }) => sum + requests - refused, 0);

/**
 * Estimates what AWS charges for carrying `changes` changes of the bucket to the functions, and those of the replicas that
 * follow: S3's publication to the topic, deliveries to the queues, Lambda's receives and deletes, invocations and their
 * time. How many messages the functions sent is counted for a busy system; on an idle one nothing is packed, so each
 * object has a message, and a send, of its own.
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
    drift: changesOf(lines, wiring.replicaBucket),
  };
  const objects: Readonly<Record<WorkingFunction, number>> = {
    ...messages,
    consumer: changes,
    verification: Math.max(announced, sent.verification),
  };
  const carried = WORKING_FUNCTIONS.reduce((sum, name) => sum + messages[name], 0);
  const counted = countRequests(
    lines,
    ({ target, messages: ofLine }) =>
      ofLine > 0 && (target === wiring.eventsQueue || target === wiring.verificationQueue),
  );
  const furtherSends = load === "busy" ? 0 : Math.max(0, messages.consumer + messages.verification - counted);
  return [
    { item: "sns_request", units: changes },
    // By the topics to the ingest and checksum queues, by S3 to the drift queue; receives and deletes.
    {
      item: "sqs_request",
      units: messages.publisher + messages.checksum + messages.drift + (2 * carried) / AT_ONCE[load] + furtherSends,
    },
    {
      item: "lambda_invocation",
      units: WORKING_FUNCTIONS.reduce((sum, name) => sum + invocationsOf(name, messages[name], load), 0),
    },
    {
      item: "lambda_gb_second",
      units: WORKING_FUNCTIONS.reduce(
        (sum, name) => sum + objects[name] * MEMORY_GB[name] * (ASSUMED_MS[name][load] / 1_000),
        0,
      ),
    },
  ];
};
