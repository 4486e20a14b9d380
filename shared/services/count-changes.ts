import { changesThatCount, type CountedTable, nextSlice, type RowChange } from "../geo/counters.ts";
import { TableUnavailableError } from "../geo/errors.ts";
import type { Table } from "../ports/table.ts";
import { addToCounter } from "../tables/site/add-to-counter.ts";
import { readCounter } from "../tables/site/read-counter.ts";

/** How often a batch starts again because another invocation moved the shard's mark; then the stream delivers it anew. */
const REFUSALS_MAX = 5;

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

/**
 * Counts a batch, exactly once whatever happens: redelivery, a batch that comes back split or joined, a crash before or
 * after the write. Throws `TableUnavailableError` when the counters can not be written; the whole batch is then to be
 * delivered again, and what was already counted of it is passed over.
 */
export const countChanges = async (site: Table, batch: ChangeBatch): Promise<CountingResult> => {
  const relevant = changesThatCount(batch.changes);
  if (relevant.length === 0) return { counted: 0, skipped: 0 };
  let counter = await readCounter(site, batch.table, batch.shard);
  let rest = relevant;
  let counted = 0;
  let refusals = 0;
  while (true) {
    const slice = nextSlice(rest, counter.marks.get(batch.shard)?.sequenceNumber);
    if (slice === undefined) return { counted, skipped: relevant.length - counted };
    const result = await addToCounter(site, batch.table, batch.shard, counter, slice);
    counter = result.counter;
    if (result.outcome === "written") {
      rest = slice.rest;
      counted += slice.counted;
      continue;
    }
    refusals += 1;
    if (refusals > REFUSALS_MAX) {
      throw new TableUnavailableError(
        `the counters of stream shard ${batch.shard} were changed by somebody else ${refusals} times in a row; ` +
          "expected one invocation at a time for each shard (parallelization factor 1). The batch will be delivered again.",
      );
    }
  }
};
