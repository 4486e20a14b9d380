import * as z from "zod/mini";

/** What Step Functions says of an error: its name, and as its cause what the function threw, as JSON. */
export const StepFailure = z.object({ Error: z.optional(z.string()), Cause: z.optional(z.string()) });
export type StepFailure = z.infer<typeof StepFailure>;

const Thrown = z.object({ errorMessage: z.string() });

/** What a function said when it threw: the message inside of the cause, or the cause as it is. */
const messageIn = (cause: string): string => {
  try {
    return Thrown.parse(JSON.parse(cause)).errorMessage;
  } catch {
    return cause;
  }
};

/** Why a step failed, in words; empty when there was no failure. */
export const failureReason = (failure: StepFailure | undefined): string => {
  const words = [failure?.Error, failure?.Cause === undefined ? undefined : messageIn(failure.Cause)];
  return words.filter((word) => word !== undefined && word !== "").join(": ");
};
