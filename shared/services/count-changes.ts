import pMap from "p-map";
import { changesThatCount, nextSlice } from "../geo/counter-slices.ts";
import type { CountedTable, RowChange } from "../geo/counters.ts";
import { TableUnavailableError } from "../geo/errors.ts";
import { parseRowPartition } from "../geo/partition-set.ts";
import { clockAt } from "../geo/waiting-ages.ts";
import type { Table } from "../ports/table.ts";
import { addToCounter } from "../tables/site/add-to-counter.ts";
import { readCounter } from "../tables/site/read-counter.ts";
import { fillPartitions, type KnownPartitions } from "./filled-partitions.ts";

/** How often a batch starts again because another invocation moved the shard's mark; then the stream delivers it anew. */
const REFUSALS_MAX = 5;

/** Types of a batch that are counted at the same time: there are rarely more than a few. */
const TYPES_IN_FLIGHT = 8;

/** A run of changes from one stream shard, oldest first. */
export interface ChangeBatch {
  readonly table: CountedTable;
  /** The stream shard. Its records must reach us in order, and only one invocation at a time is meant to have them. */
  readonly shard: string;
  readonly changes: readonly RowChange[];
}

export interface CountingResult {
  /** Changes that went into the counters. */
  readonly counted: number;
  /** Changes that an earlier delivery had counted. */
  readonly skipped: number;
}

/** The type of a changed row. A change without a readable key counts as nothing, and belongs nowhere. */
const typeOf = ({ before, after }: RowChange): string => {
  const { pk } = after ?? before ?? {};
  return typeof pk === "string" ? pk.slice(0, Math.max(0, pk.lastIndexOf("#"))) : "";
};

/** The partitions that rows appeared in. A partition is filled by nothing else. */
const partitionsOf = (changes: readonly RowChange[]): readonly number[] =>
  changes.flatMap(({ before, after }) => {
    const place = before === undefined ? parseRowPartition(after?.["pk"]) : undefined;
    return place === undefined ? [] : [place.partition];
  });

const countType = async (
  site: Table,
  { table, shard }: ChangeBatch,
  replicableName: string,
  changes: readonly RowChange[],
): Promise<CountingResult> => {
  let counter = await readCounter(site, table, shard, replicableName);
  let rest = changes;
  let counted = 0;
  let refusals = 0;
  while (true) {
    const mark = counter.marks.get(shard)?.sequenceNumber;
    const clock = Math.max(counter.clock ?? 0, clockAt(rest.at(-1)?.changedAt ?? 0));
    const slice = nextSlice(rest, { mark, clock });
    if (slice === undefined) return { counted, skipped: changes.length - counted };
    const clearing = refusals === 0;
    const result = await addToCounter(site, table, shard, counter, slice, { clock, clearing });
    counter = result.counter;
    if (result.outcome === "written") {
      rest = slice.rest;
      counted += slice.counted;
      continue;
    }
    refusals += 1;
    if (refusals > REFUSALS_MAX) {
      throw new TableUnavailableError(
        `the counters of stream shard ${shard} were changed by somebody else ${refusals} times in a row; ` +
          "expected one invocation at a time for each shard (parallelization factor 1). The batch will be delivered again.",
      );
    }
  }
};

/**
 * Counts a batch, exactly once whatever happens: redelivery, a batch that comes back split or joined, a crash before or
 * after a write. Each type has its own counter and its own mark in it, so that it does not matter which of them a crash left
 * behind. Throws `TableUnavailableError` when a counter can not be written; the whole batch is then to be delivered again, and
 * what was already counted of it is passed over.
 *
 * @param known partitions that are known to be filled, from one batch to the next; default: nothing is known
 */
export const countChanges = async (
  site: Table,
  batch: ChangeBatch,
  known: KnownPartitions = new Map(),
): Promise<CountingResult> => {
  // Before any mark moves: what a mark has passed does not come again.
  const created = batch.changes.filter(({ before, after }) => before === undefined && after !== undefined);
  for (const [type, changes] of Map.groupBy(created, typeOf)) {
    await fillPartitions(site, batch.table, type, partitionsOf(changes), known);
  }
  const types = [...Map.groupBy(changesThatCount(batch.changes), typeOf)];
  const results = await pMap(types, ([type, changes]) => countType(site, batch, type, changes), {
    concurrency: TYPES_IN_FLIGHT,
  });
  return {
    counted: results.reduce((sum, { counted }) => sum + counted, 0),
    skipped: results.reduce((sum, { skipped }) => sum + skipped, 0),
  };
};
