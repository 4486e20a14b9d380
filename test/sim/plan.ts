import { SYNC_TIMEOUT_SECONDS } from "../../shared/geo/limits.ts";
import { Dice } from "./dice.ts";

/** Everything that may go wrong. Each seed switches a random part of it on ("swarm"): rare combinations come up that way. */
export const KNOBS = [
  "crash", // a process dies between any two awaits; its request was not sent, lands soon, or was carried out
  "zombie", // a process freezes, is given up on, and goes on after its lease
  "slow", // a call takes seconds to minutes; the function may be ended meanwhile
  "late", // a request is carried out long after its client died or gave up
  "unanswered", // a write to S3 ends without an answer
  "table_answers", // a write to a table ends without an answer, or arrives twice
  "duplicate", // a message comes up to five times
  "reorder", // messages overtake each other
  "loss", // a message is gone; the key is reconciled later
  "delay", // a message takes minutes to hours
  "partial_batch", // a send takes some of its messages
  "throttle", // bursts of 503 and of tables that do not answer
  "forbidden", // permissions flap: 403
  "outage", // a region's services do not answer for hours
  "clock", // each machine's clock jumps, by up to ten minutes either way
  "stale_index", // the due index answers as it was
  "redrive", // messages go to the dead letters early, and come back from there late
  "restore", // the registry goes back to an older state; then everything is reconciled
  "corruption", // a copy's bytes are not the source's
  "cut_body", // a body ends in the middle
  "redelivery", // stream records come again, in other batches; shards split
  "people", // somebody writes to the replica's bucket: overwrites, hides, brings back, destroys, tags, puts strange objects
  "rot", // the bytes of a verified replica change; somebody has it read again later
  "guard", // few removals an hour are let through; operators release the guard now and then
  "promotion", // the site becomes something else for a while, or only its epoch moves
  "resync", // operators want fresh copies
  "pause", // the secondary is paused, and goes on
] as const;
export type Knob = (typeof KNOBS)[number];

/** What people do to a bucket, or ask for. */
export interface Change {
  /** Milliseconds after the start. */
  readonly at: number;
  /** Which key, by number. */
  readonly key: number;
  /**
   * `destroy`: one version or marker, not only the current one. At the secondary alone: `rot`, which nobody does, and
   * `resync`, which somebody asks for.
   */
  readonly do: "put" | "tag" | "delete" | "purge" | "undelete" | "destroy" | "archive" | "restore" | "rot" | "resync";
  /** Where. Default: the primary's bucket. What is for the secondary happens with the knob that it belongs to, only. */
  readonly on?: "secondary";
  /** Which of few contents, metadata or tags: few, so that the same come back (ETag A, B, A). */
  readonly variant: number;
}

/** Everything that decides a run. Plain data: a plan can be cut down, stored and run again. */
export interface Plan {
  readonly seed: number;
  readonly keys: number;
  /** How many types the keys are spread over, 1 to 3. */
  readonly types: number;
  /** Whether replicas are read back in the pass that copies them. */
  readonly fused: boolean;
  /** Share of the objects for which S3 keeps no checksum: the primary has to read those. */
  readonly unattested: number;
  /** From which size on objects are copied in parts of a few bytes; those of up to so many are copied whole. Default: none. */
  readonly wholeBytesMax?: number;
  /** The site's sync timeout, seconds: shorter than a function may run, it takes rows from the living. Default: Geo's. */
  readonly syncTimeoutSeconds?: number;
  /** Minutes between two sweeps while rows are due. */
  readonly sweepMinutes: number;
  readonly knobs: readonly Knob[];
  readonly changes: readonly Change[];
}

export const DAY_MS = 24 * 60 * 60 * 1_000;

/** How long after the last change of a key the next one comes: from within one call to after a lease, or a visibility. */
const SPACINGS_MS = [100, 500, 2_000, 10_000, 100_000, 200_000, 500_000, 5_400_000] as const;

const KINDS: readonly Change["do"][] = [
  ...Array<Change["do"]>(9).fill("put"),
  ...Array<Change["do"]>(5).fill("delete"),
  ...Array<Change["do"]>(2).fill("tag"),
  ...Array<Change["do"]>(3).fill("purge"),
  ...Array<Change["do"]>(2).fill("undelete"),
];

const changesFor = (dice: Dice, keys: number): readonly Change[] => {
  const archives = dice.hits(0.1);
  const changes: Change[] = [];
  for (let key = 0; key < keys; key += 1) {
    // In a large world a few hot keys among many that are written once; in a small one there is nothing else to see.
    const count = dice.pick(keys > 10 ? [1, 1, 1, 1, 1, 1, 2, 2, 3, 5] : [1, 2, 2, 3, 4, 6]);
    let at = dice.between(0, DAY_MS - 7_200_000);
    for (let i = 0; i < count; i += 1) {
      const kind = i === 0 ? "put" : dice.pick(KINDS);
      changes.push({ at: Math.floor(at), key, do: kind, variant: dice.whole(0, 11) });
      at += dice.pick(SPACINGS_MS) * dice.between(0.5, 1.5);
    }
    if (archives && dice.hits(0.05)) {
      changes.push({ at: Math.floor(at), key, do: "archive", variant: 0 });
      if (dice.hits(0.5)) changes.push({ at: Math.floor(at + 3_600_000), key, do: "restore", variant: 0 });
    }
  }
  return changes;
};

/** Now and then somebody empties the primary's bucket, by mistake or not, and may bring back what was there (R29). */
const emptyingFor = (dice: Dice, changes: readonly Change[]): readonly Change[] => {
  if (!dice.hits(0.3)) return [];
  const at = dice.between(DAY_MS / 4, DAY_MS);
  const regretted = dice.hits(0.5);
  const keys = new Set(changes.filter((change) => change.at < at).map(({ key }) => key));
  return [...keys].flatMap((key): readonly Change[] => {
    const gone = Math.floor(at + dice.between(0, 60_000));
    const kind = dice.pick(["delete", "purge"] as const);
    const back = Math.floor(gone + dice.pick(SPACINGS_MS) * dice.between(0.5, 1.5));
    const putBack = { at: back, key, do: kind === "delete" ? "undelete" : "put", variant: dice.whole(0, 11) } as const;
    return [{ at: gone, key, do: kind, variant: 0 }, ...(regretted ? [putBack] : [])];
  });
};

/** What people do to the replica's bucket, where they have no business. */
export const PEOPLES_KINDS: readonly Change["do"][] = [
  ...Array<Change["do"]>(4).fill("put"),
  ...Array<Change["do"]>(3).fill("delete"),
  ...Array<Change["do"]>(2).fill("tag"),
  ...Array<Change["do"]>(2).fill("purge"),
  ...Array<Change["do"]>(2).fill("undelete"),
  ...Array<Change["do"]>(2).fill("destroy"),
];

/** What happens at the secondary: most often soon after something at the primary, when somebody is at the key. */
const secondaryChangesFor = (dice: Dice, keys: number, changes: readonly Change[]): readonly Change[] => {
  const some = (most: number, kinds: readonly Change["do"][]): readonly Change[] =>
    Array.from({ length: dice.whole(0, most) }, () => {
      const near = dice.pick(changes);
      // A key that the primary never held, now and then.
      const key = dice.hits(0.1) ? keys : near.key;
      const at = Math.min(near.at + dice.pick(SPACINGS_MS) * dice.between(0.5, 1.5), DAY_MS);
      return { at: Math.floor(at), key, do: dice.pick(kinds), variant: dice.whole(0, 11), on: "secondary" };
    });
  return [...some(5, PEOPLES_KINDS), ...some(3, ["rot"]), ...some(3, ["resync"])];
};

/**
 * How many keys a world has, most often few: what goes wrong goes wrong between the changes, messages and workers of one
 * key, and a small world shows it in a fraction of the time. The large ones are for what is shared: batches, sweeps,
 * counters.
 */
const SIZES: readonly number[] = (
  [
    [1, 12],
    [2, 10],
    [3, 6],
    [4, 2],
    [5, 2],
    [8, 1],
    [12, 1],
    [50, 1],
  ] as const
).flatMap(([keys, weight]) => Array<number>(weight).fill(keys));

/** Objects of any size are copied whole. */
const ANY_SIZE = Number.POSITIVE_INFINITY;

/** The plan of a seed. @param keys fixes the number of keys; default: 1 to 50, by the seed */
export const planOf = (seed: number, keys?: number): Plan => {
  const dice = new Dice(seed, "plan");
  const drawn = dice.pick(SIZES);
  const count = keys ?? drawn;
  // From none to most: a fault that always comes with all others is never seen alone.
  const share = dice.pick([0, 0.1, 0.2, 0.3, 0.5, 0.8]);
  // Pauses have dice of their own, so that every other world is the one that it was before there were any.
  const knobs = KNOBS.filter((knob) => (knob === "pause" ? new Dice(seed, "paused").hits(0.3) : dice.hits(share)));
  const usual = changesFor(dice, count);
  const changes = [...usual, ...emptyingFor(dice, usual)];
  // In a third of the worlds large objects are copied in parts, in some of them all that have any bytes.
  const wholeBytesMax = new Dice(seed, "parts").pick([ANY_SIZE, ANY_SIZE, ANY_SIZE, ANY_SIZE, 0, 1]);
  const atSecondary = secondaryChangesFor(new Dice(seed, "people"), count, changes);
  return {
    seed,
    keys: count,
    types: dice.whole(1, 3),
    fused: dice.hits(0.6),
    unattested: dice.pick([0, 0, 0.2, 1]),
    ...(wholeBytesMax === ANY_SIZE ? {} : { wholeBytesMax }),
    syncTimeoutSeconds: dice.pick([...Array<number>(5).fill(SYNC_TIMEOUT_SECONDS.standard), 5, 40]),
    sweepMinutes: dice.pick([2, 10, 30]),
    knobs,
    changes: [...changes, ...atSecondary].sort((a, b) => a.at - b.at || a.key - b.key),
  };
};
