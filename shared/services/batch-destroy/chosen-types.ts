import { belongsByKey } from "../../geo/destroy.ts";
import { matchKey, type ReplicableMatch } from "../../geo/replicable-match.ts";
import type { DestroyingSite } from "../../ports/destroy.ts";
import type { DestroyRecord } from "../../tables/site/destroy-record.ts";

/**
 * Whether a destroy names the type of a key. One that names a partition means that partition's objects, also while they are
 * of the partitioned type (F90).
 */
export const isOfChosenType = (
  { replicables }: Pick<DestroyingSite, "replicables">,
  { replicable_names: names }: Pick<DestroyRecord, "replicable_names">,
  match: ReplicableMatch,
  key: string,
): boolean => {
  if (names.includes(match.replicable.name)) return true;
  const declared = matchKey(replicables, key);
  return declared !== undefined && names.includes(declared.replicable.name);
};

/** Whether an object can be one of the destroy's, as far as its key says. */
export const mayBelong = (
  site: Pick<DestroyingSite, "replicables">,
  record: Pick<DestroyRecord, "replicable_names" | "destroy_parent">,
  match: ReplicableMatch,
  key: string,
): boolean => isOfChosenType(site, record, match, key) && belongsByKey(record.destroy_parent, match, key) !== "no";
