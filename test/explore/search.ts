import { actionsIn, type Rules } from "./actions.ts";
import { canonicalText, fingerprint } from "./canonical.ts";
import { findViolation, isQuiet } from "./oracle.ts";
import { explorationSite, type Stage, type Tampering } from "./site.ts";
import { type Budget, initialState, type State } from "./state.ts";

/** What is explored: how many workers, what may go wrong how often, and which defences are taken away. */
export interface Scenario {
  readonly name: string;
  readonly workers: 1 | 2;
  readonly budget: Partial<Budget>;
  /** `read_back`: replicas are verified in the pass that copies them; `function`: by the verifier, later. */
  readonly verification: "read_back" | "function";
  readonly tampering?: Tampering;
  readonly hastyQuarantine?: boolean;
  /** Stops after this many states; then the space was not exhausted. */
  readonly statesMax?: number;
}

export interface Exploration {
  readonly states: number;
  readonly exhausted: boolean;
  /** How many states were quiet, where convergence was checked: zero would mean that nothing was shown. */
  readonly quiet: number;
  readonly violation?: { readonly rule: string; readonly trace: readonly string[] };
}

const NO_FAULTS: Budget = { changes: 2, crashes: 0, duplicates: 0, losses: 0, zombies: 0, unanswered: 0, corruptions: 0 };

/**
 * Visits every state that a scenario can reach, nearest first, so that the first violation has a shortest trace. Steps
 * are the production's own; a state is visited once, however it is reached.
 */
export const explore = async (scenario: Scenario, onProgress?: (states: number) => void): Promise<Exploration> => {
  const start = initialState(scenario.workers, { ...NO_FAULTS, ...scenario.budget });
  const stage: Stage = { state: start, fate: "answered", wrote: false };
  const tampering = scenario.tampering ?? {};
  const rules: Rules = {
    stage,
    site: explorationSite(stage, tampering, scenario.verification === "read_back" ? 1 : 0),
    conditionalWrites: tampering.conditionalWrites ?? true,
    hastyQuarantine: scenario.hastyQuarantine ?? false,
  };
  const statesMax = scenario.statesMax ?? Number.POSITIVE_INFINITY;
  const seen = new Set<number>([fingerprint(canonicalText(start))]);
  const parents: number[] = [-1];
  const labels: string[] = ["start"];
  let frontier: { readonly id: number; readonly state: State }[] = [{ id: 0, state: start }];
  let quiet = 0;

  const traceTo = (id: number): readonly string[] => {
    const trace: string[] = [];
    for (let at = id; at > 0; at = parents[at] ?? -1) trace.push(labels[at] ?? "?");
    return trace.reverse();
  };

  while (frontier.length > 0) {
    const next: { readonly id: number; readonly state: State }[] = [];
    for (const { id, state } of frontier) {
      for (const action of actionsIn(rules, state)) {
        stage.fate = "answered";
        const reached = await action.run();
        const mark = fingerprint(canonicalText(reached));
        if (seen.has(mark)) continue;
        seen.add(mark);
        const reachedId = parents.length;
        parents.push(id);
        labels.push(action.label);
        if (isQuiet(reached)) quiet += 1;
        const rule = findViolation(reached);
        if (rule !== undefined) {
          return { states: seen.size, exhausted: false, quiet, violation: { rule, trace: traceTo(reachedId) } };
        }
        if (seen.size >= statesMax) return { states: seen.size, exhausted: false, quiet };
        next.push({ id: reachedId, state: reached });
        if (seen.size % 10_000 === 0) onProgress?.(seen.size);
      }
    }
    frontier = next;
  }
  return { states: seen.size, exhausted: true, quiet };
};
