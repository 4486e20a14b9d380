import type { ObjectRef } from "../../geo/registry-row.ts";
import { rowKey } from "../../geo/registry-row.ts";
import type { DeleteRequest } from "../../ports/table.ts";

/** Where the due index shows a row. */
export interface IndexPlace {
  readonly partition: string;
  readonly dueAt: number;
}

/**
 * F47. The record of an object whose type has no checksums (any more) goes, as long as it is as the index showed it: whoever
 * works on it has moved it.
 */
export const removeRecord = (ref: ObjectRef, { partition, dueAt }: IndexPlace): DeleteRequest => ({
  key: rowKey(ref),
  condition: "due_pk = :partition AND due_at = :due_at",
  values: { ":partition": partition, ":due_at": dueAt },
});
