import { type Additions, COUNTED, type Slice } from "../../geo/counter-slices.ts";
import type { CountedTable } from "../../geo/counters.ts";
import { coarsened } from "../../geo/waiting-ages.ts";
import type { AttributeValue, Table } from "../../ports/table.ts";
import { type Counter, counterKey, formatMark, type Mark, markName, parseCounter } from "./counter-item.ts";

/**
 * A mark is forgotten when its last change is this much older than the change that is being counted. A stream keeps
 * records for 24 hours (AWS, "Change data capture for DynamoDB Streams"), so nothing below such a mark can come again;
 * twice that leaves room. Both times are the stream's own: a clock of ours that jumps can not do harm here (R30).
 */
const MARK_KEPT_MS = 48 * 60 * 60 * 1_000;

/** Most attributes of each kind that one write clears away; keeps the expression short. */
const CLEARED_PER_WRITE_MAX = 20;

const isForgettable = (mark: Mark, now: number | undefined): boolean =>
  now !== undefined && mark.changedAt !== undefined && mark.changedAt < now - MARK_KEPT_MS;

/** An attribute that is not needed any more, as it was seen. */
interface Cleared {
  readonly name: string;
  readonly value: AttributeValue;
}

const forgettableMarks = (seen: Counter, shard: string, now: number | undefined): readonly Cleared[] =>
  [...seen.marks]
    .filter(([other, mark]) => other !== shard && isForgettable(mark, now))
    .slice(0, CLEARED_PER_WRITE_MAX)
    .map(([other, mark]) => ({ name: markName(other), value: formatMark(mark) }));

/** Granules with rows that wait which have become part of a coarser one. */
const outgrownGranules = (seen: Counter, clock: number): readonly (readonly [string, number])[] =>
  [...seen.waiting]
    .filter(([granule, rows]) => rows !== 0 && coarsened(granule, clock) !== granule)
    .slice(0, CLEARED_PER_WRITE_MAX);

const emptyGranules = (seen: Counter, additions: Additions): readonly Cleared[] =>
  [...seen.waiting]
    .map(([granule, value]) => ({ name: `${COUNTED.waiting}${granule}`, value }))
    .filter(({ name, value }) => value === 0 && !additions.has(name))
    .slice(0, CLEARED_PER_WRITE_MAX);

/** What a write is told beside what it adds. */
export interface CountedWith {
  /** The clock that the slice was made with, milliseconds since the epoch. */
  readonly clock: number;
  /** Whether to clear away what is not needed any more: it makes a refusal a little more likely. */
  readonly clearing: boolean;
}

/**
 * Adds a slice to the counter of its shard and type and moves the shard's mark, in one write. Refused, with the counter as it
 * stands, when the mark is not the one that the slice was made for: a second delivery of the same records, or an
 * invocation that was given up on but still runs, has counted meanwhile. Refused as well when the counter's clock is ahead of
 * the slice's, or when what is to be cleared away is not as it was seen.
 */
export const addToCounter = async (
  site: Pick<Table, "update">,
  table: CountedTable,
  shard: string,
  seen: Counter,
  slice: Slice,
  { clock, clearing }: CountedWith,
): Promise<{ readonly outcome: "written" | "refused"; readonly counter: Counter }> => {
  const seenMark = seen.marks.get(shard);
  const names: Record<string, string> = { "#hw": markName(shard), "#clock": "clock" };
  const values: Record<string, AttributeValue> = { ":hw": formatMark(slice.last), ":clock": clock };
  const set = ["#hw = :hw", "#clock = :clock"];
  const remove: string[] = [];
  const conditions = [
    seenMark === undefined ? "attribute_not_exists(#hw)" : "#hw = :seen",
    // A row that is put into a granule by a later clock must not be taken out by an earlier one that is believed to be the latest.
    "(attribute_not_exists(#clock) OR #clock <= :clock)",
  ];

  if (seenMark !== undefined) values[":seen"] = formatMark(seenMark);
  const { changedAt } = slice.last;
  if (changedAt !== undefined) {
    set.push("as_of = :as_of");
    values[":as_of"] = Math.max(changedAt, seen.asOf ?? 0);
  }

  const additions = new Map([...slice.additions, [COUNTED.changes, slice.counted]]);
  const outgrown = clearing ? outgrownGranules(seen, clock) : [];
  for (const [granule, rows] of outgrown) {
    const around = `${COUNTED.waiting}${coarsened(granule, clock)}`;
    additions.set(around, (additions.get(around) ?? 0) + rows);
  }
  const cleared: readonly Cleared[] = clearing
    ? [
        ...forgettableMarks(seen, shard, changedAt),
        ...outgrown.map(([granule, value]) => ({ name: `${COUNTED.waiting}${granule}`, value })),
        ...emptyGranules(seen, additions),
      ]
    : [];

  const add = [...additions]
    .filter(([, number]) => number !== 0)
    .map(([name, number], index) => {
      names[`#a${index}`] = name;
      values[`:a${index}`] = number;
      return `#a${index} :a${index}`;
    });
  for (const [index, { name, value }] of cleared.entries()) {
    names[`#m${index}`] = name;
    values[`:m${index}`] = value;
    remove.push(`#m${index}`);
    // Still what was seen, and not what another shard has just made of it.
    conditions.push(`#m${index} = :m${index}`);
  }

  const clauses = [
    `SET ${set.join(", ")}`,
    `ADD ${add.join(", ")}`,
    ...(remove.length > 0 ? [`REMOVE ${remove.join(", ")}`] : []),
  ];
  const result = await site.update({
    key: counterKey(table, shard, seen.replicableName),
    update: clauses.join(" "),
    condition: conditions.join(" AND "),
    names,
    values,
  });
  return { outcome: result.outcome, counter: parseCounter(result.item, seen.replicableName) };
};
