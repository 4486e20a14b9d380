import { type ObjectRef, rowKey } from "../../geo/registry-row.ts";
import { REPLICATION_STATE } from "../../geo/replication-state.ts";
import type { DeleteRequest } from "../../ports/table.ts";

/**
 * Deletes the row of a key that neither side holds. Only an untouched, unheld and untainted row: a tainted one is the
 * memory that an old write may still land, and forgetting it would leave that write's object behind for ever.
 */
export const purge = (ref: ObjectRef, gen: number): DeleteRequest => ({
  key: rowKey(ref),
  condition:
    "#state = :absent AND gen = :gen AND attribute_not_exists(attempt_token) AND attribute_not_exists(taint_until)",
  names: { "#state": "state" },
  values: { ":absent": REPLICATION_STATE.absent, ":gen": gen },
});
