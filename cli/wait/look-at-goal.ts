import type { Replicable } from "../../shared/geo/replicable.ts";
import { backlogOf } from "../preflight/asked-site.ts";
import { type Ground, groundOf, ofMissingPrimary, ofUnproven, ofUnverified } from "../preflight/unproven.ts";
import { ofUnsettledRows } from "../preflight/unsettled-rows.ts";
import { type Complaint, isPaused, ofStatus, ofUnreached } from "../status/complaints.ts";
import type { SeenSite, SeenSites } from "../status/seen-sites.ts";
import { type Part, sumOf, type TypeProgress, typesOf } from "../status/type-progress.ts";

/** What is waited for: that everything is copied, or that all of it was read back as well. */
export type Goal = "synced" | "verified";

/** How near all secondaries are to it. */
export interface Nearness extends Part {
  /** About how many messages are in queues that lead there; null where somebody could not say. */
  readonly backlog: number | null;
  /** What stands in the way by itself: somebody has to do something, or a later try has to succeed. */
  readonly obstacles: readonly Complaint[];
  /** A site is paused: nothing will happen. */
  readonly isPaused: boolean;
}

/**
 * Queues whose messages may make new work for a goal. Not among them is the one of drift, where each of our own copies
 * lies for a minute.
 */
const QUEUES: Readonly<Record<Goal, ReadonlySet<string>>> = {
  synced: new Set(["ingest", "geo-events", "backfill"]),
  verified: new Set(["ingest", "geo-events", "backfill", "verification", "checksum"]),
};

const backlog = async (sites: readonly SeenSite[], goal: Goal): Promise<number | null> => {
  const connections = sites.flatMap(({ connection }) => (connection === undefined ? [] : [connection]));
  const queues = (await Promise.all(connections.map(backlogOf))).flat().filter(({ queue }) => QUEUES[goal].has(queue));
  return queues.reduce<number | null>(
    (sum, { messages }) => (sum === null || messages === null ? null : sum + messages),
    0,
  );
};

const partOf = (types: readonly TypeProgress[], goal: Goal): Part =>
  sumOf(
    types.map(({ replicated, verified }): Part | null =>
      goal === "synced" || verified === null
        ? replicated
        : // What is not copied yet is no row of a verification; it has to be verified all the same.
          {
            ...verified,
            failed: verified.failed + (replicated?.failed ?? 0),
            queued: verified.queued + (replicated?.queued ?? 0),
          },
    ),
  );

/** With any of these the numbers may be wrong, old, or not of everything: nothing is reached. In few words, for a narrow line. */
const DOUBTS: ReadonlyMap<string, string> = new Map([
  ["unreachable", "a site does not answer"],
  ["unhealthy", "a site is unhealthy"],
  ["stale_status", "a status is old"],
  ["no_primary", "the primary was not asked"],
  ["not_asked", "not everybody was asked"],
  ["not_counted", "not all is counted"],
  ["not_compared", "not all is compared"],
  ["not_known", "not all is heard of"],
  ["unsettled_row", "rows are unfinished"],
  ["switched_off", "switched off"],
  ["verification_off", "not verified"],
]);

/** With these nothing changes by itself. */
const NEEDS_SOMEBODY: ReadonlySet<string> = new Set(["switched_off", "verification_off"]);

/** Why the numbers are not to be believed, in a few words; undefined when they are. */
export const doubtOf = ({ obstacles }: Nearness): string | undefined =>
  obstacles.map(({ kind }) => DOUBTS.get(kind)).find((words) => words !== undefined);

/** Whether there is nothing left to wait for. */
export const isReached = (seen: Nearness): boolean =>
  seen.done >= seen.total && seen.backlog === 0 && doubtOf(seen) === undefined;

/** Whether somebody has to do something before there is anything to wait for. */
export const isBlocked = ({ isPaused: paused, obstacles }: Nearness): boolean =>
  paused || obstacles.some(({ kind }) => NEEDS_SOMEBODY.has(kind));

/** A type that somebody asks for by its name, and that is switched off. */
const ofNamedType = (
  sites: readonly { readonly site: SeenSite }[],
  type: string | undefined,
  { off }: Ground,
  replicables: readonly Replicable[],
): readonly Complaint[] =>
  replicables
    .filter(({ name }) => name === type && off.has(name))
    .flatMap(({ names }) =>
      sites.map(({ site }) => ({
        site: site.name,
        kind: "switched_off",
        problem: `replicates no ${names.titlePlural}: they are switched off`,
        remedy: `geo flag set ${names.flags.replication} on`,
      })),
    );

/**
 * Looks how near every secondary that is seen is to a goal. Once the counters tell of nothing that is left, registries are
 * asked as well.
 * @param type of objects; undefined: every type
 */
export const lookAtGoal = async (
  sites: SeenSites,
  goal: Goal,
  type: string | undefined,
  { replicables, now }: { readonly replicables: readonly Replicable[]; readonly now: number },
): Promise<Nearness> => {
  const [anybody] = sites.seen.flatMap(({ connection }) => (connection === undefined ? [] : [connection]));
  const ground = groundOf(sites.seen, (await anybody?.client.features()) ?? [], replicables);
  const looked = sites.seen.map((site) => {
    const types = typesOf(site.status, replicables).filter(
      ({ replicableName }) => type === undefined || replicableName === type,
    );
    return { site, types, wanted: types.filter(({ replicableName }) => !ground.off.has(replicableName)) };
  });
  const secondaries = looked.filter(({ site }) => !site.primary);
  const nearness: Nearness = {
    ...sumOf(secondaries.map(({ types }) => partOf(types, goal))),
    backlog: await backlog(sites.seen, goal),
    obstacles: [
      ...ofUnreached(sites),
      ...ofMissingPrimary(sites.seen),
      ...sites.seen.flatMap((site) => ofStatus(site, now, replicables)),
      ...looked.flatMap(({ site, wanted }) => ofUnproven(site, wanted, ground)),
      ...ofNamedType(secondaries, type, ground, replicables),
      ...(goal === "verified" ? secondaries.flatMap(({ site, wanted }) => ofUnverified(site, wanted)) : []),
    ],
    isPaused: secondaries.some(({ site }) => isPaused(site)),
  };
  if (!isReached(nearness)) return nearness;
  const unsettled = await Promise.all(
    secondaries.map(({ site, wanted }) => ofUnsettledRows(site, wanted, goal, { ground, replicables })),
  );
  return { ...nearness, obstacles: [...nearness.obstacles, ...unsettled.flat()] };
};

/** Whether nothing is under way but later tries of what failed. */
export const isOnlyFailures = ({ done, total, failed, queued, backlog: messages }: Nearness): boolean =>
  failed > 0 && queued === 0 && messages === 0 && done + failed >= total;
