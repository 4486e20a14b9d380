import { actionsIn } from "./actions.ts";
import { attempts, fingerprint, verifications } from "./canonical.ts";
import { Edges } from "./edges.ts";
import { findViolation, isQuiet } from "./oracle.ts";
import type { Rules } from "./rules.ts";
import { explorationSite, type Stage, type Surroundings, type Tampering } from "./site.ts";
import { type Budget, initialState, type State } from "./state.ts";
import { StepMemory } from "./step-memory.ts";
import { Visited } from "./visited.ts";

/** What is explored: how many workers, what may go wrong how often, and which defences are taken away. */
export interface Scenario {
  readonly name: string;
  readonly workers: 1 | 2;
  /** Default 1. */
  readonly verifiers?: 1 | 2;
  readonly budget: Partial<Budget>;
  /** `read_back`: replicas are verified in the pass that copies them; `function`: by the verifier, later. */
  readonly verification: "read_back" | "function";
  /** S3 reports what happens in the replica's bucket. Default: all of its events are lost. */
  readonly drift?: boolean;
  /** The primary's record says what its bucket holds at once, or only after an action of its own. Default `prompt`. */
  readonly record?: Surroundings["record"];
  /** The removal guard lets one removal an hour through, of any key. Default: it lets all through. */
  readonly guarded?: boolean;
  /** Which objects have two bytes, and so are copied in two parts. Default: none. */
  readonly inParts?: Surroundings["inParts"];
  readonly tampering?: Tampering;
  readonly hastyQuarantine?: boolean;
  /** Of what need not happen, only what is called so does: for a loss that is far away. Default: all of it may happen. */
  readonly mayHappen?: RegExp;
  /** Stops after this many states; then the space was not exhausted. */
  readonly statesMax?: number;
}

export interface Exploration {
  /** Different states that were visited. */
  readonly states: number;
  readonly exhausted: boolean;
  /** How many states were quiet, where convergence was checked: zero would mean that nothing was shown. */
  readonly quiet: number;
  readonly violation?: { readonly rule: string; readonly trace: readonly string[] };
}

const NO_FAULTS: Budget = {
  changes: 2,
  crashes: 0,
  duplicates: 0,
  losses: 0,
  zombies: 0,
  unanswered: 0,
  corruptions: 0,
  persons: 0,
  driftLosses: 0,
  otherRemovals: 0,
  resyncs: 0,
  epochs: 0,
};

/**
 * Visits every state that a scenario can reach, nearest first, so that the first violation has a shortest trace. Steps
 * are the production's own; a state is visited once, however it is reached.
 */
export const explore = async (scenario: Scenario, onProgress?: (states: number) => void): Promise<Exploration> => {
  const start = initialState(scenario.workers, scenario.verifiers ?? 1, { ...NO_FAULTS, ...scenario.budget });
  const stage: Stage = { state: start, fate: "answered", step: "", seenFirst: undefined, notes: {}, asked: 0 };
  const tampering = scenario.tampering ?? {};
  const surroundings: Surroundings = {
    fusedVerificationBytesMax: scenario.verification === "read_back" ? 2 : 0,
    inParts: scenario.inParts ?? "none",
    drift: scenario.drift ?? false,
    record: scenario.record ?? "prompt",
    guarded: scenario.guarded ?? false,
  };
  const rules: Rules = {
    stage,
    site: explorationSite(stage, surroundings, tampering),
    memory: {
      attempts: new StepMemory((attempt) => attempts.same(attempt)),
      verifications: new StepMemory((verification) => verifications.same(verification)),
      drifts: new StepMemory((drift) => drift),
    },
    surroundings,
    tampering,
    hastyQuarantine: scenario.hastyQuarantine ?? false,
  };
  const statesMax = scenario.statesMax ?? Number.POSITIVE_INFINITY;
  const visited = new Visited();
  visited.findOrAdd(fingerprint(start), 0);
  const parents: number[] = [-1];
  const labels: string[] = ["start"];
  const edges = new Edges();
  const quietIds: number[] = isQuiet(surroundings, start) ? [0] : [];
  let frontier: { readonly id: number; readonly state: State }[] = [{ id: 0, state: start }];

  const traceTo = (id: number): readonly string[] => {
    const trace: string[] = [];
    for (let at = id; at > 0; at = parents[at] ?? -1) trace.push(labels[at] ?? "?");
    return trace.toReversed();
  };

  const result = (exhausted: boolean, rule?: string, id = 0): Exploration => ({
    states: parents.length,
    exhausted,
    quiet: quietIds.length,
    ...(rule === undefined ? {} : { violation: { rule, trace: traceTo(id) } }),
  });

  while (frontier.length > 0) {
    const next: { readonly id: number; readonly state: State }[] = [];
    for (const { id, state } of frontier) {
      for (const action of actionsIn(rules, state)) {
        if (action.optional && scenario.mayHappen?.test(action.label) === false) continue;
        const reached = await action.run();
        const known = visited.findOrAdd(fingerprint(reached), parents.length);
        const reachedId = known ?? parents.length;
        if (!action.optional) edges.add(id, reachedId);
        if (known !== undefined) continue;
        parents.push(id);
        labels.push(action.label);
        if (isQuiet(surroundings, reached)) quietIds.push(reachedId);
        const rule = findViolation(surroundings, reached);
        if (rule !== undefined) return result(false, rule, reachedId);
        if (parents.length >= statesMax) return result(false);
        next.push({ id: reachedId, state: reached });
        if (parents.length % 10_000 === 0) onProgress?.(parents.length);
      }
    }
    frontier = next;
  }
  // The whole graph is known: wherever the world stands, it comes to rest if nothing more goes wrong. A loop without a way
  // out, such as a copy that is trusted, found wrong and trusted again, is found here and nowhere else.
  const restless = edges.firstThatCanNotReach(quietIds, parents.length);
  return restless === undefined ? result(true) : result(true, "L3: from here the world never comes to rest", restless);
};
