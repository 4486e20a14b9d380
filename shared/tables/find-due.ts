import { DUE_INDEX } from "../geo/physical-names.ts";
import type { QueryRequest } from "../ports/table.ts";

/** The rows of one partition of the due index that have been due since some time from `from` on, the longest first. */
export const findDue = (partition: string, from: number, now: number, limit: number): QueryRequest => ({
  index: DUE_INDEX,
  condition: "due_pk = :partition AND due_at BETWEEN :from AND :now",
  values: { ":partition": partition, ":from": from, ":now": now },
  limit,
});
