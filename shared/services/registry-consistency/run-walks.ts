import { addFindings, type Findings, NO_FINDINGS } from "../../geo/consistency.ts";
import { KEYS_PER_MESSAGE_MAX } from "../../geo/geo-message.ts";
import { COUNT_METRICS } from "../../geo/metrics.ts";
import type { Replicable } from "../../geo/replicable.ts";
import type { Item, QueryRequest } from "../../ports/table.ts";
import {
  beginWalk,
  endWalk,
  forgetRange,
  newRange,
  parseRange,
  parseWalk,
  rangesQuery,
  type Walk,
  type WalkRange,
  type WalkReason,
  walkRequest,
} from "../../tables/site/consistency-items.ts";
import { keyPrefixesOf } from "../../geo/upload-partitions.ts";
import { isKnownEverywhere, scopeFingerprint } from "../../geo/walk-scope.ts";
import { splitKeys } from "./split-keys.ts";
import { registryWalker } from "./registry-walker.ts";
import { type WalkBase, type Walker, walkRange, type WalkingRange, type WalkingSite } from "./walk-range.ts";

/** Settings of a site's walks. */
export interface WalkSettings {
  /** Milliseconds from the end of one scheduled walk of a type to the beginning of the next. */
  readonly everyMs: number;
  /** Into how many ranges a walk is cut at most. */
  readonly ways: number;
  /**
   * Keys that a range has at least, by what the last walk of the type listed. A range costs each side up to one page that
   * reaches into the next one, and finding where to cut costs a listing for each place that is tried.
   */
  readonly keysPerRange: number;
  /** Most orphans that one walk of a type hands over: beyond it they are only counted. */
  readonly orphansPerWalk: number;
  /** No more history is handed over while this many keys of it wait. */
  readonly backlogKeysMax: number;
}

export const WALK_SETTINGS_DEFAULT: WalkSettings = {
  everyMs: 7 * 24 * 60 * 60 * 1_000,
  ways: 64,
  keysPerRange: 2_000_000,
  orphansPerWalk: 10_000,
  backlogKeysMax: 20_000,
};

/** Bounds of one run, and what was asked of it. */
export interface WalkRun {
  /** When to let go, milliseconds since the epoch. */
  readonly stopAt: number;
  /** How many keys it may hand over. */
  readonly keysPerRun: number;
  /** When an operator last asked for a walk, by type, milliseconds since the epoch. */
  readonly askedFor: ReadonlyMap<string, number>;
}

/** What one run did. */
export interface WalkedOnce {
  readonly findings: Findings;
  /** Walks that ended in it. */
  readonly finished: readonly string[];
  /** Why it stopped, when not because everything is walked through. */
  readonly stopped: "time" | "backlog" | "pace" | "queue" | "paused" | undefined;
}

const everyItem = async (site: WalkBase, query: QueryRequest): Promise<readonly Item[]> => {
  const items: Item[] = [];
  let page = await site.siteTable.query(query);
  items.push(...page.items);
  while (page.next !== undefined) {
    page = await site.siteTable.query({ ...query, startAfter: page.next });
    items.push(...page.items);
  }
  return items;
};

const rangesOf = async (site: WalkBase, walk: Walk): Promise<readonly WalkRange[]> =>
  (await everyItem(site, rangesQuery(walk))).map(parseRange);

const forgetRanges = async (site: WalkBase, walk: Pick<Walk, "replicableName" | "id">): Promise<void> => {
  const ranges = (await everyItem(site, rangesQuery(walk))).map(parseRange);
  await Promise.all(ranges.map((range) => site.siteTable.delete(forgetRange(range))));
};

const reasonOf = (last: Walk | undefined, isChanged: boolean, askedFor: boolean): WalkReason => {
  if (last === undefined) return "first";
  if (isChanged) return "settings_changed";
  return askedFor ? "asked_for" : "scheduled";
};

/** The type's walk that goes on, begun now if it is time; undefined when there is nothing to walk. */
const presentWalk = async (
  site: Walker,
  replicables: readonly Replicable[],
  replicable: Replicable,
  settings: WalkSettings,
  askedAt: number | undefined,
): Promise<Walk | undefined> => {
  const { name } = replicable;
  const last = parseWalk(await site.siteTable.get(walkRequest(name)));
  if (last !== undefined && last.finishedAt === undefined) return last;
  const now = site.clock.now();
  // What was asked for before the last walk began has been done.
  const askedFor = askedAt !== undefined && (last === undefined || askedAt > last.startedAt);
  const isTime = last?.finishedAt === undefined || now - last.finishedAt >= settings.everyMs;
  const inForce = await site.scopeOf(replicable);
  const scope = scopeFingerprint(replicable, inForce);
  const isChanged = last !== undefined && last.scope !== scope;
  if (isChanged && !isKnownEverywhere(inForce, now)) return undefined;
  if (!isTime && !askedFor && !isChanged) return undefined;
  const reason = reasonOf(last, isChanged, askedFor);
  const id = site.chance.token();
  // Of a first walk nothing is known, and nothing is lost: it waits for copies, and not for listings.
  const cuts = Math.min(settings.ways, Math.floor((last?.findings.listed ?? 0) / settings.keysPerRange));
  const prefixes = keyPrefixesOf(replicables, replicable);
  const ways = Math.ceil(cuts / Math.max(1, prefixes.length));
  const ranges = (await Promise.all(prefixes.map((prefix) => splitKeys(site.primary, prefix, ways)))).flat();
  // The ranges first: a walk that is there is whole. Two workers that begin one at the same time cut it each in their own
  // way, since keys come and go; ranges stand under the id of their walk, so that those of two cuts never mix.
  for (const [index, range] of ranges.entries()) await site.siteTable.put(newRange(name, id, index, range));
  const begun = await site.siteTable.update(beginWalk(name, last, { id, reason, ranges: ranges.length, scope, now }));
  if (begun.outcome === "written") return parseWalk(begun.item);
  await forgetRanges(site, { replicableName: name, id });
  return parseWalk(await site.siteTable.get(walkRequest(name)));
};

/** Whether everything that is found was, or may have been, decided under another scope. */
const ofNewScope = ({ reason }: Walk): boolean => reason === "first" || reason === "settings_changed";

/** History that a first walk finds is nothing to be alarmed at; what a later one finds is, event by event, a lost one. */
const report = (site: WalkBase, walk: Walk, findings: Findings): void => {
  const { telemetry } = site;
  const name = walk.replicableName;
  if (findings.enqueued > 0) telemetry.count(COUNT_METRICS.backfilled, findings.enqueued, name);
  // Nor at what an operator's own change of scope brings in or out.
  if (ofNewScope(walk)) return;
  // For the site as a whole: alarms watch these. The log says which types they are of.
  if (findings.missing > 0) telemetry.count(COUNT_METRICS.consistencyMissing, findings.missing);
  if (findings.stale > 0) telemetry.count(COUNT_METRICS.consistencyStale, findings.stale);
  if (findings.orphan > 0) telemetry.count(COUNT_METRICS.consistencyOrphan, findings.orphan);
};

const total = (ranges: readonly WalkRange[]): Findings =>
  ranges.map(({ findings }) => findings).reduce(addFindings, NO_FINDINGS);

/** A type of which a range is being walked. */
interface Walking {
  readonly walk: Walk;
  readonly range: WalkingRange;
}

/** The type's next range that nobody works on; undefined when there is none. A walk all of whose ranges are done is ended. */
const nextRange = async (
  site: Walker,
  replicables: readonly Replicable[],
  replicable: Replicable,
  settings: WalkSettings,
  askedAt: number | undefined,
): Promise<Walking | "ended" | undefined> => {
  const walk = await presentWalk(site, replicables, replicable, settings, askedAt);
  if (walk === undefined) return undefined;
  const ranges = await rangesOf(site, walk);
  const open = ranges.filter((range) => !range.done);
  if (ranges.length === walk.ranges && open.length === 0) {
    const found = total(ranges);
    const ended = await site.siteTable.update(endWalk(walk, found, site.clock.now()));
    if (ended.outcome === "refused") return undefined;
    site.telemetry.info("walked through a type", { replicable: replicable.name, ...found });
    await forgetRanges(site, walk);
    return "ended";
  }
  const free = open.find(({ leaseUntil }) => leaseUntil === undefined || leaseUntil < site.clock.now());
  if (free === undefined) return undefined;
  const range = walkRange(site, replicables, replicable, free, {
    orphansLeft: settings.orphansPerWalk - total(ranges).orphan,
    everything: ofNewScope(walk),
  });
  return { walk, range };
};

/** Runs are started each minute, and each begins with another type. */
const TURN_MS = 60_000;

/**
 * The types in the order in which a run comes to them. Not always from the first: a run that may hand over little, because
 * history waits or S3 throttles, would never get to the last.
 */
const inTurn = (replicables: readonly Replicable[], now: number): readonly Replicable[] => {
  const first = Math.floor(now / TURN_MS) % Math.max(1, replicables.length);
  return [...replicables.slice(first), ...replicables.slice(0, first)];
};

/** @param walking the ranges that are under way, by type; those that are left there have to be let go of */
const walkInTurn = async (
  site: Walker,
  replicables: readonly Replicable[],
  settings: WalkSettings,
  run: WalkRun,
  walking: Map<string, Walking>,
): Promise<WalkedOnce> => {
  let findings = NO_FINDINGS;
  const finished: string[] = [];
  const done = (stopped: WalkedOnce["stopped"]): WalkedOnce => ({ findings, finished, stopped });
  let backlogAt = -1;
  /** Asked for again only when keys were handed over, since each time costs a request. */
  const isBacklogged = async (): Promise<boolean> => {
    if (backlogAt === findings.enqueued) return false;
    backlogAt = findings.enqueued;
    return (await site.backfill.backlog()) * KEYS_PER_MESSAGE_MAX >= settings.backlogKeysMax;
  };
  let left = inTurn(replicables, site.clock.now());
  while (left.length > 0) {
    const further: Replicable[] = [];
    for (const replicable of left) {
      if (site.clock.now() >= run.stopAt) return done("time");
      if (await site.isPaused()) return done("paused");
      if (findings.enqueued >= run.keysPerRun) return done("pace");
      if (await isBacklogged()) return done("backlog");
      const { name } = replicable;
      // Nothing of a type that is switched off is looked at; its rows and replicas stay (F84).
      if (!site.isWalked(await site.switches.of(name))) continue;
      if (!walking.has(name)) {
        const next = await nextRange(site, replicables, replicable, settings, run.askedFor.get(name));
        if (next === "ended") finished.push(name);
        else if (next !== undefined) walking.set(name, next);
      }
      const one = walking.get(name);
      if (one === undefined) continue;
      further.push(replicable);
      const step = await one.range.next();
      if (step.done !== true) {
        findings = addFindings(findings, step.value);
        report(site, one.walk, step.value);
        continue;
      }
      walking.delete(name);
      // A queue that takes nothing now will not a moment later.
      if (step.value === "not_taken") return done("queue");
    }
    left = further;
  }
  return done(undefined);
};

/**
 * One run of walks, until the time, the pace or the queue says stop. Types are walked in turn, one
 * stretch of each at a time: one with a thousand times the keys of another takes half of a run from it, and not all. Any
 * number may run at once, and any may die anywhere: ranges are leased and remember how far they came.
 */
export const walkOnce = async (
  site: Walker,
  replicables: readonly Replicable[],
  settings: WalkSettings,
  run: WalkRun,
): Promise<WalkedOnce> => {
  const walking = new Map<string, Walking>();
  try {
    return await walkInTurn(site, replicables, settings, run, walking);
  } finally {
    // Also when something did not answer: the others' ranges need not wait for the ends of their leases.
    await Promise.allSettled([...walking.values()].map(({ range }) => range.next("stop")));
  }
};

/** One run of the registry's consistency, at a secondary. */
export const runWalks = (
  site: WalkingSite,
  replicables: readonly Replicable[],
  settings: WalkSettings,
  run: WalkRun,
): Promise<WalkedOnce> => walkOnce(registryWalker(site), replicables, settings, run);
