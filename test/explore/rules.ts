import type { SecondarySite } from "../../shared/ports/site.ts";
import type { Attempt } from "../../shared/services/blob-sync/attempt.ts";
import type { Drift } from "../../shared/services/notice-drift.ts";
import type { Verification } from "../../shared/services/verification/verify-replica.ts";
import type { StepMemory } from "./step-memory.ts";
import type { Stage, Surroundings, Tampering } from "./site.ts";
import type { Budget, Message, State } from "./state.ts";

/** Something that can happen in a state, and the state that follows. */
export interface Action {
  readonly label: string;
  /** Faults and changes from outside need not happen; everything else does, sooner or later. */
  readonly optional: boolean;
  readonly run: () => Promise<State>;
}

/** Where somebody stands who has not ended. */
export type RunningAttempt = Exclude<Attempt, { at: "ended" }>;
export type RunningVerification = Exclude<Verification, { at: "ended" }>;
export type RunningDrift = Exclude<Drift, { at: "ended" }>;

/** What came of the steps that were taken. */
export interface Memory {
  readonly attempts: StepMemory<RunningAttempt, Attempt>;
  readonly verifications: StepMemory<RunningVerification, Verification>;
  readonly drifts: StepMemory<RunningDrift, Drift>;
}

/** What an exploration goes by. */
export interface Rules {
  readonly stage: Stage;
  readonly site: SecondarySite;
  readonly memory: Memory;
  readonly surroundings: Surroundings;
  readonly tampering: Tampering;
  /** The quarantine does not wait for those who may still write: only for a negative test. */
  readonly hastyQuarantine: boolean;
}

/** More messages than this that say the same say no more. */
const HINTS_MAX = 3;

export const withHint = (state: State): State => ({ ...state, hints: Math.min(HINTS_MAX, state.hints + 1) });

/** A message that is delivered again, since whoever had it is gone. */
export const returned = (state: State, message: Message | undefined): State => {
  if (message === undefined) return state;
  return message === "hint" ? withHint(state) : { ...state, resyncs: state.resyncs + 1 };
};

/** Uses up one of what may still go wrong. */
export const spend = (state: State, what: keyof Budget): State => ({
  ...state,
  budget: { ...state.budget, [what]: state.budget[what] - 1 },
});

/** Something that changes the state and asks nobody. */
export const change = (label: string, optional: boolean, reached: () => State): Action => ({
  label,
  optional,
  run: () => Promise.resolve(reached()),
});
