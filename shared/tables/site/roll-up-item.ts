import * as z from "zod/mini";
import { type LagWindow, NEW_WINDOW } from "../../geo/lag-window.ts";
import { SITE_TABLE_PARTITIONS } from "../../geo/physical-names.ts";
import type { Item, ItemKey, Table } from "../../ports/table.ts";

/** Where a site keeps what it made of its counters last: one item. */
export const ROLL_UP_KEY: ItemKey = { pk: SITE_TABLE_PARTITIONS.rollUp, sk: "summary" };

const packed = z.record(z.string(), z.string());

const Stored = z.object({
  stepped_at: z.number(),
  base: packed,
  steps: z.array(z.object({ until: z.number(), grown: packed })),
});

/** The window of the last hour; a new one when there is none, or when it can not be read. */
export const parseWindow = (item: Item | undefined): LagWindow => {
  const { success, data } = z.safeParse(Stored, item);
  return success ? { steppedAt: data.stepped_at, base: data.base, steps: data.steps } : NEW_WINDOW;
};

/**
 * Remembers a window in place of the item that was seen, whatever that held. Not when somebody has moved it meanwhile: theirs
 * is as good.
 * @param seen the item as it was read; undefined when there was none
 * @param asOf when the newest change happened that was counted; undefined when nothing ever was
 */
export const saveWindow = async (
  siteTable: Pick<Table, "put">,
  seen: Item | undefined,
  { steppedAt, base, steps }: LagWindow,
  asOf: number | undefined,
): Promise<void> => {
  const steppedAtSeen = seen?.["stepped_at"];
  await siteTable.put(
    { ...ROLL_UP_KEY, stepped_at: steppedAt, base, steps, ...(asOf === undefined ? {} : { as_of: asOf }) },
    steppedAtSeen === undefined
      ? { condition: "attribute_not_exists(stepped_at)" }
      : { condition: "stepped_at = :seen", values: { ":seen": steppedAtSeen } },
  );
};
