import type { Item } from "../../shared/ports/table.ts";
import type { Notes } from "./knowledge.ts";
import type { Stage } from "./site.ts";
import type { State } from "./state.ts";

/** The parts of the world that a step may have asked. `other`: it asked something else, made a name, or wrote to S3. */
export const ASKED = { nothing: 0, row: 1, source: 2, replica: 4, other: 8 } as const;

interface Outcome<To> {
  readonly next: To;
  /** The row as the step left it. */
  readonly row: Item | undefined;
  readonly notes: Notes;
}

interface Known<To> {
  readonly asked: number;
  /** By the part of the world that was asked. */
  readonly outcomes: Map<unknown, Outcome<To>>;
}

const partOf = (state: State, asked: number): unknown => {
  switch (asked) {
    case ASKED.row:
      return state.row;
    case ASKED.source:
      return state.source;
    case ASKED.replica:
      return state.replica;
    default:
      return undefined;
  }
};

const isOnePart = (asked: number): boolean =>
  asked === ASKED.nothing || asked === ASKED.row || asked === ASKED.source || asked === ASKED.replica;

/**
 * What came of steps. A step is a function of the value that it is given and of what it asks the world, which is one
 * thing at most; the same value stands in many states that differ in other things. So a step that asked one part of the
 * world is taken once for each value of that part, and remembered for the other states.
 */
export class StepMemory<From extends object, To> {
  readonly #known = new WeakMap<From, Known<To>>();
  readonly #same: (next: To) => To;

  /** @param same makes what is equal the same */
  constructor(same: (next: To) => To) {
    this.#same = same;
  }

  /** Takes the step on the stage, or does what it did before. Leaves the state that follows, and the notes, on the stage. */
  async take(stage: Stage, state: State, from: From, step: (from: From) => Promise<To>): Promise<To> {
    const known = this.#known.get(from);
    const outcome = known?.outcomes.get(partOf(state, known.asked));
    if (known !== undefined && outcome !== undefined) {
      stage.state = known.asked === ASKED.row && outcome.row !== state.row ? { ...state, row: outcome.row } : state;
      stage.notes = outcome.notes;
      return outcome.next;
    }
    stage.state = state;
    stage.notes = {};
    stage.asked = ASKED.nothing;
    const next = this.#same(await step(from));
    const { asked } = stage;
    if (!isOnePart(asked) || (known !== undefined && known.asked !== asked)) return next;
    const remembered: Known<To> = known ?? { asked, outcomes: new Map() };
    if (known === undefined) this.#known.set(from, remembered);
    remembered.outcomes.set(partOf(state, asked), { next, row: stage.state.row, notes: stage.notes });
    return next;
  }
}
