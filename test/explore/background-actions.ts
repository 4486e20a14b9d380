import type { ReplicaChange } from "../../shared/geo/drift.ts";
import { REPLICATION_STATE } from "../../shared/geo/replication-state.ts";
import { driftStep } from "../../shared/services/notice-drift.ts";
import { verificationStep } from "../../shared/services/verification/verify-replica.ts";
import { rows } from "./canonical.ts";
import { isVerificationDue } from "./due.ts";
import { type Action, change, type Rules, type RunningVerification, spend } from "./rules.ts";
import { REF } from "./site.ts";
import { land } from "./versions.ts";
import {
  type Budget,
  currentOf,
  type Drifter,
  numberIn,
  type State,
  tokenOf,
  verificationTokenOf,
  withName,
} from "./state.ts";
import { NEVER, PAST, TO_COME } from "./time.ts";

/** What goes on beside the workers: verification, drift, the primary's record, time, and S3 itself. */

const withVerifier = (state: State, index: number, verifier: State["verifiers"][number]): State => ({
  ...state,
  verifiers: state.verifiers.map((present, i) => (i === index ? verifier : present)),
});

const verify = async (
  { stage, site, memory }: Rules,
  state: State,
  index: number,
  verification: RunningVerification,
): Promise<State> => {
  stage.step = verification.at;
  const next = await memory.verifications.take(stage, state, verification, (from) => verificationStep(site, from));
  return withVerifier(stage.state, index, next.at === "ended" ? undefined : next);
};

const verifications = (rules: Rules, state: State): readonly Action[] => {
  const actions: Action[] = [];
  const free = state.verifiers.indexOf(undefined);
  if (free >= 0 && isVerificationDue(state)) {
    const [named, token] = withName(state, "t");
    const claim = { at: "claim", ref: REF, token, which: "unverified", stopAt: NEVER } as const;
    actions.push({
      label: `verifier ${free + 1}: claim`,
      optional: false,
      run: () => verify(rules, named, free, claim),
    });
  }
  for (const [index, verification] of state.verifiers.entries()) {
    if (verification === undefined) continue;
    actions.push({
      label: `verifier ${index + 1}: ${verification.at}`,
      optional: false,
      run: () => verify(rules, state, index, verification),
    });
    if (state.budget.crashes > 0) {
      actions.push(
        change(`verifier ${index + 1} dies before: ${verification.at}`, true, () =>
          withVerifier(spend(state, "crashes"), index, undefined),
        ),
      );
    }
  }
  return actions;
};

const drift = async (rules: Rules, state: State, { drift: from, change: event }: Drifter): Promise<State> => {
  const { stage, site, memory, tampering } = rules;
  stage.step = from.at;
  const next = await memory.drifts.take(stage, { ...state, drifter: undefined }, from, (noticing) =>
    driftStep(site, noticing),
  );
  if (next.at !== "ended") return { ...stage.state, drifter: { drift: next, change: event } };
  return next.result === "later" && tampering.driftForgetsLater !== true
    ? { ...stage.state, drifts: [...stage.state.drifts, event] }
    : stage.state;
};

const drifts = (rules: Rules, state: State): readonly Action[] => {
  const { drifter } = state;
  const actions: Action[] = [];
  if (drifter === undefined) {
    for (const [index, event] of state.drifts.entries()) {
      const rest = { ...state, drifts: state.drifts.filter((_, i) => i !== index) };
      const told = `${event.eventName} ${event.versionId ?? ""}`;
      // Taking up an event and reading the row are one action: before it nothing is known and nothing is changed.
      actions.push({
        label: `drift: read_row for ${told}`,
        optional: false,
        run: () => drift(rules, rest, { drift: { at: "read_row", ref: REF, change: event }, change: event }),
      });
      if (state.budget.driftLosses > 0)
        actions.push(change(`S3 loses ${told}`, true, () => spend(rest, "driftLosses")));
    }
    return actions;
  }
  actions.push({
    label: `drift: ${drifter.drift.at}`,
    optional: false,
    run: () => drift(rules, state, drifter),
  });
  if (state.budget.crashes > 0) {
    const events: readonly ReplicaChange[] = [...state.drifts, drifter.change];
    actions.push(
      change(`drift: dies before: ${drifter.drift.at}`, true, () => ({
        ...spend(state, "crashes"),
        drifter: undefined,
        drifts: events,
      })),
    );
  }
  return actions;
};

const record = ({ surroundings }: Rules, state: State): readonly Action[] => {
  const present = currentOf(state.source) !== undefined;
  return surroundings.record === "lagging" && state.recorded !== present
    ? [change("the primary records what it sees", false, () => ({ ...state, recorded: present }))]
    : [];
};

/** Whether the row's holder is still there. */
const holderLives = (state: State): boolean =>
  state.workers.some(({ attempt }) => attempt !== undefined && tokenOf(attempt) === state.row?.["attempt_token"]);

const verifierLives = (state: State): boolean =>
  state.verifiers.some(
    (verifier) => verifier !== undefined && verificationTokenOf(verifier) === state.row?.["v_token"],
  );

/** Whether anybody but the row's holder may still write to S3: a worker that was taken over, or a request on its way. */
const othersMayWrite = (state: State): boolean =>
  state.late.length > 0 ||
  state.workers.some(
    ({ attempt }) => attempt !== undefined && "held" in attempt && attempt.held.token !== state.row?.["attempt_token"],
  );

const time = (rules: Rules, state: State): readonly Action[] => {
  const { row } = state;
  if (row === undefined) return [];
  const actions: Action[] = [];
  const pass = (label: string, columns: readonly string[], cost?: keyof Budget): void => {
    const passed = Object.fromEntries(columns.map((column) => [column, PAST]));
    actions.push(
      change(label, cost !== undefined, () => ({
        ...(cost === undefined ? state : spend(state, cost)),
        row: rows.same({ ...row, ...passed }),
      })),
    );
  };
  const toCome = (column: string): boolean => numberIn(state, column) === TO_COME;
  if (row["attempt_token"] !== undefined && toCome("lease_until")) {
    if (!holderLives(state)) pass("the lease of a dead worker ends", ["lease_until", "due_at"]);
    else if (state.budget.zombies > 0) pass("the lease of a live worker ends", ["lease_until", "due_at"], "zombies");
  }
  if (toCome("retry_at")) pass("the retry time comes", ["retry_at", "due_at"]);
  if (row["v_token"] !== undefined && toCome("v_lease")) {
    if (!verifierLives(state)) pass("the lease of a dead verifier ends", ["v_lease", "due_at"]);
    else if (state.budget.zombies > 0) pass("the lease of a live verifier ends", ["v_lease", "due_at"], "zombies");
  }
  if (toCome("verification_retry_at") && row["state"] === REPLICATION_STATE.synced && row["v_token"] === undefined) {
    pass("the verification's retry time comes", ["verification_retry_at", "due_at"]);
  }
  if (toCome("taint_until") && (rules.hastyQuarantine || !othersMayWrite(state))) {
    pass("the quarantine ends", ["taint_until", "due_at"]);
  }
  return actions;
};

const landings = ({ surroundings, tampering }: Rules, state: State): readonly Action[] =>
  state.late.flatMap((request, index): readonly Action[] => {
    const rest = { ...state, late: state.late.filter((_, i) => i !== index) };
    const landing = { conditional: tampering.conditionalWrites ?? true, reported: surroundings.drift };
    return [
      change(`the late ${request.kind} lands`, false, () => land(rest, request, landing)),
      change(`the late ${request.kind} never lands`, false, () => rest),
    ];
  });

/** The sweep of uploads comes after days: it is for those alone that nobody has heard of. */
const sweptUploads = (state: State): readonly Action[] =>
  state.uploads
    .filter(({ unheard }) => unheard)
    .map(({ u }) =>
      change("the sweep aborts an upload that nobody has heard of", false, () => ({
        ...state,
        uploads: state.uploads.filter((upload) => upload.u !== u),
      })),
    );

export const backgroundWork = (rules: Rules, state: State): readonly Action[] => [
  ...verifications(rules, state),
  ...drifts(rules, state),
  ...record(rules, state),
  ...time(rules, state),
  ...landings(rules, state),
  ...sweptUploads(state),
];
