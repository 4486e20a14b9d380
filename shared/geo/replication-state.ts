import { GeoError } from "./errors.ts";

/** Registry states with Geo's integers; `absent` is ours: a short-lived tombstone that is counted nowhere. */
export const REPLICATION_STATE = { pending: 0, started: 1, synced: 2, failed: 3, absent: 5 } as const;
export type ReplicationState = keyof typeof REPLICATION_STATE;

/**
 * What may happen to a registry row: one name for each conditional write of `shared/tables/registry`.
 *
 * | change | step |
 * | --- | --- |
 * | `start`, `start_due` | T1 by a hint, T1d for a due row |
 * | `take_over`, `time_out` | T1c and F20: the holder's lease is over |
 * | `sync`, `settle_absent` | T5 |
 * | `release` | T5b without time, or out of time: Geo's `pending` |
 * | `fail` | T6, and a read-back in the same pass that differs |
 * | `mismatch` | T7: a replica that was read later differs |
 * | `excuse` | T7: it differs, and that may pass: both sides are looked at again (F32) |
 * | `note` | T5c: whoever wrote without holding the row says so |
 * | `drift` | T9 |
 * | `keep` | T1p: a hint that a paused site keeps for later |
 * | `purge` | a tombstone is deleted |
 */
export type ReplicationChange =
  | "start"
  | "start_due"
  | "take_over"
  | "time_out"
  | "sync"
  | "settle_absent"
  | "release"
  | "fail"
  | "mismatch"
  | "excuse"
  | "note"
  | "drift"
  | "keep"
  | "purge";

/** What only the holder of a row may do, and nobody holds one that is not started (F10). */
const NOT_HELD = {
  take_over: "refused",
  time_out: "refused",
  sync: "refused",
  settle_absent: "refused",
  release: "refused",
  fail: "refused",
} as const;

/**
 * What each change makes of each state: a missing cell does not compile. `none` is a key without a row. The refusals are
 * those of the writes' own conditions (`test/unit/rules/transitions.test.ts` runs every one of them), and the simulator
 * holds every change of every row against this table.
 */
export const NEXT_REPLICATION_STATE = {
  none: {
    ...NOT_HELD,
    start: "started",
    start_due: "refused",
    mismatch: "refused",
    excuse: "refused",
    note: "pending",
    drift: "pending",
    keep: "pending",
    purge: "refused",
  },
  pending: {
    ...NOT_HELD,
    start: "started",
    start_due: "started",
    mismatch: "refused",
    excuse: "refused",
    note: "pending",
    drift: "pending",
    keep: "pending",
    purge: "refused",
  },
  started: {
    // Geo refuses a second start (F8): the first worker holds the lease. Only one that is over is taken.
    start: "refused",
    start_due: "refused",
    take_over: "started",
    time_out: "failed",
    sync: "synced",
    settle_absent: "absent",
    release: "pending",
    fail: "failed",
    mismatch: "refused",
    excuse: "refused",
    note: "started",
    drift: "refused",
    keep: "refused",
    purge: "refused",
  },
  synced: {
    ...NOT_HELD,
    start: "started",
    start_due: "started",
    // A failed verification drives the sync state to failed, so that the copy is made again (F25).
    mismatch: "failed",
    excuse: "pending",
    note: "synced",
    drift: "synced",
    keep: "pending",
    purge: "refused",
  },
  failed: {
    ...NOT_HELD,
    start: "started",
    start_due: "started",
    mismatch: "refused",
    excuse: "refused",
    note: "failed",
    drift: "failed",
    keep: "pending",
    purge: "refused",
  },
  absent: {
    ...NOT_HELD,
    start: "started",
    start_due: "started",
    mismatch: "refused",
    excuse: "refused",
    note: "absent",
    drift: "absent",
    keep: "pending",
    purge: "none",
  },
} as const satisfies Record<
  ReplicationState | "none",
  Record<ReplicationChange, ReplicationState | "none" | "refused">
>;

const NAME_OF = new Map<number, ReplicationState>(
  (Object.keys(REPLICATION_STATE) as ReplicationState[]).map((name) => [REPLICATION_STATE[name], name]),
);

/** The state that a stored integer stands for. Throws on an integer that stands for none. */
export const replicationStateOf = (stored: number): ReplicationState => {
  const state = NAME_OF.get(stored);
  if (state !== undefined) return state;
  throw new GeoError(
    "GEO_UNKNOWN_STATE",
    `a registry row holds state ${stored}; expected one of ${[...NAME_OF.keys()].join(", ")}`,
  );
};
