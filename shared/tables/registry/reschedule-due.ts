import { type ObjectRef, type RegistryRow, rowKey } from "../../geo/registry-row.ts";
import type { UpdateRequest } from "../../ports/table.ts";
import { writeColumns } from "../write-columns.ts";
import { dueColumns } from "./settle.ts";

/** Takes a row out of the due index, or moves it, when a look found that nothing is due now. Refused if it has changed since. */
export const rescheduleDue = (ref: ObjectRef, row: RegistryRow, dueAt: number | undefined): UpdateRequest =>
  writeColumns({
    key: rowKey(ref),
    columns: dueColumns(ref, dueAt),
    condition: "rev = :seen_rev AND attribute_not_exists(attempt_token)",
    values: { ":seen_rev": row.rev },
  });
