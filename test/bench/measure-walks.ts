import process from "node:process";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { WALK_PACE_FIRST } from "../../shared/geo/walk-pace.ts";
import { coolWidget } from "../../shared/replicables/cool-widget.ts";
import { keepConsistent } from "../../shared/services/registry-consistency/keep-consistent.ts";
import { WALK_SETTINGS_DEFAULT } from "../../shared/services/registry-consistency/run-walks.ts";
import { EMPTY_BUCKET, GeneratedObjects } from "../support/generated-objects.ts";
import { twoSites } from "../support/two-sites.ts";
import { walkingSecondary, type WalkRequests } from "../support/walking.ts";
import { dollars } from "../../shared/geo/prices.ts";

/** What a walk finds: a site that knows nothing yet, one that has all of it, or one that lost the events of some objects. */
export type WalkedSite = "new" | "settled" | "lost_events";

/** What one walk through all keys of a type costs, and what it holds in memory. */
export interface WalkFigures {
  readonly site: WalkedSite;
  readonly objects: number;
  /** Keys that it found and handed over. */
  readonly found: number;
  /** How many runs of the function it took. */
  readonly runs: number;
  readonly requests: WalkRequests;
  /** Half a unit for each row, there or not: they are smaller than 4 KB, and read eventually consistent. */
  readonly readUnits: number;
  /** What the heap grew by at most while it went on, measured after garbage collection. */
  readonly heapGrowthBytes: number;
  readonly usdPerMillion: { readonly lists: number; readonly reads: number; readonly sends: number };
}

/** In how many places of a walk the heap is measured. */
const HEAP_SAMPLES = 20;

/** Messages in one request to SQS (API reference, SendMessageBatch). */
const MESSAGES_PER_SEND = 10;

const MINUTE_MS = 60_000;

/** Half of all runs that any of the walks below takes. */
const RUNS_MAX = 1_000;

setFlagsFromString("--expose-gc");
// A context that is made now has the flag's function; V8 has no other way to it in a process that has begun.
const collectGarbage = runInNewContext("gc") as () => void;

const heapNow = (): number => {
  collectGarbage();
  return process.memoryUsage().heapUsed;
};

const LOST_EVERY = 40;

const knownTo = (site: WalkedSite): ((id: number) => boolean) => {
  switch (site) {
    case "new":
      return () => false;
    case "settled":
      return () => true;
    case "lost_events":
      return (id) => id % LOST_EVERY !== 0;
  }
};

/** One walk of the real reconciler, minute by minute, through generated listings. */
export const measureWalk = async (site: WalkedSite, objects: number): Promise<WalkFigures> => {
  const world = twoSites({ replicables: [coolWidget] });
  const generated = new GeneratedObjects(objects);
  const pages = Math.ceil(objects / 1_000);
  const sampleEvery = Math.max(1, Math.floor(pages / HEAP_SAMPLES));
  let baseline = 0;
  let peak = 0;
  let listed = 0;
  const walking = walkingSecondary(world, {
    primary: {
      list: (options) => {
        listed += 1;
        if (listed % sampleEvery === 0) peak = Math.max(peak, heapNow());
        return generated.bucket.list(options);
      },
    },
    replica: site === "new" ? EMPTY_BUCKET : generated.bucket,
    registry: generated.registry(knownTo(site)),
    takes: () => Promise.resolve({ outcome: "sent" }),
  });
  baseline = heapNow();
  peak = baseline;
  let found = 0;
  for (let runs = 1; runs <= RUNS_MAX; runs += 1) {
    world.clock.advance(MINUTE_MS);
    const run = await keepConsistent(walking.site, world.replicables, WALK_SETTINGS_DEFAULT, Infinity);
    found += run.findings.enqueued;
    if (run.finished.length === 0) continue;
    const { requests } = walking;
    const readUnits = requests.rowKeys / 2;
    const perMillion = (sum: number): number => (sum / objects) * 1e6;
    const lists = requests.lists.primary + requests.lists.replica;
    return {
      site,
      objects,
      found,
      runs,
      requests,
      readUnits,
      heapGrowthBytes: peak - baseline,
      usdPerMillion: {
        lists: perMillion(dollars([{ item: "s3_write_request", units: lists }])),
        reads: perMillion(dollars([{ item: "dynamodb_read_unit", units: readUnits }])),
        sends: perMillion(dollars([{ item: "sqs_request", units: Math.ceil(requests.messages / MESSAGES_PER_SEND) }])),
      },
    };
  }
  throw new Error(
    `a walk through ${objects} keys was not over after ${RUNS_MAX} runs of ${WALK_PACE_FIRST.keysPerRun}`,
  );
};

/** Every walk that docs/performance.md tells of. */
export const measureWalks = async (detail: (text: string) => void): Promise<readonly WalkFigures[]> => {
  const figures: WalkFigures[] = [];
  for (const [site, objects] of [
    ["lost_events", 2_000],
    ["new", 10_000],
    ["settled", 10_000],
    ["new", 100_000],
    ["settled", 100_000],
    ["new", 1_000_000],
    ["settled", 1_000_000],
  ] as const) {
    detail(`${objects} objects, ${site.replaceAll("_", " ")}`);
    figures.push(await measureWalk(site, objects));
  }
  return figures;
};
