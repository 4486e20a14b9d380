import * as z from "zod/mini";
import { GeoError } from "../../geo/errors.ts";
import type { FlagOverrides } from "../../geo/feature-flags.ts";
import { SITE_TABLE_PARTITIONS } from "../../geo/physical-names.ts";
import type { Item, ItemKey, UpdateRequest } from "../../ports/table.ts";

/** Where the installation's feature flags stand: in the primary's site table, for all sites. */
export const flagsKey: ItemKey = { pk: SITE_TABLE_PARTITIONS.site, sk: "flags" };

/** The flags that somebody has ever changed. */
export interface StoredFlags {
  /** Those that differ from the declarations. */
  readonly overrides: FlagOverrides;
  /** When each was last changed, milliseconds since the epoch; also those that were given back to their declarations. */
  readonly changedAt: Readonly<Record<string, number>>;
}

/** A flag is an attribute of its own, so that two operators who change two flags at once both do. */
const PREFIX = "flag_";

const StoredFlag = z.object({ value: z.optional(z.boolean()), changed_at: z.number() });

/** Throws `GEO_UNREADABLE_ROW` on an item that can not be read: no flag must change because of that. */
export const parseFlags = (item: Item | undefined): StoredFlags => {
  const flags = Object.entries(item ?? {}).flatMap(([attribute, stored]) => {
    if (!attribute.startsWith(PREFIX)) return [];
    const name = attribute.slice(PREFIX.length);
    const parsed = z.safeParse(StoredFlag, stored);
    if (parsed.success) return [{ name, ...parsed.data }];
    throw new GeoError("GEO_UNREADABLE_ROW", `the feature flag ${name} can not be read: ${parsed.error.message}`);
  });
  return {
    overrides: Object.fromEntries(flags.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]]))),
    changedAt: Object.fromEntries(flags.map(({ name, changed_at: changedAt }) => [name, changedAt])),
  };
};

/** Sets a flag; undefined gives it back to its declaration. */
export const setFlag = (flag: string, value: boolean | undefined, now: number): UpdateRequest => ({
  key: flagsKey,
  update: "SET #flag = :flag",
  names: { "#flag": `${PREFIX}${flag}` },
  values: { ":flag": { changed_at: now, ...(value === undefined ? {} : { value }) } },
});
