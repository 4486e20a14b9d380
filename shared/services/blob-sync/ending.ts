import { recordFailure } from "../../geo/failure-policy.ts";
import type { GeoMessage } from "../../geo/geo-message.ts";
import { encodeKey } from "../../geo/key-codec.ts";
import {
  PASSES_PER_ATTEMPT_MAX,
  PRIMARY_CHECKSUM_LOOK_SECONDS,
  SOON_MS,
  leaseMs,
  quarantineMs,
} from "../../geo/limits.ts";
import { COUNT_METRICS } from "../../geo/metrics.ts";
import { uploadOf } from "../../geo/open-upload.ts";
import { parseRegistryRow } from "../../geo/registry-row.ts";
import type { SecondarySite } from "../../ports/site.ts";
import type { Item, WriteOutcome } from "../../ports/table.ts";
import { firstRev } from "../../tables/write-columns.ts";
import { fail, failMismatched } from "../../tables/registry/fail.ts";
import { type PassOutcome, leavePending, nextPass, release } from "../../tables/registry/move-on.ts";
import { purge } from "../../tables/registry/purge.ts";
import { type HeldAttempt, type SourcePin, commitAbsent, commitSynced } from "../../tables/registry/settle.ts";
import { taint } from "../../tables/registry/taint.ts";
import { type Attempt, type AttemptAt, type Held, type Step, type SyncResult, type Written, ended } from "./attempt.ts";
import { abortFirst, vouched, withoutUpload } from "./observing.ts";

const heldAttempt = (site: SecondarySite, held: Held): HeldAttempt => ({
  ref: held.ref,
  token: held.token,
  claimedGen: held.claimedGen,
  now: site.clock.now(),
  taintUntil: held.row.taint_until,
  ownTaintUntil: held.ownTaintUntil,
  uploadOver: held.uploadOver,
  provenVersion: held.row.unproven === true ? undefined : held.row.src_version_id,
});

const sourcePin = (site: SecondarySite, held: Held, { source }: Written): SourcePin => ({
  versionId: source.versionId,
  etag: source.etag,
  size: source.size,
  lastModified: source.lastModified,
  checksum: vouched(site, held, source),
});

const passOutcome = (written: Written, source: SourcePin): PassOutcome => ({
  source,
  replica: written.replica,
  namedBefore: written.how === "unchanged",
});

/** The row is not ours any more. If we wrote to S3, somebody has to be told (R12); if not, there is nothing to tell. */
export const lostLease = (held: Held): AttemptAt<"taint" | "ended"> =>
  held.wrote ? { at: "taint", ref: held.ref } : ended(held.ref, { result: "lost_lease" });

/** T5 was refused: because the key was touched (T5b), or because the row is not ours (T5c). */
const refusedCommit = (
  site: SecondarySite,
  held: Held,
  item: Item | undefined,
  outcome: PassOutcome | undefined,
): Attempt => {
  const row = item === undefined ? undefined : parseRegistryRow(item);
  if (row?.attempt_token !== held.token) return lostLease(held);
  const timeLeft = site.clock.now() < held.stopAt;
  return held.passes < PASSES_PER_ATTEMPT_MAX && timeLeft
    ? { at: "next_pass", held, outcome }
    : { at: "leave_pending", held, outcome };
};

export const commitSyncedStep: Step<SecondarySite, "commit_synced"> = async (site, attempt) => {
  const { held, written, verdict } = attempt;
  // A settled row names no upload, and one that no row names is found late.
  if (held.upload !== undefined) return abortFirst(held, held.upload, { ...attempt, held: withoutUpload(held) });
  const pin = sourcePin(site, held, written);
  const commit = await site.registry.update(commitSynced(heldAttempt(site, held), pin, written.replica, verdict));
  if (commit.outcome === "refused") return refusedCommit(site, held, commit.item, passOutcome(written, pin));
  const result: SyncResult = {
    result: "synced",
    how: written.how,
    verification: verdict.verdict,
    size: pin.size,
    sourceLastModified: pin.lastModified,
  };
  switch (verdict.verdict) {
    case "verified":
    case "still_verified":
    case "switched_off":
      return ended(held.ref, result);
    case "to_verify":
      return { at: "request_verification", ref: held.ref, result, delaySeconds: 0 };
    // The primary's announcement may have come and gone before this commit, while there was nothing to verify yet.
    case "awaiting_primary":
      return { at: "request_verification", ref: held.ref, result, delaySeconds: PRIMARY_CHECKSUM_LOOK_SECONDS };
  }
};

export const commitAbsentStep: Step<SecondarySite, "commit_absent"> = async (site, attempt) => {
  const { held, how } = attempt;
  if (held.upload !== undefined) return abortFirst(held, held.upload, { ...attempt, held: withoutUpload(held) });
  const commit = await site.registry.update(commitAbsent(heldAttempt(site, held)));
  if (commit.outcome === "refused") return refusedCommit(site, held, commit.item, undefined);
  const row = parseRegistryRow(commit.item);
  const result: SyncResult = { result: "absent", how };
  return row.taint_until === undefined ? { at: "purge", ref: held.ref, gen: row.gen, result } : ended(held.ref, result);
};

/** A refusal means that the row has come to life again, which somebody else has seen: nothing is left to do here. */
export const purgeStep: Step<SecondarySite, "purge"> = async (site, { ref, gen, result }) => {
  await site.registry.delete(purge(ref, gen));
  return ended(ref, result);
};

export const commitMismatchedStep: Step<SecondarySite, "commit_mismatched"> = async (
  site,
  { held, written, mismatch },
) => {
  const pin = sourcePin(site, held, written);
  const commit = await site.registry.update(failMismatched(heldAttempt(site, held), pin, written.replica, mismatch));
  if (commit.outcome === "refused") return refusedCommit(site, held, commit.item, passOutcome(written, pin));
  return ended(held.ref, {
    result: "failed",
    kind: "checksum_mismatch",
    text: mismatch.text,
    retryAt: mismatch.retryAt,
    blocked: false,
  });
};

export const nextPassStep: Step<SecondarySite, "next_pass"> = async (site, { held, outcome }) => {
  const leaseUntil = site.clock.now() + leaseMs(site.functionTimeoutMs, site.syncTimeoutMs);
  const moved = await site.registry.update(nextPass(heldAttempt(site, held), outcome, leaseUntil));
  if (moved.outcome === "refused") return lostLease(held);
  const row = parseRegistryRow(moved.item);
  return {
    at: "observe_source",
    held: {
      ...held,
      row,
      claimedGen: row.claimed_gen,
      upload: uploadOf(row),
      uploadOver: false,
      passes: held.passes + 1,
      looks: 0,
    },
  };
};

export const leavePendingStep: Step<SecondarySite, "leave_pending"> = async (site, { held, outcome }) =>
  afterLettingGo(held, await site.registry.update(leavePending(heldAttempt(site, held), outcome)), {
    result: "left_pending",
  });

/** Out of time before anything was written in this pass: what the row says about the replica still stands. */
export const releaseStep: Step<SecondarySite, "release"> = async (site, { held, later }) => {
  const written = await site.registry.update(release(heldAttempt(site, held), later?.dueAt));
  const result = later?.result ?? { result: "left_pending" };
  // A hint that joined us was acknowledged on our word: it must not wait until somebody comes to see after the others.
  const isHinted = written.outcome === "written" && parseRegistryRow(written.item).gen > held.claimedGen;
  return later !== undefined && isHinted
    ? { at: "reschedule", ref: held.ref, row: parseRegistryRow(written.item), dueAt: site.clock.now(), result }
    : afterLettingGo(held, written, result);
};

const afterLettingGo = (held: Held, written: WriteOutcome, result: SyncResult): Attempt =>
  written.outcome === "refused" ? lostLease(held) : ended(held.ref, result);

export const failStep: Step<SecondarySite, "fail"> = async (site, { held, kind, detail }) => {
  const attempt = heldAttempt(site, held);
  const failure = recordFailure(kind, detail, held.row.retry_count, attempt.now, () => site.chance.random());
  const missingOnPrimary = kind === "missing_on_primary";
  // Without its type: one alarm watches the site, and the log names the object.
  if (missingOnPrimary) site.telemetry.count(COUNT_METRICS.missingOnPrimary, 1);
  const written = await site.registry.update(fail(attempt, { ...failure, missingOnPrimary }));
  const result: SyncResult = {
    result: "failed",
    kind,
    text: failure.text,
    retryAt: failure.retryAt,
    blocked: failure.blockedReason !== undefined,
  };
  if (written.outcome === "refused") return lostLease(held);
  const row = parseRegistryRow(written.item);
  // A hint that joined us was acknowledged on our word. It must not wait for our retry, which may be hours away.
  return row.gen > held.claimedGen
    ? { at: "reschedule", ref: held.ref, row, dueAt: attempt.now, result }
    : ended(held.ref, result);
};

export const taintStep: Step<SecondarySite, "taint"> = async (site, { ref }) => {
  const now = site.clock.now();
  site.telemetry.count(COUNT_METRICS.taintedRow, 1, ref.replicableName);
  await site.registry.update(
    taint(
      ref,
      now,
      now + quarantineMs(site.functionTimeoutMs),
      now + SOON_MS,
      firstRev(() => site.chance.random()),
    ),
  );
  return ended(ref, { result: "lost_lease" });
};

/** Asks the verification function to read the replica. Should the message get lost, the row is due anyway. */
export const requestVerificationStep: Step<SecondarySite, "request_verification"> = async (
  site,
  { ref, result, delaySeconds },
) => {
  const message: GeoMessage = {
    version: 1,
    kind: "due",
    replicable_name: ref.replicableName,
    keys: [encodeKey(ref.key)],
  };
  await site.verificationQueue.send([{ body: JSON.stringify(message), group: ref.replicableName, delaySeconds }]);
  return ended(ref, result);
};
