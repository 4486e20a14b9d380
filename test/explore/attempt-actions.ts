import type { Attempt, AttemptAt } from "../../shared/services/blob-sync/attempt.ts";
import { firstStep, step } from "../../shared/services/blob-sync/blob-sync.ts";
import { attempts as attemptParts } from "./canonical.ts";
import { isDue } from "./due.ts";
import { KNOWS_NOTHING, learn } from "./knowledge.ts";
import { type Action, change, returned, type Rules, type RunningAttempt, spend } from "./rules.ts";
import { REF, type WriteFate } from "./site.ts";
import { type Budget, type Content, IDLE, type LateRequest, type State, type WorkerSlot } from "./state.ts";
import { NEVER } from "./time.ts";

/** What workers do: each step of the production's own, and dying between any two of them. */

const withWorker = (state: State, index: number, slot: WorkerSlot): State => ({
  ...state,
  workers: state.workers.map((worker, i) => (i === index ? slot : worker)),
});

/** What was seen before the claim is used once: whoever looks again sees what is there. */
const withoutFirstLook = ({ seenFirst: _used, ...slot }: WorkerSlot): WorkerSlot => slot;

/** Takes one step of an attempt and notes what the world saw of it. */
const takeStep = async (
  { stage, site, memory }: Rules,
  state: State,
  index: number,
  slot: WorkerSlot,
  attempt: RunningAttempt,
  fate: WriteFate,
): Promise<State> => {
  stage.fate = fate;
  stage.step = attempt.at;
  stage.seenFirst = slot.seenFirst;
  const next = await memory.attempts.take(stage, state, attempt, (from) => step(site, from));
  stage.seenFirst = undefined;
  const learnt = learn(state, attempt, slot.knowledge, stage.notes, next);
  const after = next.at === "ended" ? IDLE : { ...slot, attempt: next, knowledge: learnt.knowledge };
  const slotAfter = attempt.at === "observe_source" ? withoutFirstLook(after) : after;
  return { ...withWorker(stage.state, index, slotAfter), resync: learnt.resync, broken: learnt.broken };
};

const starts = (rules: Rules, state: State): readonly Action[] => {
  // A site that is no secondary keeps its messages.
  if (state.standing.role !== "secondary") return [];
  const index = state.workers.findIndex(({ attempt }) => attempt === undefined);
  if (index < 0) return [];
  const looksFirst = rules.tampering.looksFirst === true;
  const begin = (from: State, cause: "hint" | "resync" | "due"): readonly [State, WorkerSlot, RunningAttempt] => {
    rules.stage.state = from;
    const epoch = from.standing.epoch;
    const first = firstStep({ ref: REF, cause, stopAt: NEVER, epoch }, rules.site.chance.token());
    const attempt = attemptParts.same(first) as RunningAttempt;
    const slot: WorkerSlot = {
      attempt,
      message: cause === "due" ? undefined : cause,
      knowledge: KNOWS_NOTHING,
      ...(looksFirst ? { seenFirst: from.source } : {}),
    };
    return [rules.stage.state, slot, attempt];
  };
  // Taking up a message and the first write are one action: until then a worker knows nothing and has changed nothing, so
  // that it might as well take the message up later.
  const receive = (label: string, from: State, cause: "hint" | "resync"): Action => ({
    label,
    optional: false,
    run: () => {
      const [begun, slot, attempt] = begin(from, cause);
      // Whoever looks first knows something before it claims.
      if (looksFirst) return Promise.resolve(withWorker(begun, index, slot));
      return takeStep(rules, begun, index, slot, attempt, "answered");
    },
  });
  const actions: Action[] = [];
  if (state.hints > 0) actions.push(receive("receive a message", { ...state, hints: state.hints - 1 }, "hint"));
  if (state.resyncs > 0) {
    actions.push(receive("receive the resync", { ...state, resyncs: state.resyncs - 1 }, "resync"));
  }
  if (isDue(state)) {
    actions.push(
      change("sweep a due row", false, () => {
        const [begun, slot] = begin(state, "due");
        return withWorker(begun, index, slot);
      }),
    );
  }
  return actions;
};

const FATES: readonly (readonly [WriteFate, keyof Budget | undefined])[] = [
  ["answered", undefined],
  ["unanswered_carried_out", "unanswered"],
  ["unanswered_late", "unanswered"],
  ["unanswered_never", "unanswered"],
  ["corrupted", "corruptions"],
];

const ANSWERED: ReadonlySet<WriteFate> = new Set(["answered"]);

/** What may become of a step's write to S3. */
const FATES_OF: Readonly<Partial<Record<Attempt["at"], ReadonlySet<WriteFate>>>> = {
  copy: new Set(FATES.map(([fate]) => fate)),
  complete_upload: new Set(FATES.map(([fate]) => fate)),
  remove: new Set(FATES.map(([fate]) => fate).filter((fate) => fate !== "corrupted")),
  // Nobody waits for an upload that is begun late: it is one that nobody has heard of, as if it had been begun at once.
  begin_upload: new Set<WriteFate>(["answered", "unanswered_carried_out"]),
};

/** The request that a worker which dies in its S3 write leaves behind. */
const pendingWrite = (state: State, attempt: Attempt): LateRequest | undefined => {
  if (attempt.at === "complete_upload") {
    const { expectation, upload } = attempt;
    return {
      kind: "complete",
      u: upload.id,
      onto: expectation.expect === "nothing" ? undefined : (expectation.etag.slice(1, -1) as Content),
    };
  }
  // A part that lands late is the same part, or its upload is gone: it can make no difference.
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

/** Whether this attempt alone knows of an upload: it was begun and not written down. */
const isUnrecorded = (attempt: Attempt): attempt is AttemptAt<"record_upload" | "abort_upload"> =>
  (attempt.at === "record_upload" || attempt.at === "abort_upload") && attempt.held.upload?.id !== attempt.upload.id;

/** Nobody will ever hear of an upload but the sweep. */
const unheardOf = (state: State, u: string): State => ({
  ...state,
  uploads: state.uploads.map((upload) => (upload.u === u ? { ...upload, unheard: true } : upload)),
});

const deaths = (state: State, index: number, slot: WorkerSlot, attempt: RunningAttempt): readonly Action[] => {
  const name = `worker ${index + 1}`;
  const died = (): State => {
    const gone = returned(withWorker(spend(state, "crashes"), index, IDLE), slot.message);
    return isUnrecorded(attempt) ? unheardOf(gone, attempt.upload.id) : gone;
  };
  const actions = [change(`${name} dies before: ${attempt.at}`, true, died)];
  const left = pendingWrite(state, attempt);
  if (left !== undefined) {
    actions.push(
      change(`${name} dies during: ${attempt.at}, its request on the way`, true, () => ({
        ...died(),
        late: [...state.late, left],
      })),
    );
  }
  return actions;
};

const work = (rules: Rules, state: State, index: number): readonly Action[] => {
  const slot = state.workers[index];
  if (slot?.attempt === undefined || slot.attempt.at === "ended") return [];
  const { attempt } = slot;
  const fates = FATES_OF[attempt.at] ?? ANSWERED;
  const actions: Action[] = [];
  for (const [fate, cost] of FATES) {
    if (!fates.has(fate) || (cost !== undefined && state.budget[cost] === 0)) continue;
    actions.push({
      label: `worker ${index + 1}: ${attempt.at}${fate === "answered" ? "" : ` (${fate.replaceAll("_", " ")})`}`,
      optional: fate !== "answered",
      run: () => takeStep(rules, cost === undefined ? state : spend(state, cost), index, slot, attempt, fate),
    });
  }
  return state.budget.crashes === 0 ? actions : [...actions, ...deaths(state, index, slot, attempt)];
};

export const attempts = (rules: Rules, state: State): readonly Action[] => [
  ...starts(rules, state),
  ...state.workers.flatMap((_, index) => work(rules, state, index)),
];
