import type { RowOutcome } from "./row-outcomes.ts";
import type { SiteRole } from "./site-status.ts";

/**
 * What AWS charges for, and what of it replication asks for: one place for `geo cost`, for the bench and for what
 * docs/performance.md says. Pure.
 */

/**
 * List prices of us-east-1 without free tiers, in dollars per unit. From the price pages of S3 (aws.amazon.com/s3/pricing), SQS,
 * SNS, DynamoDB on demand, Lambda on arm64 and CloudWatch Logs, as of November 2026. Transfer between regions is not in here: it
 * is the same for whoever copies.
 */
export const PRICES = {
  /** PUT, COPY, POST and LIST, $0.005 per 1,000. */
  s3_write_request: 5e-6,
  /** GET, HEAD and all others but DELETE, $0.0004 per 1,000. */
  s3_read_request: 0.4e-6,
  /** DELETE costs nothing. */
  s3_free_request: 0,
  /** Any call, a batch being one, per 64 KB begun; $0.40 per million. */
  sqs_request: 0.4e-6,
  /** Per 64 KB begun of what is published, $0.50 per million; deliveries to queues are free. */
  sns_request: 0.5e-6,
  /** A write of up to 1 KB to a table or an index, $0.625 per million. */
  dynamodb_write_unit: 0.625e-6,
  /** A consistent read of up to 4 KB, $0.125 per million. */
  dynamodb_read_unit: 0.125e-6,
  /** $0.20 per million. */
  lambda_invocation: 0.2e-6,
  /** On arm64. */
  lambda_gb_second: 0.0000133334,
  /** Ingestion. */
  log_gigabyte: 0.5,
} as const;
export type Priced = keyof typeof PRICES;

/** Everything that has a price, in the order in which it is listed. */
export const PRICED = Object.keys(PRICES) as readonly Priced[]; // it has no other keys

/** So many units of something that is charged for. */
export interface Charge {
  readonly item: Priced;
  readonly units: number;
}

/** The sum of some charges, dollars. */
export const dollars = (charges: readonly Charge[]): number =>
  charges.reduce((sum, { item, units }) => sum + units * PRICES[item], 0);

/** How full batches and messages are: on a busy system all are, on an idle one each object comes by itself. */
export type Load = "busy" | "idle";

/** The functions that an object goes through. */
export const WORKING_FUNCTIONS = ["publisher", "checksum", "consumer", "verification", "drift"] as const;
export type WorkingFunction = (typeof WORKING_FUNCTIONS)[number];

/**
 * Milliseconds for which an object keeps a function busy on AWS: its share of full batches, or an invocation of its own.
 * An assumption of docs/performance.md, since a local cloud could not tell.
 */
export const ASSUMED_MS: Readonly<Record<WorkingFunction, Readonly<Record<Load, number>>>> = {
  publisher: { busy: 2, idle: 50 },
  checksum: { busy: 10, idle: 100 },
  consumer: { busy: 25, idle: 300 },
  verification: { busy: 15, idle: 150 },
  drift: { busy: 2, idle: 50 },
};

/** As infra/subsystems has it. */
export const MEMORY_GB: Readonly<Record<WorkingFunction, number>> = {
  publisher: 0.25,
  checksum: 0.5,
  consumer: 0.5,
  verification: 0.5,
  drift: 0.25,
};

/** Messages that Lambda receives, and deletes, in one request when there are enough. */
export const MESSAGES_AT_ONCE = 10;

/** Messages in an invocation of the function that notices drift, which are collected for a while. */
export const DRIFT_MESSAGES_AT_ONCE = 100;

/** Objects in a message of the publisher's, when there are enough: it makes one of each batch that it reads. */
const KEYS_IN_MESSAGE = 10;

/** Bytes that are logged for a new object, by both sites together: docs/performance.md, "Measured". */
const LOG_BYTES = 961;

const BYTES_PER_GIGABYTE = 1e9;

/** What a busy function asks for with an object: its share of an invocation and of its time. */
const running = (name: WorkingFunction, atOnce: number): readonly Charge[] => [
  { item: "lambda_invocation", units: 1 / atOnce },
  { item: "lambda_gb_second", units: MEMORY_GB[name] * (ASSUMED_MS[name].busy / 1_000) },
];

/** A message that is delivered to a queue, and received and deleted with others. */
const DELIVERY = 1 + 2 / MESSAGES_AT_ONCE;

/** The publisher's message, with this object's share of it: sent, and received and deleted with others. */
const PACKED = 1 / KEYS_IN_MESSAGE + 2 / (MESSAGES_AT_ONCE * KEYS_IN_MESSAGE);

const LOGS: Charge = { item: "log_gigabyte", units: LOG_BYTES / 2 / BYTES_PER_GIGABYTE };

/** What hears of an object at the primary: its notification, its way to the function that makes checksums, and that. */
const HEARD_AT_PRIMARY: readonly Charge[] = [
  { item: "sns_request", units: 1 },
  { item: "sqs_request", units: DELIVERY },
  ...running("checksum", MESSAGES_AT_ONCE),
  { item: "dynamodb_read_unit", units: 1 },
  LOGS,
];

/** What hears of an object at a secondary: its feed, what copies, and what reads of its own copy. */
const HEARD_AT_SECONDARY: readonly Charge[] = [
  { item: "sqs_request", units: DELIVERY + PACKED + DELIVERY },
  ...running("publisher", MESSAGES_AT_ONCE),
  ...running("consumer", MESSAGES_AT_ONCE * KEYS_IN_MESSAGE),
  ...running("drift", DRIFT_MESSAGES_AT_ONCE),
  { item: "dynamodb_read_unit", units: 1 },
  LOGS,
];

/** What a site counts: what became of rows, and how often one changed. */
export const USED = ["synced", "failed", "verified", "verification_failed", "removed", "changes"] as const;
export type Used = RowOutcome | "changes";

const write = (units: number): Charge => ({ item: "dynamodb_write_unit", units });
const look = (units: number): Charge => ({ item: "s3_read_request", units });
const COPY: Charge = { item: "s3_write_request", units: 1 };

/**
 * What a site asks AWS for, each time that it counts something; busy, and for objects of up to 64 MiB whose digest S3 stores,
 * which are most. Why each request is there says docs/performance.md ("Requests for one new small object", and the table of other
 * changes beneath it); `test/docs/cost.test.ts` holds the sum against what the bench measured.
 *
 * - a change of a row is a write; at a secondary each goes into the due index or out of it, which is another
 * - a copy that failed is one that was asked for: AWS charges for refusals, too
 * - a row that came to be synced is charged as a copy, and so is a replica that was found right as it was, as in a bucket that is
 *   adopted, or at a second look: counters do not tell the two apart, so copies are an upper bound
 * - a removal: a look at either side, one more when the tombstone's time is over; and what no counter sees: the purge of the row
 *   at either side, and at the primary the tombstone's way into the due index
 */
export const REQUESTS: Readonly<Record<SiteRole, Readonly<Record<Used, readonly Charge[]>>>> = {
  primary: {
    synced: [],
    failed: [],
    verified: [look(1), ...HEARD_AT_PRIMARY],
    verification_failed: [look(2), ...HEARD_AT_PRIMARY],
    removed: [look(1), ...HEARD_AT_PRIMARY, write(3)],
    changes: [write(1)],
  },
  secondary: {
    synced: [COPY, look(1), ...HEARD_AT_SECONDARY],
    failed: [COPY, look(1), { item: "sqs_request", units: PACKED }, ...running("consumer", MESSAGES_AT_ONCE), LOGS],
    verified: [look(1)],
    verification_failed: [look(1)],
    removed: [look(3), { item: "s3_free_request", units: 1 }, ...HEARD_AT_SECONDARY, write(2)],
    changes: [write(2)],
  },
};

/** How often a site counted what. */
export type UsedCounts = Readonly<Record<Used, number>>;

/** What counts come to, in units of what is charged for; what was not asked for is not in it. */
export const chargesOf = (role: SiteRole, counts: UsedCounts): readonly Charge[] => {
  const units = new Map<Priced, number>();
  for (const used of USED) {
    for (const { item, units: each } of REQUESTS[role][used]) {
      units.set(item, (units.get(item) ?? 0) + counts[used] * each);
    }
  }
  return PRICED.flatMap((item) => {
    const sum = units.get(item) ?? 0;
    return sum === 0 ? [] : [{ item, units: sum }];
  });
};

/** What a bill has beside requests, and no counter knows: said wherever costs are told. */
export const NOT_COUNTED = [
  "transfer between regions, which AWS charges by the gigabyte",
  "storage of objects, noncurrent versions, rows and logs",
  "what having a site costs while nothing happens: schedules, alarms, metrics, keys",
  "reading objects again that are larger than 64 MiB or whose digest S3 does not store, parts of large copies, walks",
  "that some replicas were found right and not copied (adopted, looked at again): each counts as a copy, so copies are the most that there were",
  "discounts, free tiers, and what other regions than us-east-1 charge",
] as const;
