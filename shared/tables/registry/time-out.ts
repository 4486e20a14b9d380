import { type ObjectRef, rowKey } from "../../geo/registry-row.ts";
import { REPLICATION_STATE } from "../../geo/replication-state.ts";
import type { UpdateRequest } from "../../ports/table.ts";
import { writeColumns } from "../write-columns.ts";
import type { Failure } from "./fail.ts";
import { LET_GO, dueColumns } from "./settle.ts";

/**
 * F20. Fails a row whose holder's lease is over, and taints it: the holder may be frozen, or have a request on its way that
 * S3 has yet to carry out (R10-R12). Verification's columns stay as they are, as with Geo's bulk update.
 *
 * Refused when the holder has changed, or has renewed its lease.
 */
export const timeOut = ({
  ref,
  oldToken,
  now,
  taintUntil,
  failure,
}: {
  readonly ref: ObjectRef;
  readonly oldToken: string;
  readonly now: number;
  readonly taintUntil: number;
  readonly failure: Pick<Failure, "text" | "retryAt" | "retryCount">;
}): UpdateRequest =>
  writeColumns({
    key: rowKey(ref),
    columns: {
      ...LET_GO,
      ...dueColumns(ref, failure.retryAt),
      taint_until: taintUntil,
      state: REPLICATION_STATE.failed,
      retry_at: failure.retryAt,
      retry_count: failure.retryCount,
      last_sync_failure: failure.text,
      blocked_reason: undefined,
    },
    condition: "attempt_token = :old_token AND lease_until < :now",
    values: { ":old_token": oldToken, ":now": now },
  });
