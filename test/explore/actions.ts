import type { ObjectRef } from "../../shared/geo/registry-row.ts";
import { REPLICATION_STATE } from "../../shared/geo/replication-state.ts";
import type { SecondarySite } from "../../shared/ports/site.ts";
import type { Attempt } from "../../shared/services/blob-sync/attempt.ts";
import { firstStep, step } from "../../shared/services/blob-sync/blob-sync.ts";
import { verificationStep } from "../../shared/services/verification/verify-replica.ts";
import { land, type Stage, type WriteFate } from "./site.ts";
import { type Budget, type Content, currentOf, type LateRequest, type State, type WorkerSlot } from "./state.ts";
import { NEVER, PAST, TO_COME } from "./time.ts";

export const REF: ObjectRef = { replicableName: "cool_widget", key: "cool_widgets/1/file" };

/** Something that can happen in a state, and the state that follows. */
export interface Action {
  readonly label: string;
  /** Faults and changes of the source need not happen; everything else does, sooner or later. */
  readonly optional: boolean;
  readonly run: () => Promise<State>;
}

export interface Rules {
  readonly stage: Stage;
  readonly site: SecondarySite;
  readonly conditionalWrites: boolean;
  /** The quarantine does not wait for those who may still write: only for a negative test. */
  readonly hastyQuarantine: boolean;
}

const HINTS_MAX = 3;

const spend = (state: State, what: keyof Budget): State => ({
  ...state,
  budget: { ...state.budget, [what]: state.budget[what] - 1 },
});

const withWorker = (state: State, index: number, slot: WorkerSlot): State => ({
  ...state,
  workers: state.workers.map((worker, i) => (i === index ? slot : worker)),
});

const IDLE: WorkerSlot = { attempt: undefined, message: false };

const at = (state: State, column: string): number | undefined => {
  const value = state.row?.[column];
  return typeof value === "number" ? value : undefined;
};

const setTimes = (state: State, columns: readonly string[]): State =>
  state.row === undefined
    ? state
    : { ...state, row: { ...state.row, ...Object.fromEntries(columns.map((column) => [column, PAST])) } };

/** Whether a sweep that finds this row has anything to do now. Starting one that has not would only repeat states. */
export const isDue = (state: State): boolean => {
  const { row } = state;
  if (row?.["due_at"] === undefined) return false;
  if (row["attempt_token"] !== undefined) return at(state, "lease_until") === PAST;
  const settled = at(state, "gen") === at(state, "done_gen");
  if (!settled)
    return (
      row["state"] !== REPLICATION_STATE.failed ||
      at(state, "retry_at") !== TO_COME ||
      at(state, "gen") !== at(state, "claimed_gen")
    );
  if (at(state, "taint_until") === PAST) return true;
  if (row["state"] === REPLICATION_STATE.failed) return at(state, "retry_at") !== TO_COME;
  if (row["state"] === REPLICATION_STATE.absent) return row["taint_until"] === undefined;
  return row["state"] !== REPLICATION_STATE.synced;
};

const verificationDue = (state: State): boolean =>
  state.row?.["due_at"] !== undefined &&
  state.row["state"] === REPLICATION_STATE.synced &&
  state.row["attempt_token"] === undefined &&
  at(state, "gen") === at(state, "done_gen") &&
  state.row["verification_state"] !== 2 &&
  (state.row["v_token"] === undefined || at(state, "v_lease") === PAST);

/** Whether the row's holder is still there. */
const holderLives = (state: State): boolean =>
  state.workers.some(({ attempt }) => attempt !== undefined && tokenOf(attempt) === state.row?.["attempt_token"]);

export const tokenOf = (attempt: Attempt): string | undefined => {
  if ("held" in attempt) return attempt.held.token;
  return "asked" in attempt ? attempt.asked.token : undefined;
};

/** Whether anybody but the row's holder may still write to S3: a worker that was taken over, or a request on its way. */
const othersMayWrite = (state: State): boolean =>
  state.late.length > 0 ||
  state.workers.some(
    ({ attempt }) => attempt !== undefined && "held" in attempt && attempt.held.token !== state.row?.["attempt_token"],
  );

const changes = (state: State): readonly Action[] => {
  if (state.budget.changes === 0) return [];
  const changed = (source: State["source"], named: number): State => ({
    ...spend(state, "changes"),
    source,
    names: state.names + named,
    hints: Math.min(HINTS_MAX, state.hints + 1),
  });
  const put = (content: Content): Action => ({
    label: `put ${content}`,
    optional: true,
    run: () => Promise.resolve(changed([...state.source, { kind: "object", v: `s${state.names}`, content }], 1)),
  });
  const top = state.source.at(-1);
  return [
    put("A"),
    put("B"),
    ...(currentOf(state.source) === undefined
      ? []
      : [
          {
            label: "delete",
            optional: true,
            run: () =>
              Promise.resolve(changed([...state.source, { kind: "marker" as const, v: `s${state.names}` }], 1)),
          },
        ]),
    ...(top === undefined
      ? []
      : [
          {
            label: top.kind === "marker" ? "remove the delete marker" : "purge the current version",
            optional: true,
            run: () => Promise.resolve(changed(state.source.slice(0, -1), 0)),
          },
        ]),
  ];
};

const messages = (state: State): readonly Action[] => {
  const actions: Action[] = [];
  if (state.hints > 0 && state.budget.losses > 0) {
    actions.push({
      label: "lose a message",
      optional: true,
      run: () => Promise.resolve({ ...spend(state, "losses"), hints: state.hints - 1, unreconciled: true }),
    });
  }
  if (state.hints > 0 && state.hints < HINTS_MAX && state.budget.duplicates > 0) {
    actions.push({
      label: "duplicate a message",
      optional: true,
      run: () => Promise.resolve({ ...spend(state, "duplicates"), hints: state.hints + 1 }),
    });
  }
  if (state.unreconciled) {
    actions.push({
      label: "reconcile",
      optional: false,
      run: () => Promise.resolve({ ...state, hints: Math.min(HINTS_MAX, state.hints + 1), unreconciled: false }),
    });
  }
  return actions;
};

const starts = (rules: Rules, state: State): readonly Action[] => {
  const index = state.workers.findIndex(({ attempt }) => attempt === undefined);
  if (index < 0) return [];
  const begin = (cause: "hint" | "due"): Promise<State> => {
    rules.stage.state = state;
    const attempt = firstStep({ ref: REF, cause, stopAt: NEVER, epoch: 0 }, rules.site.chance.token());
    const started = withWorker(rules.stage.state, index, { attempt, message: cause === "hint" });
    return Promise.resolve(cause === "hint" ? { ...started, hints: started.hints - 1 } : started);
  };
  return [
    ...(state.hints > 0 ? [{ label: "receive a message", optional: false, run: () => begin("hint") }] : []),
    ...(isDue(state) ? [{ label: "sweep a due row", optional: false, run: () => begin("due") }] : []),
  ];
};

const FATES: readonly (readonly [WriteFate, keyof Budget | undefined])[] = [
  ["answered", undefined],
  ["unanswered_carried_out", "unanswered"],
  ["unanswered_late", "unanswered"],
  ["unanswered_never", "unanswered"],
  ["corrupted", "corruptions"],
];

/** The request that a worker which dies in its S3 write leaves behind. */
const pendingWrite = (state: State, attempt: Attempt): LateRequest | undefined => {
  if (attempt.at === "copy") {
    const source = state.source.find(({ v }) => v === attempt.source.versionId);
    if (source?.kind !== "object") return undefined;
    const { expectation } = attempt;
    return {
      kind: "copy",
      content: source.content,
      onto: expectation.expect === "nothing" ? undefined : (expectation.etag.slice(1, -1) as Content),
    };
  }
  return attempt.at === "remove" ? { kind: "remove", onto: attempt.etag.slice(1, -1) as Content } : undefined;
};

const work = (rules: Rules, state: State, index: number): readonly Action[] => {
  const slot = state.workers[index];
  if (slot?.attempt === undefined) return [];
  const attempt = slot.attempt;
  if (attempt.at === "ended") return [];
  const name = `worker ${index + 1}`;
  const writes = attempt.at === "copy" || attempt.at === "remove";
  const moves = FATES.filter(
    ([fate, cost]) =>
      fate === "answered" ||
      (writes && cost !== undefined && state.budget[cost] > 0 && !(fate === "corrupted" && attempt.at === "remove")),
  ).map(([fate, cost]): Action => ({
    label: `${name}: ${attempt.at}${fate === "answered" ? "" : ` (${fate.replaceAll("_", " ")})`}`,
    optional: fate !== "answered",
    run: async () => {
      rules.stage.state = cost === undefined ? state : spend(state, cost);
      rules.stage.fate = fate;
      const next = await step(rules.site, attempt);
      return withWorker(rules.stage.state, index, next.at === "ended" ? IDLE : { ...slot, attempt: next });
    },
  }));
  if (state.budget.crashes === 0) return moves;
  const died = (): State => {
    const gone = withWorker(spend(state, "crashes"), index, IDLE);
    return slot.message ? { ...gone, hints: Math.min(HINTS_MAX, gone.hints + 1) } : gone;
  };
  const left = pendingWrite(state, attempt);
  return [
    ...moves,
    { label: `${name} dies before: ${attempt.at}`, optional: true, run: () => Promise.resolve(died()) },
    ...(left === undefined
      ? []
      : [
          {
            label: `${name} dies during: ${attempt.at}, its request on the way`,
            optional: true,
            run: () => Promise.resolve({ ...died(), late: [...state.late, left] }),
          },
        ]),
  ];
};

const verifications = (rules: Rules, state: State): readonly Action[] => {
  const { verifier } = state;
  if (verifier === undefined) {
    if (!verificationDue(state)) return [];
    return [
      {
        label: "verifier starts",
        optional: false,
        run: () =>
          Promise.resolve({
            ...state,
            names: state.names + 1,
            verifier: { at: "claim", ref: REF, token: `t${state.names}`, which: "unverified", stopAt: NEVER },
          }),
      },
    ];
  }
  if (verifier.at === "ended") return [];
  return [
    {
      label: `verifier: ${verifier.at}`,
      optional: false,
      run: async () => {
        rules.stage.state = state;
        const next = await verificationStep(rules.site, verifier);
        return { ...rules.stage.state, verifier: next.at === "ended" ? undefined : next };
      },
    },
    ...(state.budget.crashes === 0
      ? []
      : [
          {
            label: `verifier dies before: ${verifier.at}`,
            optional: true,
            run: () => Promise.resolve({ ...spend(state, "crashes"), verifier: undefined }),
          },
        ]),
  ];
};

const time = (rules: Rules, state: State): readonly Action[] => {
  const actions: Action[] = [];
  const pass = (label: string, columns: readonly string[], optional = false, cost?: keyof Budget) =>
    actions.push({
      label,
      optional,
      run: () => Promise.resolve(setTimes(cost === undefined ? state : spend(state, cost), columns)),
    });
  if (state.row === undefined) return actions;
  if (state.row["attempt_token"] !== undefined && at(state, "lease_until") === TO_COME) {
    if (!holderLives(state)) pass("the lease of a dead worker ends", ["lease_until", "due_at"]);
    else if (state.budget.zombies > 0)
      pass("the lease of a live worker ends", ["lease_until", "due_at"], true, "zombies");
  }
  if (at(state, "retry_at") === TO_COME) pass("the retry time comes", ["retry_at", "due_at"]);
  if (at(state, "v_lease") === TO_COME && state.verifier === undefined)
    pass("the verification's lease ends", ["v_lease", "due_at"]);
  if (at(state, "taint_until") === TO_COME && (rules.hastyQuarantine || !othersMayWrite(state))) {
    pass("the quarantine ends", ["taint_until", "due_at"]);
  }
  return actions;
};

const landings = (rules: Rules, state: State): readonly Action[] =>
  state.late.flatMap((request, index): readonly Action[] => {
    const rest = { ...state, late: state.late.filter((_, i) => i !== index) };
    return [
      {
        label: `the late ${request.kind} lands`,
        optional: false,
        run: () => Promise.resolve(land(rest, request, rules.conditionalWrites)),
      },
      { label: `the late ${request.kind} never lands`, optional: false, run: () => Promise.resolve(rest) },
    ];
  });

/** All that can happen in a state. */
export const actionsIn = (rules: Rules, state: State): readonly Action[] => [
  ...changes(state),
  ...messages(state),
  ...starts(rules, state),
  ...state.workers.flatMap((_, index) => work(rules, state, index)),
  ...verifications(rules, state),
  ...time(rules, state),
  ...landings(rules, state),
];
