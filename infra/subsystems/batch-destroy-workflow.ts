import { retryAfterAnyError, type WorkflowDefinition } from "../constructs/geo-workflow.ts";

/**
 * The workflow of a batch destroy, in Amazon States Language with JSONPath. As data, so that what is validated and run in
 * tests is what is deployed. One machine does all three things that are done with a destroy (`$.work`): it plans it, hides
 * what was planned, and brings it back.
 */

/** Groups of slices that are worked on at the same time: 8,000 objects under way, and 128 requests to S3 at the most. */
const GROUPS_IN_FLIGHT = 8;

/** Seconds an execution may take: ten million objects are listed, hidden and waited for within a day or so. */
const EXECUTION_TIMEOUT_SECONDS = 3 * 24 * 60 * 60;

/** Every error: what a step has done before is found again by the next, and nothing is done twice. */
const RETRY = retryAfterAnyError({ firstWaitSeconds: 2, longestWaitSeconds: 60, repetitions: 6 });

const CATCH = [{ ErrorEquals: ["States.ALL"], ResultPath: "$.failure", Next: "NoteFailure" }] as const;

/** @param destroyFunction ARN of the function, which does one step in each call (`shared/geo/destroy-step.ts`) */
export const batchDestroyWorkflow = (destroyFunction: string): WorkflowDefinition => {
  const task = (step: string, parameters: Readonly<Record<string, unknown>>) => ({
    Type: "Task",
    Resource: destroyFunction,
    Parameters: { step, "destroy_id.$": "$.destroy_id", ...parameters },
    Retry: RETRY,
  });
  return {
    Comment: "Plans a batch destroy, hides what was planned, or brings it back",
    StartAt: "WhatIsAsked",
    TimeoutSeconds: EXECUTION_TIMEOUT_SECONDS,
    States: {
      WhatIsAsked: {
        Type: "Choice",
        Choices: [{ Variable: "$.work", StringEquals: "plan", Next: "BuildManifest" }],
        Default: "HandOutSlices",
      },
      BuildManifest: { ...task("build_manifest", {}), ResultPath: "$.built", Catch: CATCH, Next: "IsAllListed" },
      IsAllListed: {
        Type: "Choice",
        Choices: [{ Variable: "$.built.more", BooleanEquals: true, Next: "BuildManifest" }],
        Default: "Done",
      },
      HandOutSlices: {
        ...task("hand_out_slices", { "work.$": "$.work" }),
        ResultPath: "$.handed_out",
        Catch: CATCH,
        Next: "WorkOnSlices",
      },
      WorkOnSlices: {
        Type: "Map",
        ItemsPath: "$.handed_out.groups",
        MaxConcurrency: GROUPS_IN_FLIGHT,
        ItemSelector: { "destroy_id.$": "$.destroy_id", "work.$": "$.work", "group.$": "$$.Map.Item.Value" },
        ItemProcessor: {
          ProcessorConfig: { Mode: "INLINE" },
          StartAt: "WorkOnGroup",
          States: {
            WorkOnGroup: {
              ...task("work_on_group", { "work.$": "$.work", "group.$": "$.group" }),
              ResultPath: "$.group",
              // One group that can not be done does not keep the others from being done; `Conclude` finds what is left.
              Catch: [{ ErrorEquals: ["States.ALL"], ResultPath: "$.failure", Next: "GroupFailed" }],
              Next: "IsGroupDone",
            },
            IsGroupDone: {
              Type: "Choice",
              Choices: [
                { Variable: "$.group.wait_seconds", NumericGreaterThan: 0, Next: "WaitForOthers" },
                { Variable: "$.group.more", BooleanEquals: true, Next: "WorkOnGroup" },
              ],
              Default: "GroupDone",
            },
            // An undo waits for whoever may still be hiding.
            WaitForOthers: { Type: "Wait", SecondsPath: "$.group.wait_seconds", Next: "WorkOnGroup" },
            GroupDone: { Type: "Pass", Result: { failed: false }, End: true },
            GroupFailed: { Type: "Pass", Result: { failed: true }, End: true },
          },
        },
        ResultPath: "$.worked",
        Catch: CATCH,
        Next: "Conclude",
      },
      Conclude: {
        ...task("conclude", { "work.$": "$.work", "run.$": "$.run" }),
        ResultPath: "$.concluded",
        Catch: CATCH,
        Next: "IsThereABarrier",
      },
      IsThereABarrier: {
        Type: "Choice",
        Choices: [{ Variable: "$.work", StringEquals: "destroy", Next: "LookAtSecondaries" }],
        Default: "Done",
      },
      LookAtSecondaries: {
        ...task("look_at_secondaries", { "run.$": "$.run", "looks.$": "$.looks" }),
        ResultPath: "$.seen",
        Catch: CATCH,
        Next: "HaveSecondariesFollowed",
      },
      HaveSecondariesFollowed: {
        Type: "Choice",
        Choices: [{ Variable: "$.seen.done", BooleanEquals: true, Next: "Done" }],
        Default: "WaitForSecondaries",
      },
      WaitForSecondaries: { Type: "Wait", SecondsPath: "$.seen.wait_seconds", Next: "LookAgain" },
      LookAgain: {
        Type: "Pass",
        Parameters: {
          "destroy_id.$": "$.destroy_id",
          "work.$": "$.work",
          "run.$": "$.run",
          "looks.$": "$.seen.looks",
        },
        Next: "LookAtSecondaries",
      },
      NoteFailure: {
        ...task("note_failure", { "work.$": "$.work", "run.$": "$.run", "failure.$": "$.failure" }),
        ResultPath: "$.noted",
        // Then it stands as one that is under way and is not: to be confirmed, or undone, again; a dry run to be cancelled.
        Catch: [{ ErrorEquals: ["States.ALL"], ResultPath: "$.failure", Next: "Failed" }],
        Next: "Failed",
      },
      Done: { Type: "Succeed" },
      Failed: {
        Type: "Fail",
        Error: "DestroyFailed",
        Cause: "A step failed several times in a row; its log says why. Confirm (or undo) the destroy again to go on.",
      },
    },
  };
};
