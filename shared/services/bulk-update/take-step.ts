import type { BulkStep } from "../../geo/bulk-step.ts";
import type { BulkSite } from "./bulk-site.ts";
import { goOn, noteFailure } from "./go-on.ts";
import { type SliceAnswer, workSlice } from "./work-slice.ts";

/** Only a slice has more to say than that it has ended. */
export type BulkStepAnswer = SliceAnswer;

/**
 * Does what the workflow asks for.
 * @param stopAt when a slice begins no more pages, milliseconds since the epoch
 */
export const takeBulkStep = async (
  site: BulkSite,
  { step, id, execution, reason }: BulkStep,
  stopAt: number,
): Promise<BulkStepAnswer> => {
  switch (step) {
    case "slice":
      return workSlice(site, id, execution, stopAt);
    case "go_on":
      await goOn(site, id, execution);
      return { status: "ended" };
    case "note_failure":
      await noteFailure(site, id, execution, reason);
      return { status: "ended" };
  }
};
