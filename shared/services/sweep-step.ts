import { type CountAnswer, type DrainStep, parseSweepRequest, scheduledMinute } from "../geo/sweep-steps.ts";
import type { Workflow } from "../ports/workflows.ts";
import { countDue, drainRound, leaveTheRest } from "./drain-due.ts";
import { reverify, type Reverifying } from "./re-verify.ts";
import { type Ticked, type Ticking, sweepTick } from "./sweep-tick.ts";

/** What the retry-sweep function has. */
export interface SweepingSite extends Ticking {
  readonly workflow: Workflow;
  /** At the primary, which alone has a timer (F30). */
  readonly reverifying?: Reverifying;
}

/**
 * Does what the schedule or a state of the workflow asks for. At the primary, when a tick leaves nothing that is due, what
 * was verified too long ago has its turn: nothing waits behind it.
 *
 * @throws TypeError with what was expected and what came, on an event that is no step
 */
export const sweepStep = async (
  site: SweepingSite,
  event: unknown,
): Promise<Ticked | CountAnswer | DrainStep | { readonly successor: string | undefined }> => {
  const request = parseSweepRequest(event);
  switch (request.action) {
    case "tick": {
      const ticked = await sweepTick(site, scheduledMinute(request.scheduled_at, site.clock.now()));
      if (!ticked.more && site.reverifying !== undefined) await reverify(site.reverifying);
      return ticked;
    }
    case "count":
      return countDue(site, request.input);
    case "drain":
      return drainRound(site, request);
    case "leave_the_rest":
      return leaveTheRest(site, request.left);
  }
};
