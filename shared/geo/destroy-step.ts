import * as z from "zod/mini";
import { DESTROY_ID } from "./destroy.ts";
import { GeoError } from "./errors.ts";
import { StepFailure } from "./step-failure.ts";

const destroyId = z.string().check(z.regex(DESTROY_ID));
const work = z.enum(["destroy", "undo"]);
const number = z.number().check(z.minimum(0));
/** Which run of the machine asks: one that another has followed says nothing any more. */
const run = number;

/** One step of the workflow of batch destroys, as the machine asks the function for it. */
const DestroyStep = z.discriminatedUnion("step", [
  /** Lists on. */
  z.object({ step: z.literal("build_manifest"), destroy_id: destroyId }),
  z.object({ step: z.literal("hand_out_slices"), destroy_id: destroyId, work }),
  z.object({
    step: z.literal("work_on_group"),
    destroy_id: destroyId,
    work,
    group: z.object({ from: number, to: number }),
  }),
  z.object({ step: z.literal("conclude"), destroy_id: destroyId, work, run }),
  z.object({ step: z.literal("look_at_secondaries"), destroy_id: destroyId, run, looks: number }),
  /** Another step failed several times in a row; write down why. */
  z.object({
    step: z.literal("note_failure"),
    destroy_id: destroyId,
    work: z.enum(["plan", "destroy", "undo"]),
    run,
    failure: z.optional(StepFailure),
  }),
]);
export type DestroyStep = z.infer<typeof DestroyStep>;

/** What an execution does with the slices of a destroy. */
export type DestroyWork = z.infer<typeof work>;

/** @throws GeoError GEO_DESTROY_REFUSED for anything that the machine does not ask for */
export const parseDestroyStep = (input: unknown): DestroyStep => {
  const parsed = z.safeParse(DestroyStep, input);
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.map((issue) => issue.path.join(".") || "all of it").join(", ");
  throw new GeoError("GEO_DESTROY_REFUSED", `not a step of a batch destroy: ${fields}`);
};
