import * as z from "zod/mini";
import { GeoError } from "../../geo/errors.ts";
import { REMOVAL_WINDOW_MS } from "../../geo/limits.ts";
import { SITE_TABLE_PARTITIONS } from "../../geo/physical-names.ts";
import type { RemovalGuard } from "../../geo/removal-guard.ts";
import type { Item, ItemKey, UpdateRequest } from "../../ports/table.ts";

/** Where the guard of a type stands in the site table. */
export const removalGuardKey = (replicableName: string): ItemKey => ({
  pk: SITE_TABLE_PARTITIONS.removalGuard,
  sk: replicableName,
});

const StoredGuard = z.object({
  sk: z.string(),
  window_started_at: z.number(),
  removals: z.number(),
  removal_limit: z.number(),
  paused_at: z.optional(z.number()),
  released_removals: z.optional(z.number()),
  released_until: z.optional(z.number()),
  release_only_until: z.optional(z.number()),
});

/** Parses a stored guard. Throws `GEO_UNREADABLE_ROW` on an item that is not one. */
export const parseRemovalGuard = (item: Item): RemovalGuard => {
  const parsed = z.safeParse(StoredGuard, item);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; ");
    throw new GeoError("GEO_UNREADABLE_ROW", `a removal guard can not be read: ${problems}`, { cause: parsed.error });
  }
  const { data } = parsed;
  return {
    replicableName: data.sk,
    windowStartedAt: data.window_started_at,
    removals: data.removals,
    limit: data.removal_limit,
    ...(data.paused_at === undefined ? {} : { pausedAt: data.paused_at }),
    ...(data.released_removals === undefined || data.released_until === undefined
      ? {}
      : { release: { removals: data.released_removals, until: data.released_until } }),
    ...(data.release_only_until === undefined ? {} : { releaseOnlyUntil: data.release_only_until }),
  };
};

/** Removals are neither held back nor a matter of releases only. */
const LIMIT_COUNTS =
  "attribute_not_exists(paused_at) AND (attribute_not_exists(release_only_until) OR release_only_until <= :now)";

/** Lets one more removal through in the present hour. Refused when the hour is over or full, or the limit does not count. */
export const countRemoval = (replicableName: string, now: number): UpdateRequest => ({
  key: removalGuardKey(replicableName),
  update: "SET removals = removals + :one",
  condition: `window_started_at > :open_since AND removals < removal_limit AND ${LIMIT_COUNTS}`,
  values: { ":one": 1, ":open_since": now - REMOVAL_WINDOW_MS, ":now": now },
});

/** Begins an hour with one removal. Refused when somebody else has begun one, or the limit does not count. */
export const openRemovalWindow = (
  replicableName: string,
  seen: RemovalGuard | undefined,
  now: number,
  limit: number,
): UpdateRequest => ({
  key: removalGuardKey(replicableName),
  update: "SET window_started_at = :now, removals = :one, removal_limit = :limit",
  condition: seen === undefined ? "attribute_not_exists(pk)" : `window_started_at = :seen_window AND ${LIMIT_COUNTS}`,
  values: {
    ":now": now,
    ":one": 1,
    ":limit": limit,
    ...(seen === undefined ? {} : { ":seen_window": seen.windowStartedAt }),
  },
});

/** Lets one removal through on an operator's release. Refused when it is used up or over. */
export const useRelease = (replicableName: string, now: number): UpdateRequest => ({
  key: removalGuardKey(replicableName),
  update: "SET released_removals = released_removals - :one",
  condition: "released_removals > :zero AND released_until > :now",
  values: { ":one": 1, ":zero": 0, ":now": now },
});

/**
 * Holds removals of the type back from now on, until an operator releases them: an hour that is over does not, or a lost
 * bucket would be mirrored at the limit's pace. Refused when that has been done, or when the limit or a release lets
 * removals through by now.
 */
export const pauseRemovals = (replicableName: string, seen: RemovalGuard, now: number): UpdateRequest => ({
  key: removalGuardKey(replicableName),
  update: "SET paused_at = :now",
  condition: [
    "window_started_at = :seen_window AND attribute_not_exists(paused_at)",
    "(removals >= removal_limit OR release_only_until > :now)",
    "(attribute_not_exists(released_until) OR released_until <= :now OR released_removals <= :zero)",
  ].join(" AND "),
  values: { ":now": now, ":seen_window": seen.windowStartedAt, ":zero": 0 },
});

/**
 * An operator's word that so many more removals of the type are wanted: in place of the limit, and of whatever is left of
 * an earlier release. What was held back comes again within half an hour; so if nothing has come for an hour after the
 * release, nothing is left of the flood and the limit counts again. Refused when the type has never removed anything.
 */
export const releaseRemovals = (replicableName: string, removals: number, until: number): UpdateRequest => ({
  key: removalGuardKey(replicableName),
  update: "SET released_removals = :removals, released_until = :until, release_only_until = :only REMOVE paused_at",
  condition: "attribute_exists(pk)",
  values: { ":removals": removals, ":until": until, ":only": until + REMOVAL_WINDOW_MS },
});
