import type { Table } from "../../ports/table.ts";
import { tokenKey } from "./token-item.ts";

/**
 * Ends a token; says whether there is one of that hash. The item stays, so that a list can show what was revoked and
 * when; a second call keeps the first time.
 */
export const revokeToken = async (site: Pick<Table, "update">, hash: string, now: number): Promise<boolean> => {
  const { outcome } = await site.update({
    key: tokenKey(hash),
    update: "SET revoked_at = if_not_exists(revoked_at, :now)",
    condition: "attribute_exists(pk)",
    values: { ":now": now },
  });
  return outcome === "written";
};
