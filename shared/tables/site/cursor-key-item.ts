import { SITE_TABLE_PARTITIONS } from "../../geo/physical-names.ts";
import type { Item, ItemKey, UpdateRequest } from "../../ports/table.ts";

/** Where the secret stands that a site signs cursors with. */
export const cursorKeyKey: ItemKey = { pk: SITE_TABLE_PARTITIONS.cursorKey, sk: SITE_TABLE_PARTITIONS.cursorKey };

/** Offers a secret: the first one that is ever offered stays. */
export const offerCursorKey = (secret: Uint8Array): UpdateRequest => ({
  key: cursorKeyKey,
  update: "SET signing_secret = if_not_exists(signing_secret, :offered)",
  values: { ":offered": Buffer.from(secret).toString("base64") },
});

/** The secret of an item; undefined when there is none yet. */
export const parseCursorKey = (item: Item | undefined): Uint8Array | undefined => {
  const secret = item?.["signing_secret"];
  return typeof secret === "string" ? Buffer.from(secret, "base64") : undefined;
};
