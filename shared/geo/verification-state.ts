import { GeoError } from "./errors.ts";

/** Verification states with Geo's integers, on the primary's state rows and the secondaries' registry rows alike. */
export const VERIFICATION_STATE = { pending: 0, started: 1, succeeded: 2, failed: 3, disabled: 4 } as const;
export type VerificationState = keyof typeof VERIFICATION_STATE;

/** What may happen to a row's verification. */
export type VerificationChange = "mark_pending" | "start" | "succeed" | "fail" | "disable";

/** Started, failed, disabled and pending can be reached from anywhere; succeeded only from started (F9). */
export const NEXT_VERIFICATION_STATE = {
  pending: { mark_pending: "pending", start: "started", succeed: "refused", fail: "failed", disable: "disabled" },
  started: { mark_pending: "pending", start: "started", succeed: "succeeded", fail: "failed", disable: "disabled" },
  succeeded: { mark_pending: "pending", start: "started", succeed: "refused", fail: "failed", disable: "disabled" },
  failed: { mark_pending: "pending", start: "started", succeed: "refused", fail: "failed", disable: "disabled" },
  disabled: { mark_pending: "pending", start: "started", succeed: "refused", fail: "failed", disable: "disabled" },
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
