import { COUNT_METRICS } from "../../geo/metrics.ts";
import { parseRegistryRow } from "../../geo/registry-row.ts";
import type { RegistryRow } from "../../geo/registry-row.ts";
import type { HeadOutcome } from "../../ports/object-store.ts";
import type { SecondarySite } from "../../ports/site.ts";
import { clearTaint, countSuspicion } from "../../tables/registry/recheck.ts";
import { rescheduleDue } from "../../tables/registry/reschedule-due.ts";
import { type Step, ended } from "./attempt.ts";

/**
 * Whether the replica is what its row says. Version ids are compared, not ETags: those may come back (R13).
 * @param recorded the row's `rep_version_id`
 */
export const asRecorded = (recorded: string | undefined, seen: Exclude<HeadOutcome, { outcome: "failed" }>): boolean =>
  seen.outcome === "absent" ? recorded === undefined : seen.facts.versionId === recorded;

/** T8. The quarantine is over: did anything of an old attempt land after all? */
export const recheckStep: Step<SecondarySite, "recheck"> = async (site, { asked, row }) => {
  const seen = await site.replica.head(asked.ref.key);
  // Not knowing is not clean: the row stays due and is asked about again.
  if (seen.outcome === "failed") return ended(asked.ref, { result: "nothing_due" });
  return asRecorded(row.rep_version_id, seen)
    ? { at: "clear_taint", asked, row }
    : { at: "count_suspicion", asked, row };
};

/** When a row that is out of quarantine is due, by what it says of its verification and of its state. */
const dueWithoutTaint = (row: RegistryRow, now: number): number | undefined => {
  if (row.state === "absent") return now;
  if (row.state === "synced" && row.verification_state === "succeeded") return undefined;
  return row.v_lease ?? row.verification_retry_at ?? now;
};

export const clearTaintStep: Step<SecondarySite, "clear_taint"> = async (site, { asked, row }) => {
  const cleared = await site.registry.update(clearTaint(asked.ref, row, dueWithoutTaint(row, site.clock.now())));
  if (cleared.outcome === "refused") return { at: "look_at_row", asked: { ...asked, cause: "due" } };
  const now = parseRegistryRow(cleared.item);
  return now.state === "absent"
    ? { at: "purge", ref: asked.ref, gen: now.gen, result: { result: "rechecked" } }
    : ended(asked.ref, { result: "rechecked" });
};

export const countSuspicionStep: Step<SecondarySite, "count_suspicion"> = async (site, { asked, row }) => {
  const counted = await site.registry.update(countSuspicion(asked.ref, row, site.clock.now()));
  // Refused: somebody has touched or taken the row, and will look at the replica itself.
  if (counted.outcome === "refused") return ended(asked.ref, { result: "nothing_due" });
  site.telemetry.count(COUNT_METRICS.recheckRepaired, 1, asked.ref.replicableName);
  return { at: "claim_seen", asked, seenGen: parseRegistryRow(counted.item).gen };
};

export const rescheduleStep: Step<SecondarySite, "reschedule"> = async (site, { ref, row, dueAt, result }) => {
  await site.registry.update(rescheduleDue(ref, row, dueAt));
  return ended(ref, result);
};
