import * as z from "zod/mini";
import { DAY_MS, dayOf, packTotals, unpackTotals, USAGE_KEPT_DAYS, type UsageSnapshot } from "../../geo/daily-usage.ts";
import { SITE_TABLE_PARTITIONS, SITE_TABLE_TTL } from "../../geo/physical-names.ts";
import type { Item, ItemKey, QueryRequest, Table } from "../../ports/table.ts";

/** The ledger of a site: one item for each UTC day, which DynamoDB takes away after `USAGE_KEPT_DAYS`. */
export const usageKey = (at: number): ItemKey => ({ pk: SITE_TABLE_PARTITIONS.usage, sk: dayOf(at) });

const Stored = z.object({ taken_at: z.number(), totals: z.record(z.string(), z.array(z.number())) });

/** Notes what the counters stand at, unless the day has been noted already: the first look of a day counts. */
export const noteUsage = async (siteTable: Pick<Table, "put">, { at, types }: UsageSnapshot): Promise<void> => {
  await siteTable.put(
    {
      ...usageKey(at),
      taken_at: at,
      totals: Object.fromEntries([...types].map(([name, totals]) => [name, packTotals(totals)])),
      [SITE_TABLE_TTL]: Math.ceil((at + USAGE_KEPT_DAYS * DAY_MS) / 1_000),
    },
    { condition: "attribute_not_exists(pk)" },
  );
};

/** The days from one on, a page at a time, oldest first. */
export const usageSince = (at: number): QueryRequest => ({
  condition: "pk = :pk AND sk >= :day",
  values: { ":pk": SITE_TABLE_PARTITIONS.usage, ":day": dayOf(at) },
  limit: USAGE_KEPT_DAYS,
});

/** Reads a day; one that can not be read is none. */
export const parseUsage = (item: Item): UsageSnapshot | undefined => {
  const { success, data } = z.safeParse(Stored, item);
  if (!success) return undefined;
  return {
    at: data.taken_at,
    types: new Map(Object.entries(data.totals).map(([name, packed]) => [name, unpackTotals(packed)])),
  };
};
