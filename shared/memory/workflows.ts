import { GeoError } from "../geo/errors.ts";
import { EXECUTION_NAME } from "../geo/physical-names.ts";
import type { Clock } from "../ports/clock.ts";
import type { ExecutionStatus, StartOutcome, Workflow, WorkflowExecution } from "../ports/workflows.ts";
import { interfered, type Interference } from "./interference.ts";

/** As in Step Functions, bytes of UTF-8. */
const INPUT_BYTES_MAX = 256 * 1024;

/** A call to the machine, as its interference sees it. */
export type WorkflowOperation =
  | { readonly kind: "start"; readonly execution: string; readonly input: unknown }
  | { readonly kind: "describe"; readonly execution: string }
  | { readonly kind: "stop"; readonly execution: string; readonly cause: string };

export interface MemoryWorkflowOptions {
  readonly name: string;
  readonly clock: Clock;
  readonly interference?: Interference<WorkflowOperation>;
  /** Is told of every execution that begins, once whoever started it has been answered. Default: nobody is. */
  readonly onStart?: (execution: MemoryExecution) => void;
}

/** An execution with the input that it was started with, parsed from its JSON. */
export interface MemoryExecution extends WorkflowExecution {
  readonly input: unknown;
}

/** How an execution ends. */
export type Ending =
  | { readonly status: "succeeded"; readonly output: unknown }
  | { readonly status: Exclude<ExecutionStatus, "running" | "succeeded">; readonly failure: string };

/**
 * A state machine in memory: it keeps the names and says what runs. Nothing moves by itself: a test or a world hears of
 * what begins, or takes what runs, does what the machine would, and says how it ended.
 */
export class MemoryWorkflow implements Workflow {
  readonly name: string;
  readonly #clock: Clock;
  /** Replaceable at any time; undefined lets every call through. */
  interference: Interference<WorkflowOperation> | undefined;
  readonly #onStart: ((execution: MemoryExecution) => void) | undefined;
  readonly #executions = new Map<string, MemoryExecution>();

  constructor({ name, clock, interference, onStart }: MemoryWorkflowOptions) {
    this.name = name;
    this.#clock = clock;
    this.interference = interference;
    this.#onStart = onStart;
  }

  /** Every execution there has been, the first one first. */
  get executions(): readonly MemoryExecution[] {
    return [...this.#executions.values()];
  }

  async start(execution: string, input: unknown): Promise<StartOutcome> {
    const json = JSON.stringify(input);
    if (!EXECUTION_NAME.test(execution) || Buffer.byteLength(json, "utf8") > INPUT_BYTES_MAX) {
      throw new GeoError("GEO_WORKFLOW_REQUEST", `${this.name}: "${execution}" can not be started as it was asked for`);
    }
    return interfered(this.interference, { kind: "start", execution, input }, (): StartOutcome => {
      const known = this.#executions.get(execution);
      if (known !== undefined) {
        return { outcome: known.status === "running" && JSON.stringify(known.input) === json ? "started" : "existed" };
      }
      const startedAt = this.#clock.now();
      const begun = { name: execution, status: "running", startedAt, input: JSON.parse(json) } as const;
      this.#executions.set(execution, begun);
      setImmediate(() => this.#onStart?.(begun));
      return { outcome: "started" };
    });
  }

  async describe(execution: string): Promise<WorkflowExecution | undefined> {
    return interfered(this.interference, { kind: "describe", execution }, () => {
      const known = this.#executions.get(execution);
      if (known === undefined) return undefined;
      const { input: _input, ...described } = known;
      return described;
    });
  }

  async stop(execution: string, cause: string): Promise<void> {
    return interfered(this.interference, { kind: "stop", execution, cause }, () => {
      this.end(execution, { status: "aborted", failure: `Stopped: ${cause}` });
    });
  }

  /** Says how an execution ended; one that has ended already stays as it is. */
  end(execution: string, ending: Ending): void {
    const known = this.#executions.get(execution);
    if (known?.status !== "running") return;
    this.#executions.set(execution, { ...known, ...ending, endedAt: this.#clock.now() });
  }
}
