import { systemClock } from "../../shared/aws/system-clock.ts";
import { countedTable, type RowChange } from "../../shared/geo/counters.ts";
import { DUE_INDEX } from "../../shared/geo/physical-names.ts";
import { MemoryTable } from "../../shared/memory/table.ts";
import { countChanges } from "../../shared/services/count-changes.ts";

/** The tables of the embedded world, and what counts their rows as the stream's function does. */

/** A table of rows with its index of those that are due. */
export const dueTable = (name: string): MemoryTable =>
  new MemoryTable({
    name,
    indexes: [{ name: DUE_INDEX, pk: "due_pk", sk: "due_at", include: [] }],
  });

/** Counts a table's changes in order, one batch at a time, as the stream's mapping does. */
export const countInto = (site: MemoryTable, table: MemoryTable, role: "primary" | "secondary"): void => {
  let waiting: RowChange[] = [];
  let running = false;
  const run = async (): Promise<void> => {
    if (running) return;
    running = true;
    while (waiting.length > 0) {
      const changes = waiting;
      waiting = [];
      await countChanges(site, { table: countedTable(role), shard: "memory", changes });
    }
    running = false;
  };
  table.onChange(({ sequenceNumber, before, after }) => {
    waiting.push({
      sequenceNumber: String(sequenceNumber),
      changedAt: systemClock.now(),
      ...(before === undefined ? {} : { before }),
      ...(after === undefined ? {} : { after }),
    });
    setImmediate(() => void run());
  });
};
