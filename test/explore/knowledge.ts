import { mayWrite } from "../../shared/geo/site-standing.ts";
import type { Attempt } from "../../shared/services/blob-sync/attempt.ts";
import type { ResyncRequest, State } from "./state.ts";

/**
 * What an attempt has learnt, noted by the world at its ports and not by the code: the rules about what may be sent to S3
 * are held against this, so that code which forgot a question can not answer for itself.
 */
export interface Knowledge {
  /**
   * What the primary has said of the object's absence since the attempt last looked there. `bare`: a 404 and nothing else;
   * `witnessed`: a delete marker, or a record that does not name the object.
   */
  readonly absence: "unseen" | "bare" | "witnessed";
  /** The guard has counted a removal for this attempt that has not been sent. */
  readonly permit: boolean;
  /** The row was claimed after an operator had asked for a fresh copy. */
  readonly afterRequest: boolean;
}

export const KNOWS_NOTHING: Knowledge = { absence: "unseen", permit: false, afterRequest: false };

/** What one step asked the world, and what it was answered. */
export interface Notes {
  /** The write that was sent to S3, whatever became of it. `upload`: one that no replica shows. */
  sent?: "copy" | "remove" | "upload";
  /** An upload became the replica where it was not what the request expected, as code that states nothing would have it. */
  unseen?: boolean;
  /** A copy was made of it. */
  copied?: boolean;
  /** What the primary's bucket showed, by its own word and not by what a test may have made of it. */
  source?: "present" | "marker" | "bare";
  /** Whether the primary's record named the object when it was asked for. */
  recorded?: boolean;
  /** Whether the removal guard was open, should it have let a removal through. */
  permit?: "open" | "held_back";
}

/** Between learning that the object is gone and removing its replica. */
const ABOUT_TO_REMOVE: ReadonlySet<Attempt["at"]> = new Set([
  "ask_primary_record",
  "observe_replica",
  "ask_removal_guard",
  "remove",
]);

const CLAIMS: ReadonlySet<Attempt["at"]> = new Set(["touch_and_claim", "claim_seen", "take_over", "next_pass"]);

const absenceAfter = ({ absence }: Knowledge, { source, recorded }: Notes): Knowledge["absence"] => {
  if (source === undefined) return absence === "bare" && recorded === false ? "witnessed" : absence;
  if (source === "present") return "unseen";
  return source === "marker" ? "witnessed" : "bare";
};

/** The rule that a step broke by what it sent to S3. */
const brokenBy = (
  state: State,
  attempt: Attempt,
  knowledge: Knowledge,
  { sent, unseen }: Notes,
): string | undefined => {
  if (sent === undefined || !("held" in attempt)) return undefined;
  if (!mayWrite(state.standing, attempt.held.epoch)) return "S7: a write is sent by an attempt of another epoch";
  if (unseen === true) return "S10: an upload is completed over a replica that the attempt has not seen";
  if (sent !== "remove") return undefined;
  if (knowledge.absence === "unseen") return "S4: a removal is sent without the primary's 404";
  if (knowledge.absence === "bare")
    return "S8: a removal is sent on a bare 404 although the primary's record named the object";
  return knowledge.permit ? undefined : "S9: a removal is sent that the guard has not let through";
};

/** What a step of `attempt` led to: what is known then, whether a wanted copy was made, and the rule that it broke. */
export const learn = (
  state: State,
  attempt: Attempt,
  before: Knowledge,
  notes: Notes,
  next: Attempt,
): { readonly knowledge: Knowledge; readonly resync: ResyncRequest; readonly broken: string | undefined } => {
  const aboutToRemove = ABOUT_TO_REMOVE.has(next.at);
  const isClaim = CLAIMS.has(attempt.at) && next.at === "observe_source";
  const afterRequest = isClaim ? state.resync === "asked" : before.afterRequest;
  const fulfilled = before.afterRequest && (notes.copied === true || (notes.source ?? "present") !== "present");
  return {
    knowledge: {
      absence: aboutToRemove ? absenceAfter(before, notes) : "unseen",
      permit: next.at === "remove" && notes.permit === "open",
      afterRequest: afterRequest && !fulfilled && "held" in next,
    },
    resync: fulfilled ? "done" : state.resync,
    broken: brokenBy(state, attempt, before, notes),
  };
};
