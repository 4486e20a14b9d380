import { countRequests, countUnits, type LedgerLine } from "./ledger.ts";
import type { WalkFigures } from "./measure-walks.ts";

/** A limit that is held, or not. Limits are on counts and sizes, never on times. */
export interface Bar {
  readonly name: string;
  readonly limit: number;
  readonly actual: number;
  readonly ok: boolean;
}

/**
 * Queues deliver at least once: one object in a hundred may be looked at twice without a bar being exceeded. Anything
 * that is done once too often per object is far beyond that.
 */
const ALLOWANCE = 0.01;

export const atMost = (name: string, limit: number, actual: number, allowance = 0): Bar => ({
  name,
  limit,
  actual,
  ok: actual <= limit + allowance,
});

/** What the bars are about. */
export interface Places {
  readonly primaryBucket: string;
  readonly replicaBucket: string;
}

/** What a new small object may cost whose strong checksum S3 stores. Per object, over both regions. */
export const newObjectBars = (
  lines: readonly LedgerLine[],
  objects: number,
  { primaryBucket, replicaBucket }: Places,
): readonly Bar[] => {
  const requests = (operation: string, bucket: string): number =>
    countRequests(lines, (line) => line.service === "s3" && line.operation === operation && line.target === bucket);
  const bar = (name: string, limit: number, count: number): Bar => atMost(name, limit, count / objects, ALLOWANCE);
  const known =
    requests("CopyObject", replicaBucket) +
    requests("HeadObject", primaryBucket) +
    requests("GetObject", replicaBucket);
  const headsOfReplica = requests("HeadObject", replicaBucket);
  const all = countRequests(lines, ({ service }) => service === "s3");
  const sends = countRequests(lines, ({ messages }) => messages > 0);
  return [
    bar("copies per new object", 1, requests("CopyObject", replicaBucket)),
    bar("looks at the source (HEAD) per new object", 2, requests("HeadObject", primaryBucket)),
    bar("reads of the replica (GET) per new object", 1, requests("GetObject", replicaBucket)),
    bar("looks at a replica that was never written (HEAD) per new object", 0, headsOfReplica),
    bar(
      "rows read to know our own copy per new object",
      1,
      countRequests(lines, ({ caller, operation }) => caller.endsWith("-replica-drift") && operation === "GetItem"),
    ),
    bar("other requests to S3 per new object", 0, all - known - headsOfReplica),
    bar("queue and topic sends per new object", 1, sends),
    bar(
      "refused requests per new object",
      0,
      lines.reduce((sum, { refused }) => sum + refused, 0),
    ),
    bar("DynamoDB write units per new object", 6, countUnits(lines, "dynamodb_write_unit")),
  ];
};

/** Keys on a page of S3's listing. */
const KEYS_PER_LIST = 1_000;

/** From this many objects on, what a listing has at its ends weighs nothing any more. */
const MANY_OBJECTS = 100_000;

/** What the heap may grow by, however many keys a walk goes through: a few pages of either side, and what was not collected. */
const HEAP_GROWTH_BYTES_MAX = 8_000_000;

/** What a walk through a type's keys may cost. */
export const walkBars = (walks: readonly WalkFigures[]): readonly Bar[] =>
  walks.flatMap(({ site, objects, requests, heapGrowthBytes, usdPerMillion }) => {
    const about = `of ${objects} objects, ${site.replaceAll("_", " ")}`;
    const perPage = (lists: number): number => lists / (objects / KEYS_PER_LIST);
    return [
      ...(objects < MANY_OBJECTS
        ? []
        : [
            atMost(`LIST per 1,000 keys at the primary, ${about}`, 1, perPage(requests.lists.primary), ALLOWANCE),
            atMost(`LIST per 1,000 keys at the replica, ${about}`, 1, perPage(requests.lists.replica), ALLOWANCE),
            atMost(`dollars for LIST per million objects, ${about}`, 0.02, usdPerMillion.lists),
          ]),
      atMost(`bytes that the heap grew by, ${about}`, HEAP_GROWTH_BYTES_MAX, heapGrowthBytes),
    ];
  });
