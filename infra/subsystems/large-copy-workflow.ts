import { retryAfterAnyError, type WorkflowDefinition } from "../constructs/geo-workflow.ts";

/**
 * The workflow that copies one version of one of the largest objects, in Amazon States Language with JSONPath. What is done
 * is known to S3 and to the row, and not here: an execution may end anywhere, and another goes on.
 */

/** Functions that copy parts of one object at the same time, each with sixteen of them in flight. */
const FUNCTIONS_PER_OBJECT = 10;

/**
 * After so many rounds an execution ends: ten of them hand out the 10,000 parts of the largest object, and what a history of
 * 25,000 events holds is forty with all of their batches.
 */
const ROUNDS_MAX = 40;

/** Seconds an execution may take: 50 TB in a day need 600 MB a second. */
const EXECUTION_TIMEOUT_SECONDS = 3 * 24 * 60 * 60;

/** Every error: what was under way is done again, and no part that is there is copied again. */
const RETRY = retryAfterAnyError({ firstWaitSeconds: 5, longestWaitSeconds: 120, repetitions: 6 });

/** @param copyFunction ARN of the function, which takes the steps of `shared/geo/large-copy.ts` */
export const largeCopyWorkflow = (copyFunction: string): WorkflowDefinition => {
  const object = { "replicable_name.$": "$.replicable_name", "key.$": "$.key", "version_id.$": "$.version_id" };
  const roundsLeft = { Variable: "$.round", NumericLessThan: ROUNDS_MAX };
  const giveUp = [{ ErrorEquals: ["States.ALL"], ResultPath: "$.failure", Next: "Failed" }];
  return {
    Comment: "Copies a very large object in parts, many at a time",
    StartAt: "Advance",
    TimeoutSeconds: EXECUTION_TIMEOUT_SECONDS,
    States: {
      Advance: {
        Type: "Task",
        Resource: copyFunction,
        Parameters: { step: "advance", ...object },
        ResultPath: "$.advance",
        Retry: RETRY,
        Catch: giveUp,
        Next: "WhatNext",
      },
      WhatNext: {
        Type: "Choice",
        Choices: [
          { And: [{ Variable: "$.advance.status", StringEquals: "copy" }, roundsLeft], Next: "CopyParts" },
          { And: [{ Variable: "$.advance.status", StringEquals: "wait" }, roundsLeft], Next: "WaitForRow" },
        ],
        Default: "Done",
      },
      CopyParts: {
        Type: "Map",
        ItemsPath: "$.advance.batches",
        MaxConcurrency: FUNCTIONS_PER_OBJECT,
        ItemProcessor: {
          ProcessorConfig: { Mode: "INLINE" },
          StartAt: "CopyBatch",
          States: { CopyBatch: { Type: "Task", Resource: copyFunction, Retry: RETRY, End: true } },
        },
        ResultPath: "$.copied",
        Catch: giveUp,
        Next: "NextRound",
      },
      WaitForRow: { Type: "Wait", SecondsPath: "$.advance.wait_seconds", Next: "NextRound" },
      NextRound: {
        Type: "Pass",
        Parameters: { ...object, "round.$": "States.MathAdd($.round, 1)" },
        Next: "Advance",
      },
      Done: { Type: "Succeed" },
      Failed: {
        Type: "Fail",
        Error: "LargeCopyFailed",
        Cause:
          "The function failed several times in a row; its log says why. The row starts another execution, which goes on.",
      },
    },
  };
};
