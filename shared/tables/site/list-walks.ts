import { SITE_TABLE_PARTITIONS } from "../../geo/physical-names.ts";
import type { QueryRequest } from "../../ports/table.ts";

const beginningWith = (prefix: string): QueryRequest => ({
  condition: "pk = :pk AND begins_with(sk, :prefix)",
  values: { ":pk": SITE_TABLE_PARTITIONS.consistency, ":prefix": prefix },
  limit: 1_000,
});

/** The present walk of every type: one item each. */
export const walksQuery = (): QueryRequest => beginningWith("walk#");

/** The ranges of all walks that are under way. */
export const everyRangeQuery = (): QueryRequest => beginningWith("range#");
