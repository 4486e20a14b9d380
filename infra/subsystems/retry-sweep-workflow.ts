/**
 * The workflow of a sweep, in Amazon States Language with JSONPath. As data, so that what is validated and run in tests
 * is what is deployed.
 */

/** How often one execution sweeps before it leaves the rest to the next; bounds its history and its cost. */
export const ROUNDS_PER_EXECUTION_MAX = 50;

/** Seconds an execution may take. A sweep changes nothing, so it may overlap with the next without harm. */
const EXECUTION_TIMEOUT_SECONDS = 15 * 60;

/** What starts an execution. */
export const FIRST_INPUT = { round: 1 } as const;

/**
 * Sweep, and while there is more, sweep again.
 *
 * @param sweepFunction ARN of the function, which answers `{ swept, more, cursor }` and is handed the last answer.
 */
export const retrySweepWorkflow = (sweepFunction: string) => ({
  Comment: "Sends what is due back to the queues, until nothing more is due",
  StartAt: "Sweep",
  TimeoutSeconds: EXECUTION_TIMEOUT_SECONDS,
  States: {
    Sweep: {
      Type: "Task",
      Resource: sweepFunction,
      ResultPath: "$.sweep",
      // Every error: what a sweep could not send is found again by the next.
      Retry: [
        {
          ErrorEquals: ["States.ALL"],
          IntervalSeconds: 2,
          MaxAttempts: 4,
          BackoffRate: 2,
          MaxDelaySeconds: 30,
          JitterStrategy: "FULL",
        },
      ],
      Catch: [{ ErrorEquals: ["States.ALL"], ResultPath: "$.failure", Next: "Failed" }],
      Next: "IsThereMore",
    },
    IsThereMore: {
      Type: "Choice",
      Choices: [
        {
          And: [
            { Variable: "$.sweep.more", BooleanEquals: true },
            { Variable: "$.round", NumericLessThan: ROUNDS_PER_EXECUTION_MAX },
          ],
          Next: "NextRound",
        },
      ],
      Default: "Done",
    },
    NextRound: {
      Type: "Pass",
      // The function goes on where it came to: rows that wait for a worker are still due, and were sent already.
      Parameters: { "round.$": "States.MathAdd($.round, 1)", "sweep.$": "$.sweep" },
      Next: "Sweep",
    },
    Done: { Type: "Succeed" },
    Failed: {
      Type: "Fail",
      Error: "SweepFailed",
      Cause: "The sweep failed several times in a row; its log says why. The next one starts by itself.",
    },
  },
});
