import type { CountedTable, Slice } from "../../geo/counters.ts";
import type { AttributeValue, Table } from "../../ports/table.ts";
import { type Counter, counterKey, formatMark, type Mark, markName, parseCounter } from "./counter-item.ts";

/**
 * A mark is forgotten when its last change is this much older than the change that is being counted. A stream keeps
 * records for 24 hours (AWS, "Change data capture for DynamoDB Streams"), so nothing below such a mark can come again;
 * twice that leaves room. Both times are the stream's own: a clock of ours that jumps can not do harm here (R30).
 */
const MARK_KEPT_MS = 48 * 60 * 60 * 1_000;

/** Most marks that one write forgets; keeps the expression short. */
const FORGOTTEN_PER_WRITE_MAX = 20;

const isForgettable = (mark: Mark, now: number | undefined): boolean =>
  now !== undefined && mark.changedAt !== undefined && mark.changedAt < now - MARK_KEPT_MS;

/**
 * Adds a slice to the counter of its shard and moves the shard's mark, in one write. Refused, with the counter as it
 * stands, when the mark is not the one that the slice was made for: a second delivery of the same records, or an
 * invocation that was given up on but still runs, has counted meanwhile.
 */
export const addToCounter = async (
  site: Table,
  table: CountedTable,
  shard: string,
  seen: Counter,
  slice: Slice,
): Promise<{ readonly outcome: "written" | "refused"; readonly counter: Counter }> => {
  const seenMark = seen.marks.get(shard);
  const names: Record<string, string> = { "#hw": markName(shard) };
  const values: Record<string, AttributeValue> = { ":hw": formatMark(slice.last) };
  const set = ["#hw = :hw"];
  const add: string[] = [];
  const remove: string[] = [];
  const conditions = [seenMark === undefined ? "attribute_not_exists(#hw)" : "#hw = :seen"];

  if (seenMark !== undefined) values[":seen"] = formatMark(seenMark);
  const { changedAt } = slice.last;
  if (changedAt !== undefined) {
    set.push("as_of = :as_of");
    values[":as_of"] = Math.max(changedAt, seen.asOf ?? 0);
  }

  [...slice.amounts].forEach(([cell, amount], index) => {
    for (const [kind, value] of [["c", amount.rows] as const, ["b", amount.bytes] as const]) {
      if (value === 0) continue;
      names[`#${kind}${index}`] = `${kind}#${cell}`;
      values[`:${kind}${index}`] = value;
      add.push(`#${kind}${index} :${kind}${index}`);
    }
  });

  [...seen.marks]
    .filter(([other, mark]) => other !== shard && isForgettable(mark, changedAt))
    .slice(0, FORGOTTEN_PER_WRITE_MAX)
    .forEach(([other, mark], index) => {
      names[`#m${index}`] = markName(other);
      values[`:m${index}`] = formatMark(mark);
      remove.push(`#m${index}`);
      // Still the mark that is too old, and not one that its shard has just moved.
      conditions.push(`#m${index} = :m${index}`);
    });

  const clauses = [
    `SET ${set.join(", ")}`,
    ...(add.length > 0 ? [`ADD ${add.join(", ")}`] : []),
    ...(remove.length > 0 ? [`REMOVE ${remove.join(", ")}`] : []),
  ];
  const result = await site.update({
    key: counterKey(table, shard),
    update: clauses.join(" "),
    condition: conditions.join(" AND "),
    names,
    values,
  });
  return { outcome: result.outcome, counter: parseCounter(result.item) };
};
