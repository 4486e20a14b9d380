import { SITE_TABLE_PARTITIONS } from "../../geo/physical-names.ts";
import type { Item, ItemKey, QueryRequest } from "../../ports/table.ts";

/**
 * Which types have no records left at the primary, and as of which change of their flags: while those are not changed, nobody
 * makes one, and nobody has to look for one.
 */

const CLEARED = "cleared#";

/** Remembers that a type has no records. @param flagsChangedAt when its flags were last changed, milliseconds since the epoch */
export const clearedType = (replicableName: string, flagsChangedAt: number): Item & ItemKey => ({
  pk: SITE_TABLE_PARTITIONS.consistency,
  sk: `${CLEARED}${replicableName}`,
  flags_changed_at: flagsChangedAt,
});

/** Every type that has been cleared. */
export const clearedTypesQuery = (): QueryRequest => ({
  condition: "pk = :pk AND begins_with(sk, :prefix)",
  values: { ":pk": SITE_TABLE_PARTITIONS.consistency, ":prefix": CLEARED },
  limit: 1_000,
});

/** Of each cleared type, when its flags had last been changed by then. What can not be read is looked at again. */
export const parseClearedTypes = (items: readonly Item[]): ReadonlyMap<string, number> =>
  new Map(
    items.flatMap(({ sk, flags_changed_at: changedAt }) =>
      typeof sk === "string" && typeof changedAt === "number" ? [[sk.slice(CLEARED.length), changedAt]] : [],
    ),
  );
