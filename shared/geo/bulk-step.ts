import * as z from "zod/mini";
import { BULK_ID } from "./bulk-request.ts";
import { GeoError } from "./errors.ts";
import { failureReason, StepFailure } from "./step-failure.ts";

/**
 * What the workflow of bulk updates has its function do.
 * - `slice`: go on with the request until the time is up
 * - `go_on`: this execution has made its rounds; have another one go on
 * - `note_failure`: the function failed several times in a row; write down why
 */
export const BULK_STEPS = ["slice", "go_on", "note_failure"] as const;

const Step = z.object({
  step: z.enum(BULK_STEPS),
  bulk_id: z.string().check(z.regex(BULK_ID)),
  execution: z.number(),
  failure: z.optional(StepFailure),
});

export interface BulkStep {
  readonly step: (typeof BULK_STEPS)[number];
  readonly id: string;
  readonly execution: number;
  /** Why it failed; empty when there was no failure. */
  readonly reason: string;
}

/** Reads a step from the input of the machine's task. Throws `GEO_WORKFLOW_REQUEST` on one that is none. */
export const readBulkStep = (input: unknown): BulkStep => {
  const parsed = z.safeParse(Step, input);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; ");
    throw new GeoError("GEO_WORKFLOW_REQUEST", `this is no step of a bulk update: ${problems}`);
  }
  const { step, bulk_id: id, execution, failure } = parsed.data;
  return { step, id, execution, reason: failureReason(failure) };
};
