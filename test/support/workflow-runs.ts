/**
 * Runs state machines in this process, as they would be deployed: the definition comes out of a synthesized template, its
 * Lambda tasks are functions of the test, its waits take no time. One named state at a time can be made to fail.
 */
import { StateMachine } from "aws-local-stepfunctions";
import * as z from "zod";

import { asText, ofType, type SynthesizedStack } from "../infra/support/templates.ts";

const Retrier = z.object({ MaxAttempts: z.number().optional() }).loose();

/** A state, as far as this has to know it. */
interface State {
  readonly Type: string;
  readonly Retry?: readonly z.infer<typeof Retrier>[] | undefined;
  readonly ItemProcessor?: Definition | undefined;
  readonly Branches?: readonly Definition[] | undefined;
}

/** A machine's definition, or that of a map's or a branch's inner one. */
export interface Definition {
  readonly StartAt: string;
  readonly States: Readonly<Record<string, State>>;
}

const State: z.ZodType<State> = z.lazy(() =>
  z
    .object({
      Type: z.string(),
      Retry: z.array(Retrier).optional(),
      ItemProcessor: Definition.optional(),
      Branches: z.array(Definition).optional(),
    })
    .loose(),
);

const Definition: z.ZodType<Definition> = z.lazy(() =>
  z.object({ StartAt: z.string(), States: z.record(z.string(), State) }).loose(),
);

/** A machine of a synthesized installation. */
export interface Machine {
  /** Its physical name. */
  readonly name: string;
  readonly definition: Definition;
}

/** Every state machine of an installation's stacks. */
export const machinesOf = (stacks: readonly SynthesizedStack[]): readonly Machine[] =>
  stacks.flatMap(({ template }) =>
    ofType(template, "AWS::StepFunctions::StateMachine").map(({ Properties }) => ({
      name: asText(Properties["StateMachineName"]),
      definition: Definition.parse(JSON.parse(asText(Properties["DefinitionString"]))),
    })),
  );

/** The machine of that name. Throws with the names that there are. */
export const machineNamed = (stacks: readonly SynthesizedStack[], name: string): Machine => {
  const machines = machinesOf(stacks);
  const found = machines.find((machine) => machine.name === name);
  if (found === undefined) throw new Error(`no machine ${name}, only ${machines.map((one) => one.name).join(", ")}`);
  return found;
};

/** Every state of a machine by its name, those within maps and branches as well. Names have to be unique. */
export const statesOf = (definition: Definition): ReadonlyMap<string, State> => {
  const states = new Map<string, State>();
  const add = ({ States }: Definition): void => {
    for (const [name, state] of Object.entries(States)) {
      if (states.has(name)) throw new Error(`two states are called ${name}`);
      states.set(name, state);
      if (state.ItemProcessor !== undefined) add(state.ItemProcessor);
      for (const branch of state.Branches ?? []) add(branch);
    }
  };
  add(definition);
  return states;
};

/** What travels between states. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** What a test has a Lambda task do. It throws what the function would throw. */
export type TaskHandler = (input: unknown) => unknown;

export interface WorkflowRunOptions {
  /** A handler for each Task state, by the state's name. One that is missing fails the run before it begins. */
  readonly tasks: Readonly<Record<string, TaskHandler>>;
  /** The name of the execution, as the machine sees it in its context. */
  readonly executionName?: string;
  /** One state that fails instead of doing its work: always, or so many times before it works. */
  readonly failing?: { readonly state: string; readonly times?: number };
}

/** How an execution went. */
export interface WorkflowRun {
  readonly end: { readonly outcome: "succeeded"; readonly output: unknown } | FailedEnd;
  /** Names of the states in the order in which they were entered. */
  readonly visited: readonly string[];
  /** How often some state was tried again. */
  readonly retries: number;
  /**
   * What AWS charges for: one for each state that is entered, each retry, and the transition to the end.
   * https://aws.amazon.com/step-functions/pricing/
   */
  readonly transitions: number;
}

interface FailedEnd {
  readonly outcome: "failed";
  /** The error's name, `States.…` or the machine's own. */
  readonly error: string;
  readonly cause: string;
}

/** The error that an injected failure has. */
export const INJECTED = "InjectedFailure";

class InjectedFailure extends Error {
  override readonly name = INJECTED;
}

const withState = (definition: Definition, name: string, state: State): Definition => ({
  ...definition,
  States: Object.fromEntries(
    Object.entries(definition.States).map(([key, old]) => [
      key,
      key === name
        ? state
        : {
            ...old,
            ...(old.ItemProcessor && { ItemProcessor: withState(old.ItemProcessor, name, state) }),
            ...(old.Branches && { Branches: old.Branches.map((branch) => withState(branch, name, state)) }),
          },
    ]),
  ),
});

/** A task fails by what its function throws; any other state as Step Functions fails one whose data it can not use. */
const failingAt = (
  definition: Definition,
  tasks: Readonly<Record<string, TaskHandler>>,
  { state: name, times = Number.POSITIVE_INFINITY }: NonNullable<WorkflowRunOptions["failing"]>,
): { readonly definition: Definition; readonly tasks: Readonly<Record<string, TaskHandler>> } => {
  const state = statesOf(definition).get(name);
  if (state === undefined) throw new Error(`there is no state ${name} to fail`);
  if (state.Type !== "Task") {
    if (times !== Number.POSITIVE_INFINITY) throw new Error(`${name} is a ${state.Type}: it fails always, or never`);
    const broken = { Type: "Fail", Error: INJECTED, Cause: `the state ${name} was made to fail` };
    return { definition: withState(definition, name, broken), tasks };
  }
  let left = times;
  const handler: TaskHandler = (input) => {
    left -= 1;
    if (left >= 0) throw new InjectedFailure(`the task ${name} was made to fail`);
    return tasks[name]?.(input);
  };
  return { definition, tasks: { ...tasks, [name]: handler } };
};

/** What a function answers goes through JSON, and what it does not answer is null. */
const throughJson = (value: unknown): Json => z.json().parse(JSON.parse(JSON.stringify(value ?? null)));

/** Runs a machine once, to its end. */
export const runWorkflow = async (
  machine: Definition,
  input: unknown,
  options: WorkflowRunOptions,
): Promise<WorkflowRun> => {
  const { definition, tasks } =
    options.failing === undefined
      ? { definition: machine, tasks: options.tasks }
      : failingAt(machine, options.tasks, options.failing);
  const states = [...statesOf(definition)];
  const unhandled = states.filter(([name, { Type }]) => Type === "Task" && tasks[name] === undefined);
  if (unhandled.length > 0) throw new Error(`no handler for ${unhandled.map(([name]) => name).join(", ")}`);

  type Structure = ConstructorParameters<typeof StateMachine>[0];
  // The constructor checks the definition; the type is what it makes sure of. Behind a state that was made to fail others
  // can not be reached, which it would not allow.
  const local = new StateMachine(definition as unknown as Structure, {
    validationOptions: { noValidate: options.failing !== undefined },
  });
  const execution = local.run(z.json().parse(input), {
    context: { Execution: { Name: options.executionName ?? "a-test", Id: "arn:aws:states:::execution:a-test" } },
    overrides: {
      taskResourceLocalHandlers: Object.fromEntries(
        Object.entries(tasks).map(([name, handler]) => [
          name,
          async (given) => throughJson(await handler(given)) as never,
        ]),
      ),
      waitTimeOverrides: Object.fromEntries(states.map(([name]) => [name, 0])),
      retryIntervalOverrides: Object.fromEntries(states.map(([name]) => [name, 0])),
    },
  });
  const visited: string[] = [];
  let retries = 0;
  let failed: FailedEnd | undefined;
  const listening = (async () => {
    for await (const event of execution.eventLogs) {
      if (event.type === "StateEntered") visited.push(event.state.name);
      if (event.type === "StateRetried") retries += 1;
      if (event.type === "ExecutionFailed") {
        failed = { outcome: "failed", error: event.Error, cause: String(event.Cause) };
      }
      if (event.type === "ExecutionTimeout") failed = { outcome: "failed", error: "States.Timeout", cause: "" };
    }
  })();
  const settled = await execution.result.then(
    (output) => ({ outcome: "succeeded", output }) as const,
    (error: unknown) => ({ outcome: "failed", error: "Unknown", cause: String(error) }) as const,
  );
  await listening;
  const end = settled.outcome === "succeeded" ? settled : (failed ?? settled);
  return { end, visited, retries, transitions: visited.length + retries + 1 };
};

/** One way through a machine: a fresh world for each run of it, and what to start it with. */
export interface WorkflowStory<World> {
  readonly name: string;
  readonly begin: () => {
    readonly input: unknown;
    readonly tasks: Readonly<Record<string, TaskHandler>>;
    readonly world: World;
  };
}

/** What became of a run in which one state failed. */
export interface BrokenRun<World> {
  readonly state: string;
  readonly type: string;
  /** The story in which it was made to fail: the first one that comes by it. */
  readonly story: string;
  readonly run: WorkflowRun;
  readonly world: World;
}

/**
 * Fails each state of a machine in turn, once and for all, in the first story that comes by it. A state that no story
 * comes by is an error: nobody knows then what its failure does.
 */
export const failEachState = async <World>(
  machine: Definition,
  stories: readonly WorkflowStory<World>[],
): Promise<readonly BrokenRun<World>[]> => {
  const paths: { readonly story: WorkflowStory<World>; readonly visited: ReadonlySet<string> }[] = [];
  for (const story of stories) {
    const { input, tasks } = story.begin();
    paths.push({ story, visited: new Set((await runWorkflow(machine, input, { tasks })).visited) });
  }
  const broken: BrokenRun<World>[] = [];
  for (const [state, { Type: type }] of statesOf(machine)) {
    const path = paths.find(({ visited }) => visited.has(state));
    if (path === undefined) throw new Error(`no story comes by ${state}`);
    const { input, tasks, world } = path.story.begin();
    const run = await runWorkflow(machine, input, { tasks, failing: { state } });
    broken.push({ state, type, story: path.story.name, run, world });
  }
  return broken;
};
