import type { Replicable } from "../../shared/geo/replicable.ts";
import { backlogOf } from "../preflight/asked-site.ts";
import { type Complaint, isPaused, ofStatus, ofUnreached } from "../status/complaints.ts";
import type { SeenSite, SeenSites } from "../status/seen-sites.ts";
import { type Part, sumOf, typesOf } from "../status/type-progress.ts";

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

const partOf = (site: SeenSite, goal: Goal, type: string | undefined, replicables: readonly Replicable[]): Part =>
  sumOf(
    typesOf(site.status, replicables)
      .filter(({ replicableName }) => type === undefined || replicableName === type)
      .flatMap(({ replicated, verified }): readonly (Part | null)[] =>
        goal === "synced"
          ? [replicated]
          : // What is not copied yet is no row of a verification; it has to be verified all the same.
            [
              verified === null
                ? replicated
                : {
                    ...verified,
                    failed: verified.failed + (replicated?.failed ?? 0),
                    queued: verified.queued + (replicated?.queued ?? 0),
                  },
            ],
      ),
  );

/**
 * Looks how near every secondary that is seen is to a goal.
 * @param type of objects; undefined: every type
 */
export const lookAtGoal = async (
  sites: SeenSites,
  goal: Goal,
  type: string | undefined,
  { replicables, now }: { readonly replicables: readonly Replicable[]; readonly now: number },
): Promise<Nearness> => {
  const secondaries = sites.seen.filter(({ primary }) => !primary);
  return {
    ...sumOf(secondaries.map((site) => partOf(site, goal, type, replicables))),
    backlog: await backlog(sites.seen, goal),
    obstacles: [...ofUnreached(sites), ...secondaries.flatMap((site) => ofStatus(site, now, replicables))],
    isPaused: secondaries.some(isPaused),
  };
};

/** Whether there is nothing left to wait for. */
export const isReached = ({ done, total, backlog: messages, obstacles }: Nearness): boolean =>
  done >= total && messages === 0 && !obstacles.some(({ kind }) => kind === "unreachable");

/** Whether nothing is under way but later tries of what failed. */
export const isOnlyFailures = ({ done, total, failed, queued, backlog: messages }: Nearness): boolean =>
  failed > 0 && queued === 0 && messages === 0 && done + failed >= total;
