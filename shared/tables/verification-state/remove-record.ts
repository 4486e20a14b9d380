import type { ObjectRef } from "../../geo/registry-row.ts";
import { rowKey } from "../../geo/registry-row.ts";
import type { DeleteRequest } from "../../ports/table.ts";

/** How a row was seen: where the due index shows it, or that it stands in none and was written so often. */
export type SeenRecord = { readonly partition: string; readonly dueAt: number } | { readonly rev: number };

/**
 * F47. The record of an object whose type has no checksums (any more) goes, as long as it is as it was seen: whoever works
 * on it has moved it.
 */
export const removeRecord = (ref: ObjectRef, seen: SeenRecord): DeleteRequest =>
  "rev" in seen
    ? {
        key: rowKey(ref),
        condition: "rev = :rev AND attribute_not_exists(due_pk)",
        values: { ":rev": seen.rev },
      }
    : {
        key: rowKey(ref),
        condition: "due_pk = :partition AND due_at = :due_at",
        values: { ":partition": seen.partition, ":due_at": seen.dueAt },
      };
