import * as z from "zod/mini";
import { SITE_TABLE_PARTITIONS } from "../../geo/physical-names.ts";
import type { DeleteRequest, Item, QueryRequest, UpdateRequest } from "../../ports/table.ts";

/**
 * Secondaries that the primary's batch destroys wait for. Each is noted by its own feed, in the primary's site table: were
 * they told to the primary's functions when these are deployed, a new secondary would change the primary.
 */
export interface KnownSecondary {
  readonly name: string;
  readonly region: string;
  readonly registryTable: string;
}

/** A feed that has not said anything for so long is gone, milliseconds; one that is there says so every hour in which it works. */
const FORGOTTEN_MS = 30 * 24 * 60 * 60 * 1_000;

/** Most secondaries that an installation has: a page of them is all of them. */
const SECONDARIES_MAX = 100;

export const noteSecondary = (secondary: KnownSecondary, now: number): UpdateRequest => ({
  key: { pk: SITE_TABLE_PARTITIONS.secondary, sk: secondary.name },
  update: "SET secondary_region = :region, registry_table = :table, seen_at = :now",
  values: { ":region": secondary.region, ":table": secondary.registryTable, ":now": now },
});

export const forgetSecondary = (name: string): DeleteRequest => ({
  key: { pk: SITE_TABLE_PARTITIONS.secondary, sk: name },
});

export const listSecondaries: QueryRequest = {
  condition: "pk = :pk",
  values: { ":pk": SITE_TABLE_PARTITIONS.secondary },
  limit: SECONDARIES_MAX,
};

const Stored = z.object({
  sk: z.string(),
  secondary_region: z.string(),
  registry_table: z.string(),
  seen_at: z.number(),
});

/** Those that are there, by what the table holds. */
export const knownSecondaries = (items: readonly Item[], now: number): readonly KnownSecondary[] =>
  items.flatMap((item) => {
    const { sk: name, secondary_region: region, registry_table: registryTable, seen_at: seenAt } = Stored.parse(item);
    return seenAt > now - FORGOTTEN_MS ? [{ name, region, registryTable }] : [];
  });
