/**
 * The workflow that drains a type's due rows when they are more than the sweep of a minute sends, in Amazon States
 * Language with JSONPath. What travels from state to state is described in `shared/geo/sweep-steps.ts`.
 */
import { DRAIN_ROUNDS_MAX } from "../../shared/geo/sweep-steps.ts";
import { retryAfterAnyError, type WorkflowDefinition } from "../constructs/geo-workflow.ts";

/** Seconds an execution may take. A sweep changes nothing, so it may end anywhere; the next minute's starts another. */
const EXECUTION_TIMEOUT_SECONDS = 15 * 60;

/** Partitions of a type that are drained side by side in a storm: half of them, so that the table's index is not throttled. */
const PARTITIONS_AT_ONCE = 8;

/** Every error: what a step did not do is found again, and what it did twice is looked at twice. */
const RETRY = retryAfterAnyError({ firstWaitSeconds: 2, longestWaitSeconds: 30, repetitions: 4 });
const CATCH = [{ ErrorEquals: ["States.ALL"], ResultPath: "$", Next: "Failed" }];

/** There is more, and this execution may go on. */
const moreAt = (path: string) => [
  { Variable: `${path}.more`, BooleanEquals: true },
  { Variable: `${path}.round`, NumericLessThan: DRAIN_ROUNDS_MAX },
];

/**
 * Counts what is due of one type; drains it round by round, or in a storm its partitions side by side; and leaves what is
 * more than one execution drains to a successor.
 *
 * @param sweepFunction ARN of the retry-sweep function
 */
export const retrySweepWorkflow = (sweepFunction: string): WorkflowDefinition => ({
  Comment: "Sends what is due of one type back to the queues, until nothing more is due",
  StartAt: "CountDue",
  TimeoutSeconds: EXECUTION_TIMEOUT_SECONDS,
  States: {
    CountDue: {
      Type: "Task",
      Resource: sweepFunction,
      Parameters: { action: "count", "input.$": "$" },
      Retry: RETRY,
      Catch: CATCH,
      Next: "HowMuch",
    },
    HowMuch: {
      Type: "Choice",
      Choices: [
        { Variable: "$.amount", StringEquals: "nothing", Next: "Done" },
        { Variable: "$.amount", StringEquals: "some", Next: "Drain" },
        { Variable: "$.amount", StringEquals: "storm", Next: "DrainPartitions" },
      ],
      Default: "Refused",
    },
    Drain: {
      Type: "Task",
      Resource: sweepFunction,
      InputPath: "$.drain",
      ResultPath: "$.drain",
      Retry: RETRY,
      Catch: CATCH,
      Next: "IsThereMore",
    },
    IsThereMore: {
      Type: "Choice",
      Choices: [
        { And: moreAt("$.drain"), Next: "Drain" },
        { Variable: "$.drain.more", BooleanEquals: true, Next: "LeaveTheRest" },
      ],
      Default: "Done",
    },
    DrainPartitions: {
      Type: "Map",
      ItemsPath: "$.partitions",
      MaxConcurrency: PARTITIONS_AT_ONCE,
      ItemProcessor: {
        ProcessorConfig: { Mode: "INLINE" },
        StartAt: "DrainPartition",
        States: {
          DrainPartition: { Type: "Task", Resource: sweepFunction, Retry: RETRY, Next: "IsMoreInPartition" },
          IsMoreInPartition: {
            Type: "Choice",
            Choices: [{ And: moreAt("$"), Next: "DrainPartition" }],
            Default: "PartitionDone",
          },
          PartitionDone: { Type: "Succeed" },
        },
      },
      ResultPath: "$.partitions",
      Catch: CATCH,
      Next: "LeaveTheRest",
    },
    LeaveTheRest: {
      Type: "Task",
      Resource: sweepFunction,
      Parameters: { action: "leave_the_rest", "left.$": "$" },
      ResultPath: "$.rest",
      Retry: RETRY,
      Catch: CATCH,
      Next: "Done",
    },
    Done: { Type: "Succeed" },
    Refused: {
      Type: "Fail",
      Error: "InputRefused",
      Cause: "The execution was started with an input that can not be used; what CountDue answered says why.",
    },
    Failed: {
      Type: "Fail",
      Error: "SweepFailed",
      Cause: "A step failed several times in a row; the function's log says why. The next minute starts another.",
    },
  },
});
