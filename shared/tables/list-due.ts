import { DUE_INDEX } from "../geo/physical-names.ts";
import type { Item, QueryRequest } from "../ports/table.ts";

/**
 * The keys of the rows of one partition of the due index, by the time at which they are due, up to some time: for going
 * through what is not settled, whether it is due yet or not.
 * @param partition as `duePartitions` names it
 * @param startAfter where the last page ended
 */
export const listDue = (partition: string, until: number, limit: number, startAfter?: Item): QueryRequest => ({
  index: DUE_INDEX,
  condition: "due_pk = :partition AND due_at <= :until",
  values: { ":partition": partition, ":until": until },
  limit,
  ...(startAfter === undefined ? {} : { startAfter }),
});
