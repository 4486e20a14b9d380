import { SITE_TABLE_PARTITIONS } from "../../geo/physical-names.ts";
import type { RemovalGuard } from "../../geo/removal-guard.ts";
import type { Item, Table } from "../../ports/table.ts";
import { parseRemovalGuard } from "./removal-guard-item.ts";

/** Items on a page: more types than an installation has. */
const PAGE_SIZE = 100;

/** The guard of each type that has ever removed anything. Throws `GEO_UNREADABLE_ROW` on an item that is none. */
export const listRemovalGuards = async (site: Pick<Table, "query">): Promise<readonly RemovalGuard[]> => {
  const guards: RemovalGuard[] = [];
  let startAfter: Item | undefined;
  do {
    const page = await site.query({
      condition: "pk = :pk",
      values: { ":pk": SITE_TABLE_PARTITIONS.removalGuard },
      limit: PAGE_SIZE,
      ...(startAfter && { startAfter }),
    });
    guards.push(...page.items.map(parseRemovalGuard));
    startAfter = page.next;
  } while (startAfter !== undefined);
  return guards;
};
