import type { Tally } from "../../geo/counter-audit.ts";
import type { CountedTable } from "../../geo/counters.ts";
import type { AttributeValue, UpdateRequest } from "../../ports/table.ts";
import { counterKey } from "./counter-item.ts";

/** Most numbers that one write puts right; what is more is for the next recount. */
export const PUT_RIGHT_MAX = 150;

/** Stands in for a stream shard: what is put right is added in the slot that this name hashes to. */
const NO_SHARD = "recounted";

/**
 * Adds to a type's counters what a recount has found to be missing in them. It is a difference that is added, so what is
 * counted at the same time is not touched. Refused when this recount has been added already.
 *
 * @param startedAt when the recount began: its name
 */
export const putCounterRight = (
  table: CountedTable,
  replicableName: string,
  difference: Tally,
  startedAt: number,
): UpdateRequest => {
  const names: Record<string, string> = { "#recount": "recount" };
  const values: Record<string, AttributeValue> = { ":recount": startedAt };
  const additions = [...difference].slice(0, PUT_RIGHT_MAX).map(([name, more], index) => {
    names[`#a${index}`] = name;
    values[`:a${index}`] = more;
    return `#a${index} :a${index}`;
  });
  return {
    key: counterKey(table, NO_SHARD, replicableName),
    update: `SET #recount = :recount ADD ${additions.join(", ")}`,
    condition: "attribute_not_exists(#recount) OR #recount < :recount",
    names,
    values,
  };
};
