import { type ObjectRef, type RegistryRow, duePartition, rowKey } from "../../geo/registry-row.ts";
import type { UpdateRequest } from "../../ports/table.ts";
import { writeColumns } from "../write-columns.ts";
import { dueColumns } from "./settle.ts";

/**
 * T8, clean. The quarantine is over and the replica is what the row says: nothing of an old attempt is left. `rev` in the
 * condition ties the answer to the row as it was when the replica was looked at.
 */
export const clearTaint = (ref: ObjectRef, row: RegistryRow, dueAt: number | undefined): UpdateRequest =>
  writeColumns({
    key: rowKey(ref),
    columns: { taint_until: undefined, ...dueColumns(ref, dueAt) },
    condition: "taint_until = :taint_until AND gen = :gen AND attribute_not_exists(attempt_token) AND rev = :seen_rev",
    values: { ":taint_until": row.taint_until ?? 0, ":gen": row.gen, ":seen_rev": row.rev },
  });

/**
 * T8, not clean. The replica is not what the row says: an old write landed after a correct commit (R11, R13). Counts it as
 * a change, so that the key is made right again. The quarantine ends here: whatever could land has landed.
 */
export const countSuspicion = (ref: ObjectRef, row: RegistryRow, now: number): UpdateRequest => ({
  key: rowKey(ref),
  update: "SET gen = gen + :one, due_pk = :due_pk, due_at = :now, rev = rev + :one REMOVE taint_until",
  condition: "gen = :gen AND attribute_not_exists(attempt_token) AND rev = :seen_rev",
  values: { ":one": 1, ":gen": row.gen, ":seen_rev": row.rev, ":due_pk": duePartition(ref), ":now": now },
});
