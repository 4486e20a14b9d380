import * as z from "zod/mini";
import { GeoError } from "../../geo/errors.ts";
import { SITE_TABLE_PARTITIONS } from "../../geo/physical-names.ts";
import { FIRST_STANDING, SITE_ROLES, type SiteStanding } from "../../geo/site-standing.ts";
import type { Item, ItemKey, UpdateRequest } from "../../ports/table.ts";

/** Where a site's record of itself stands. */
export const siteRecordKey: ItemKey = { pk: SITE_TABLE_PARTITIONS.site, sk: "self" };

const StoredSite = z.object({
  role: z._default(z.enum(SITE_ROLES), FIRST_STANDING.role),
  epoch: z._default(z.number(), FIRST_STANDING.epoch),
});

/** A secondary's standing; without a record it is what it was deployed as. Throws `GEO_UNREADABLE_ROW` on an unreadable one. */
export const parseSiteRecord = (item: Item | undefined): SiteStanding => {
  if (item === undefined) return FIRST_STANDING;
  const parsed = z.safeParse(StoredSite, item);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; ");
  throw new GeoError("GEO_UNREADABLE_ROW", `the site's record of itself can not be read: ${problems}`, {
    cause: parsed.error,
  });
};

/**
 * Changes what the site is for, or only its epoch: whatever began before lets go before it writes. Refused when somebody
 * else has changed it since it was seen.
 */
export const changeStanding = (seen: SiteStanding, role: SiteStanding["role"]): UpdateRequest => ({
  key: siteRecordKey,
  update: "SET #role = :role, epoch = :epoch",
  condition: seen.epoch === FIRST_STANDING.epoch ? "attribute_not_exists(epoch) OR epoch = :seen" : "epoch = :seen",
  names: { "#role": "role" },
  values: { ":role": role, ":epoch": seen.epoch + 1, ":seen": seen.epoch },
});
