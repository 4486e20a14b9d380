import { GeoError } from "./errors.ts";

/** Verification states with Geo's integers, on the primary's state rows and the secondaries' registry rows alike. */
export const VERIFICATION_STATE = { pending: 0, started: 1, succeeded: 2, failed: 3, disabled: 4 } as const;
export type VerificationState = keyof typeof VERIFICATION_STATE;

/**
 * What may happen to a registry row's verification: one name for each write of `shared/tables/registry` that says something
 * of it.
 * - `start`, `take_over`, `time_out`: T7's claim; of a holder whose time is over, by the primary's event (F28) or as a
 *   failure that is told of (F21)
 * - `succeed`, `fail`, `disable`: how a claimed verification ends; `put_back`: when it ends without a verdict, because the
 *   time was up in the middle of a large replica, or both sides have to be looked at again (F32)
 * - `keep`: the primary has announced a digest, and the site is paused: it is read later
 * - `settle_…`: what the attempt that wrote or found the replica says of its bytes in the same write (T5, T6): it has read
 *   them itself, will have them read, or waits for the primary's digest
 */
export type VerificationChange =
  | "start"
  | "take_over"
  | "time_out"
  | "succeed"
  | "fail"
  | "disable"
  | "put_back"
  | "keep"
  | "settle_verified"
  | "settle_pending"
  | "settle_disabled"
  | "settle_mismatched";

/** A new statement about a new pair of versions: whatever was known of the old ones does not matter. */
const SETTLED = {
  settle_verified: "succeeded",
  settle_pending: "pending",
  settle_disabled: "disabled",
  settle_mismatched: "failed",
} as const;

/** Nobody verifies the row, so nobody can end a verification of it. */
const NOT_STARTED = {
  start: "started",
  take_over: "refused",
  time_out: "refused",
  succeed: "refused",
  fail: "refused",
  disable: "refused",
  put_back: "refused",
  keep: "refused",
} as const;

/**
 * What each change makes of each state (F9): succeeded is reached from started alone, or by the attempt that read the
 * replica back in its own pass. Held against the writes as `NEXT_REPLICATION_STATE` is.
 */
export const NEXT_VERIFICATION_STATE = {
  pending: { ...NOT_STARTED, ...SETTLED },
  started: {
    ...SETTLED,
    start: "refused",
    take_over: "started",
    time_out: "failed",
    succeed: "succeeded",
    fail: "failed",
    disable: "disabled",
    put_back: "pending",
    keep: "refused",
  },
  succeeded: { ...NOT_STARTED, ...SETTLED, keep: "pending" },
  failed: { ...NOT_STARTED, ...SETTLED },
  disabled: { ...NOT_STARTED, ...SETTLED, keep: "pending" },
} as const satisfies Record<VerificationState, Record<VerificationChange, VerificationState | "refused">>;

const NAME_OF = new Map<number, VerificationState>(
  (Object.keys(VERIFICATION_STATE) as VerificationState[]).map((name) => [VERIFICATION_STATE[name], name]),
);

/** The state that a stored integer stands for. Throws on an integer that stands for none. */
export const verificationStateOf = (stored: number): VerificationState => {
  const state = NAME_OF.get(stored);
  if (state !== undefined) return state;
  throw new GeoError(
    "GEO_UNKNOWN_STATE",
    `a row holds verification_state ${stored}; expected one of ${[...NAME_OF.keys()].join(", ")}`,
  );
};
