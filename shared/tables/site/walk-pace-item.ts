import * as z from "zod/mini";
import { SITE_TABLE_PARTITIONS } from "../../geo/physical-names.ts";
import { WALK_PACE_FIRST, type WalkPace } from "../../geo/walk-pace.ts";
import type { Item, ItemKey, QueryRequest, UpdateRequest } from "../../ports/table.ts";

/** Where the pace of a site's walks stands, with the count of throttled attempts that sets it. */
export const walkPaceKey: ItemKey = { pk: SITE_TABLE_PARTITIONS.consistency, sk: "pace" };

const StoredPace = z.object({
  keys_per_run: z._default(z.number(), WALK_PACE_FIRST.keysPerRun),
  throttled_so_far: z._default(z.number(), WALK_PACE_FIRST.throttledSoFar),
  throttled: z._default(z.number(), 0),
});

/** The pace as it stands, and the site's count of throttled attempts. What can not be read begins anew: it is only a pace. */
export const parseWalkPace = (item: Item | undefined): { readonly pace: WalkPace; readonly throttled: number } => {
  const parsed = z.safeParse(StoredPace, item ?? {});
  if (!parsed.success) return { pace: WALK_PACE_FIRST, throttled: 0 };
  const { keys_per_run: keysPerRun, throttled_so_far: throttledSoFar, throttled } = parsed.data;
  return { pace: { keysPerRun, throttledSoFar }, throttled };
};

/** Remembers the pace of the next run. Two runs at once may both set it: it is only a pace. */
export const saveWalkPace = ({ keysPerRun, throttledSoFar }: WalkPace): UpdateRequest => ({
  key: walkPaceKey,
  update: "SET keys_per_run = :keys, throttled_so_far = :so_far",
  values: { ":keys": keysPerRun, ":so_far": throttledSoFar },
});

/** S3 asked an attempt for less speed. */
export const countThrottled = (): UpdateRequest => ({
  key: walkPaceKey,
  update: "ADD throttled :one",
  values: { ":one": 1 },
});

const ASKED = "asked#";

/** An operator wants a type walked through now. */
export const askForWalk = (replicableName: string, now: number): UpdateRequest => ({
  key: { pk: SITE_TABLE_PARTITIONS.consistency, sk: `${ASKED}${replicableName}` },
  update: "SET asked_at = :now",
  values: { ":now": now },
});

/** What operators have asked for. */
export const askedForQuery = (): QueryRequest => ({
  condition: "pk = :pk AND begins_with(sk, :prefix)",
  values: { ":pk": SITE_TABLE_PARTITIONS.consistency, ":prefix": ASKED },
  limit: 200,
});

/** When each type was last asked for, milliseconds since the epoch. */
export const parseAskedFor = (items: readonly Item[]): ReadonlyMap<string, number> =>
  new Map(
    items.flatMap(({ sk, asked_at: askedAt }) =>
      typeof sk === "string" && typeof askedAt === "number" ? [[sk.slice(ASKED.length), askedAt]] : [],
    ),
  );
