import { recordTimeout } from "../../geo/failure-policy.ts";
import { SOON_MS, VERIFICATION_GRACE_MS, leaseMs, quarantineMs } from "../../geo/limits.ts";
import { COUNT_METRICS } from "../../geo/metrics.ts";
import { uploadOf } from "../../geo/open-upload.ts";
import { type RegistryRow, parseRegistryRow, rowKey } from "../../geo/registry-row.ts";
import type { SecondarySite } from "../../ports/site.ts";
import { claimSeen } from "../../tables/registry/claim-seen.ts";
import { firstRev } from "../../tables/write-columns.ts";
import { joinAttempt } from "../../tables/registry/join-attempt.ts";
import { takeOver } from "../../tables/registry/take-over.ts";
import { timeOut } from "../../tables/registry/time-out.ts";
import { type ClaimArguments, touchAndClaim } from "../../tables/registry/touch-and-claim.ts";
import { type Asked, type Attempt, type Held, type Step, type SyncResult, ended } from "./attempt.ts";

const claimArguments = (site: SecondarySite, { ref, token }: Asked): ClaimArguments => {
  const now = site.clock.now();
  return { ref, token, now, leaseUntil: now + leaseMs(site.functionTimeoutMs, site.syncTimeoutMs) };
};

const begin = (asked: Asked, row: RegistryRow): Attempt => {
  const held: Held = {
    ref: asked.ref,
    token: asked.token,
    row,
    claimedGen: row.claimed_gen,
    wrote: false,
    ownTaintUntil: undefined,
    upload: uploadOf(row),
    uploadOver: false,
    replicaListed: asked.cause === "replica_listed",
    looks: 0,
    passes: 1,
    stopAt: asked.stopAt,
    epoch: asked.epoch,
  };
  return { at: "observe_source", held };
};

/** Whether what is asked for is news: it has to be counted, or it would be forgotten. */
const isHint = ({ cause }: Asked): boolean => cause !== "due";

/** Somebody else's row: join a live attempt; of a dead one, take over for a hint, and tell of it when only the row is due. */
const contend = (site: SecondarySite, asked: Asked, row: RegistryRow): Attempt => {
  const oldToken = row.attempt_token;
  if (oldToken === undefined) return { at: "claim_seen", asked, seenGen: row.gen };
  if ((row.lease_until ?? 0) < site.clock.now()) {
    return isHint(asked) ? { at: "take_over", asked, oldToken } : { at: "time_out", asked, row, oldToken };
  }
  // A due row whose holder is alive needs nobody else; a hint has to be counted, so that the holder notices (R8).
  return isHint(asked) ? { at: "join", asked } : ended(asked.ref, { result: "nothing_due" });
};

const retry = (asked: Asked): Attempt =>
  isHint(asked) ? { at: "touch_and_claim", asked } : { at: "look_at_row", asked };

export const touchAndClaimStep: Step<SecondarySite, "touch_and_claim"> = async (site, { asked }) => {
  const revStart = firstRev(() => site.chance.random());
  const resync = asked.cause === "resync";
  const written = await site.registry.update(touchAndClaim({ ...claimArguments(site, asked), revStart, resync }));
  if (written.outcome === "written") return begin(asked, parseRegistryRow(written.item));
  if (written.item === undefined) return retry(asked);
  const row = parseRegistryRow(written.item);
  // Our own write, sent again by the SDK after its answer was lost (R14): the row is ours.
  if (row.attempt_token === asked.token) return begin(asked, row);
  return contend(site, asked, row);
};

export const joinStep: Step<SecondarySite, "join"> = async (site, { asked }) => {
  const now = site.clock.now();
  const written = await site.registry.update(joinAttempt(asked.ref, now, now + SOON_MS, asked.cause === "resync"));
  if (written.outcome === "refused") return retry(asked);
  const row = parseRegistryRow(written.item);
  // The holder left between the refused claim and our count: nobody is obliged to look but us.
  if (row.attempt_token === undefined) return { at: "claim_seen", asked, seenGen: row.gen };
  return ended(asked.ref, { result: "joined" });
};

export const takeOverStep: Step<SecondarySite, "take_over"> = async (site, { asked, oldToken }) => {
  const claim = claimArguments(site, asked);
  const taintUntil = claim.now + quarantineMs(site.functionTimeoutMs);
  const hints = isHint(asked) ? 1 : 0;
  const resync = asked.cause === "resync";
  const written = await site.registry.update(takeOver({ ...claim, oldToken, taintUntil, hints, resync }));
  // Refused, and ours all the same: sent twice, and touched by a hint since the first time (R14).
  const holder = written.item === undefined ? undefined : parseRegistryRow(written.item).attempt_token;
  if (written.item === undefined || holder !== asked.token) return retry(asked);
  site.telemetry.count(COUNT_METRICS.taintedRow, 1, asked.ref.replicableName);
  return begin(asked, parseRegistryRow(written.item));
};

/**
 * F20. The sweep found a row whose holder never came back: it becomes failed and says so, as Geo's sync timeout does, and
 * is tried again in a minute or so. Tainted like any other row that is taken from its holder (R10-R12).
 */
export const timeOutStep: Step<SecondarySite, "time_out"> = async (site, { asked, row, oldToken }) => {
  const now = site.clock.now();
  const leaseSeconds = Math.round(((row.lease_until ?? now) - (row.attempt_started_at ?? now)) / 1_000);
  const failure = recordTimeout(leaseSeconds, now, () => site.chance.random());
  const taintUntil = now + quarantineMs(site.functionTimeoutMs);
  const written = await site.registry.update(timeOut({ ref: asked.ref, oldToken, now, taintUntil, failure }));
  if (written.outcome === "refused") return retry(asked);
  site.telemetry.count(COUNT_METRICS.syncTimedOut, 1, asked.ref.replicableName);
  site.telemetry.count(COUNT_METRICS.taintedRow, 1, asked.ref.replicableName);
  const { text, retryAt } = failure;
  return ended(asked.ref, { result: "failed", kind: "sync_timeout", text, retryAt, blocked: false });
};

export const claimSeenStep: Step<SecondarySite, "claim_seen"> = async (site, { asked, seenGen }) => {
  const written = await site.registry.update(claimSeen({ ...claimArguments(site, asked), seenGen }));
  if (written.outcome === "written") return begin(asked, parseRegistryRow(written.item));
  const row = written.item === undefined ? undefined : parseRegistryRow(written.item);
  if (row?.attempt_token === asked.token) return begin(asked, row);
  // Somebody was faster. Whoever touched the row since we counted our hint is obliged to look after us; a live holder
  // has our count in its `gen`. Only a row that nobody holds needs another try.
  if (row === undefined)
    return isHint(asked) ? { at: "touch_and_claim", asked } : ended(asked.ref, { result: "nothing_due" });
  if (row.attempt_token === undefined) return { at: "claim_seen", asked, seenGen: row.gen };
  if ((row.lease_until ?? 0) < site.clock.now())
    return { at: "take_over", asked: { ...asked, cause: "due" }, oldToken: row.attempt_token };
  return ended(asked.ref, { result: "joined" });
};

/** What a due row needs now. */
export const lookAtRowStep: Step<SecondarySite, "look_at_row"> = async (site, { asked }) => {
  const item = await site.registry.get(rowKey(asked.ref));
  if (item === undefined) return ended(asked.ref, { result: "nothing_due" });
  const row = parseRegistryRow(item);
  const now = site.clock.now();
  if (row.attempt_token !== undefined) return contend(site, asked, row);
  if (row.taint_until !== undefined && row.taint_until <= now && row.gen === row.done_gen)
    return { at: "recheck", asked, row };
  const moveTo = (dueAt: number | undefined, result: SyncResult = { result: "nothing_due" }): Attempt =>
    dueAt === row.due_at ? ended(asked.ref, result) : { at: "reschedule", ref: asked.ref, row, dueAt, result };
  switch (row.state) {
    case "pending":
    case "started":
      return { at: "claim_seen", asked, seenGen: row.gen };
    case "failed":
      // A hint since the failure does not wait for the retry.
      return (row.retry_at ?? 0) <= now || row.gen > row.claimed_gen
        ? { at: "claim_seen", asked, seenGen: row.gen }
        : moveTo(row.retry_at);
    case "absent":
      if (row.gen > row.done_gen) return { at: "claim_seen", asked, seenGen: row.gen };
      return row.taint_until === undefined
        ? { at: "purge", ref: asked.ref, gen: row.gen, result: { result: "absent", how: "unchanged" } }
        : moveTo(row.taint_until);
    case "synced":
      if (row.gen > row.done_gen) return { at: "claim_seen", asked, seenGen: row.gen };
      // Nobody verifies what is switched off; a walk finds the row when it is on again (F84, F87).
      if (row.verification_state === "succeeded" || !(await site.switches.of(asked.ref.replicableName)).verification) {
        return moveTo(row.taint_until);
      }
      if ((row.due_at ?? now) > now) return ended(asked.ref, { result: "nothing_due" });
      // Handed over by message, and due again should it get lost: a backlog of verifications must not be sent anew each
      // minute.
      return moveTo(now + VERIFICATION_GRACE_MS, { result: "verification_due" });
  }
};
