import { attempts } from "./attempt-actions.ts";
import { backgroundWork } from "./background-actions.ts";
import { changesOfTheWorld } from "./change-actions.ts";
import type { Action, Rules } from "./rules.ts";
import type { State } from "./state.ts";

/** All that can happen in a state. */
export const actionsIn = (rules: Rules, state: State): readonly Action[] => [
  ...changesOfTheWorld(rules, state),
  ...attempts(rules, state),
  ...backgroundWork(rules, state),
];
