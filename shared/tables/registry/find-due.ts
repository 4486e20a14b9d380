import { DUE_INDEX } from "../../geo/physical-names.ts";
import type { QueryRequest } from "../../ports/table.ts";

/** The rows of one partition of the due index that are due, the longest waiting first. */
export const findDue = (partition: string, now: number, limit: number): QueryRequest => ({
  index: DUE_INDEX,
  condition: "due_pk = :partition AND due_at <= :now",
  values: { ":partition": partition, ":now": now },
  limit,
});
