import { retryAfterAnyError, type WorkflowDefinition } from "../constructs/geo-workflow.ts";

/**
 * The workflow of one bulk update, in Amazon States Language with JSONPath. How far it has come is in the site's table and
 * not here: an execution may end anywhere, and another go on.
 */

/**
 * How many slices one execution has worked before it hands over to another one. A slice makes eleven entries in a history
 * that holds 25,000; this many take three hours of work, or a few hours of waiting for a full queue.
 */
const ROUNDS_PER_EXECUTION_MAX = 500;

/** Seconds an execution may take: all its rounds, each waiting as long as a full queue makes it, and time to spare. */
const EXECUTION_TIMEOUT_SECONDS = 24 * 60 * 60;

/** Every error: what was under way is done again, which asks some rows once more. */
const RETRY = retryAfterAnyError({ firstWaitSeconds: 2, longestWaitSeconds: 60, repetitions: 6 });

/** @param bulkFunction ARN of the function, which takes the steps of `shared/geo/bulk-step.ts` */
export const bulkUpdateWorkflow = (bulkFunction: string): WorkflowDefinition => {
  const request = { "bulk_id.$": "$.bulk_id", "execution.$": "$.execution" };
  const roundsLeft = { Variable: "$.round", NumericLessThan: ROUNDS_PER_EXECUTION_MAX };
  const giveUp = [{ ErrorEquals: ["States.ALL"], ResultPath: "$.failure", Next: "NoteFailure" }];
  return {
    Comment: "Asks the rows that an operator has chosen for what is wanted of them, slice by slice",
    StartAt: "WorkSlice",
    TimeoutSeconds: EXECUTION_TIMEOUT_SECONDS,
    States: {
      WorkSlice: {
        Type: "Task",
        Resource: bulkFunction,
        Parameters: { step: "slice", ...request },
        ResultPath: "$.slice",
        Retry: RETRY,
        Catch: giveUp,
        Next: "WhatNext",
      },
      WhatNext: {
        Type: "Choice",
        Choices: [
          { Variable: "$.slice.status", StringEquals: "ended", Next: "Done" },
          { And: [{ Variable: "$.slice.status", StringEquals: "more" }, roundsLeft], Next: "NextRound" },
          { And: [{ Variable: "$.slice.status", StringEquals: "wait" }, roundsLeft], Next: "WaitForQueue" },
        ],
        Default: "HandOver",
      },
      WaitForQueue: { Type: "Wait", SecondsPath: "$.slice.wait_seconds", Next: "NextRound" },
      NextRound: {
        Type: "Pass",
        Parameters: { ...request, "round.$": "States.MathAdd($.round, 1)" },
        Next: "WorkSlice",
      },
      HandOver: {
        Type: "Task",
        Resource: bulkFunction,
        Parameters: { step: "go_on", ...request },
        ResultPath: "$.handed_over",
        Retry: RETRY,
        Catch: giveUp,
        Next: "Done",
      },
      NoteFailure: {
        Type: "Task",
        Resource: bulkFunction,
        Parameters: { step: "note_failure", ...request, "failure.$": "$.failure" },
        ResultPath: "$.noted",
        Retry: RETRY,
        // Then the request stands as one that runs and does not: whoever makes it again has it go on.
        Catch: [{ ErrorEquals: ["States.ALL"], ResultPath: "$.failure", Next: "Failed" }],
        Next: "Failed",
      },
      Done: { Type: "Succeed" },
      Failed: {
        Type: "Fail",
        Error: "BulkUpdateFailed",
        Cause: "The function failed several times in a row; its log says why. Make the request again: it goes on.",
      },
    },
  };
};
