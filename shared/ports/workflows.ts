/** How an execution of a workflow stands. All but `running` are final. */
export type ExecutionStatus = "running" | "succeeded" | "failed" | "timed_out" | "aborted";

/** One execution of a workflow, as Step Functions knows it. */
export interface WorkflowExecution {
  readonly name: string;
  readonly status: ExecutionStatus;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** Milliseconds since the epoch; absent while it runs. */
  readonly endedAt?: number;
  /** What it came to, parsed; only of one that succeeded. */
  readonly output?: unknown;
  /** Why it ended otherwise, in the words of the state that failed, or of whoever stopped it. */
  readonly failure?: string;
}

/**
 * `started`: an execution of this name and with this input runs now; perhaps it did before. `existed`: there is or was one
 * of this name, and nothing was started. Whoever has to know which of the two it is asks with `describe`.
 */
export type StartOutcome = { readonly outcome: "started" } | { readonly outcome: "existed" };

/**
 * One state machine of the Standard kind. The name of an execution is what makes a start idempotent: Step Functions starts
 * no second execution of a name for 90 days. So derive it from what is to be done once (`executionName`).
 *
 * Every call throws `WorkflowUnavailableError` when the service does not answer, or has no such machine (yet): a start may
 * have had its effect, and the same start may be asked for again.
 */
export interface Workflow {
  /** The machine's name. */
  readonly name: string;
  /**
   * @param execution 1 to 80 of `A-Z a-z 0-9 - _`; anything else throws `GEO_WORKFLOW_REQUEST`
   * @param input becomes JSON; at most 256 KiB of it, else it throws `GEO_WORKFLOW_REQUEST`
   */
  start(execution: string, input: unknown): Promise<StartOutcome>;
  /** Undefined when there is none of this name, or when it is forgotten (90 days after its end). */
  describe(execution: string): Promise<WorkflowExecution | undefined>;
  /**
   * Ends an execution between two steps; a function that it called runs to its own end. Does nothing to one that has ended
   * or never was.
   * @param cause for whoever looks at it later; at most 32,768 characters
   */
  stop(execution: string, cause: string): Promise<void>;
}
