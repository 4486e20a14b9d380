import { GeoError } from "./errors.ts";

/** Registry states with Geo's integers; `absent` is ours: a short-lived tombstone that is counted nowhere. */
export const REPLICATION_STATE = { pending: 0, started: 1, synced: 2, failed: 3, absent: 5 } as const;
export type ReplicationState = keyof typeof REPLICATION_STATE;

/** What may happen to a registry row. `commit_absent` settles a key that the primary does not hold. */
export type ReplicationChange = "mark_pending" | "start" | "take_over" | "sync" | "settle_absent" | "fail" | "purge";

/** A complete table: a missing cell does not compile. `none` is a key without a row. */
export const NEXT_REPLICATION_STATE = {
  none: {
    mark_pending: "pending",
    start: "started",
    take_over: "refused",
    sync: "refused",
    settle_absent: "refused",
    fail: "refused",
    purge: "refused",
  },
  pending: {
    mark_pending: "pending",
    start: "started",
    take_over: "refused",
    sync: "refused",
    settle_absent: "refused",
    fail: "failed",
    purge: "refused",
  },
  started: {
    mark_pending: "pending",
    // Geo refuses a second start (F8): the first worker holds the lease. Only an expired lease is taken over.
    start: "refused",
    take_over: "started",
    sync: "synced",
    settle_absent: "absent",
    fail: "failed",
    purge: "refused",
  },
  synced: {
    mark_pending: "pending",
    start: "started",
    take_over: "refused",
    // Only an attempt settles a row, and an attempt is in `started` (F10).
    sync: "refused",
    settle_absent: "refused",
    // A failed verification drives the sync state to failed, so that the copy is made again (F25).
    fail: "failed",
    purge: "refused",
  },
  failed: {
    mark_pending: "pending",
    start: "started",
    take_over: "refused",
    sync: "refused",
    settle_absent: "refused",
    fail: "failed",
    purge: "refused",
  },
  absent: {
    mark_pending: "pending",
    start: "started",
    take_over: "refused",
    sync: "refused",
    settle_absent: "refused",
    fail: "failed",
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
