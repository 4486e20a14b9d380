import { encodeKey } from "../geo/key-codec.ts";
import { TRANSITION_EVENTS, type TransitionEventName, type TransitionFacts } from "../geo/log-events.ts";
import { COUNT_METRICS, DURATION_METRICS } from "../geo/metrics.ts";
import type { ObjectRef } from "../geo/registry-row.ts";
import type { SiteBase } from "../ports/site.ts";
import type { SyncResult } from "./blob-sync/attempt.ts";
import type { ChecksumRequest, ChecksumResult } from "./record-checksum.ts";
import type { VerificationResult } from "./verification/verify-replica.ts";

/** What becomes of objects, told once: a line of one shape for each change of a row's state, and the metrics that count it. */

/** Whoever reports needs no more of a site. */
type ReportingSite = Pick<SiteBase, "clock" | "telemetry">;

type Details = Omit<TransitionFacts, "replicable_name" | "key" | "correlation_id">;

const tell = (
  { telemetry }: ReportingSite,
  event: TransitionEventName,
  ref: ObjectRef,
  correlationId: string,
  details: Details,
): void => {
  const { level, from, to } = TRANSITION_EVENTS[event];
  telemetry[level](event, {
    replicable_name: ref.replicableName,
    key: encodeKey(ref.key),
    from,
    to,
    correlation_id: correlationId,
    ...details,
  });
};

/** Tells of one attempt to make a replica equal to its source; made when the attempt begins. */
export class SyncReporter {
  readonly #site: ReportingSite;
  readonly #ref: ObjectRef;
  readonly #correlationId: string;
  readonly #startedAt: number;
  #isClaimed = false;

  constructor(site: ReportingSite, ref: ObjectRef, correlationId: string) {
    this.#site = site;
    this.#ref = ref;
    this.#correlationId = correlationId;
    this.#startedAt = site.clock.now();
  }

  /** The row is this attempt's now. */
  readonly claimed = (): void => {
    this.#isClaimed = true;
    this.#tell("claimed", {});
  };

  ended(result: SyncResult): void {
    const { telemetry, clock } = this.#site;
    const { replicableName } = this.#ref;
    const duration = { duration_ms: clock.now() - this.#startedAt };
    switch (result.result) {
      case "synced":
        this.#countSynced(result);
        this.#tell("synced", {
          ...duration,
          bytes: result.size,
          how: result.how,
          verification: result.verification,
        });
        return;
      case "absent":
        if (result.how === "removed") telemetry.count(COUNT_METRICS.replicaRemoved, 1, replicableName);
        // Without a claim it was a tombstone, whose end was told when it was made.
        if (this.#isClaimed) this.#tell("absent", { ...duration, how: result.how });
        return;
      case "failed": {
        const { kind, text: reason, retryAt: retry_at, blocked } = result;
        telemetry.count(
          kind === "throttled" ? COUNT_METRICS.syncThrottled : COUNT_METRICS.syncFailed,
          1,
          replicableName,
        );
        if (kind === "checksum_mismatch") countMismatch(this.#site, replicableName);
        if (blocked) telemetry.count(COUNT_METRICS.syncBlocked, 1, replicableName);
        this.#tell("sync_failed", { ...duration, kind, reason, retry_at });
        return;
      }
      case "lost_lease":
        telemetry.count(COUNT_METRICS.leaseLost, 1, replicableName);
        telemetry.warn("lost the lease of a row", {
          replicable_name: replicableName,
          key: encodeKey(this.#ref.key),
          correlation_id: this.#correlationId,
          ...duration,
        });
        return;
      case "joined":
        telemetry.count(COUNT_METRICS.claimRefused, 1, replicableName);
        return;
      case "left_pending":
        telemetry.count(COUNT_METRICS.superseded, 1, replicableName);
        this.#tell("left_pending", duration);
        return;
      case "handed_over":
      case "parts_wanted":
        this.#tell("left_to_workflow", duration);
        return;
      case "nothing_due":
      case "verification_due":
      case "rechecked":
    }
  }

  #countSynced(result: Extract<SyncResult, { result: "synced" }>): void {
    const { telemetry, clock } = this.#site;
    const { replicableName } = this.#ref;
    const now = clock.now();
    telemetry.count(COUNT_METRICS.syncSucceeded, 1, replicableName);
    telemetry.duration(DURATION_METRICS.attemptDuration, now - this.#startedAt, replicableName);
    if (result.how !== "copied") return;
    const lag = now - result.sourceLastModified;
    telemetry.count(COUNT_METRICS.bytesCopied, result.size, replicableName);
    telemetry.duration(DURATION_METRICS.replicationLag, lag, replicableName);
    if (result.verification !== "verified") return;
    telemetry.count(COUNT_METRICS.verified, 1, replicableName);
    telemetry.duration(DURATION_METRICS.verificationLag, lag, replicableName);
  }

  #tell(event: TransitionEventName, details: Details): void {
    tell(this.#site, event, this.#ref, this.#correlationId, details);
  }
}

/** By type, and for the site as a whole, which an alarm watches. */
const countMismatch = ({ telemetry }: ReportingSite, replicableName: string): void => {
  telemetry.count(COUNT_METRICS.checksumMismatch, 1, replicableName);
  telemetry.count(COUNT_METRICS.checksumMismatch, 1);
};

const countUnverified = ({ telemetry }: ReportingSite, replicableName: string): void => {
  telemetry.count(COUNT_METRICS.verificationFailed, 1, replicableName);
  telemetry.count(COUNT_METRICS.verificationFailed, 1);
};

const countUndigested = ({ telemetry }: ReportingSite, replicableName: string): void => {
  telemetry.count(COUNT_METRICS.checksumFailed, 1, replicableName);
  telemetry.count(COUNT_METRICS.checksumFailed, 1);
};

/** Tells of one reading of a replica; made when it begins. */
export class VerificationReporter {
  readonly #site: ReportingSite;
  readonly #ref: ObjectRef;
  readonly #correlationId: string;
  readonly #startedAt: number;
  #bytes: number | undefined;

  constructor(site: ReportingSite, ref: ObjectRef, correlationId: string) {
    this.#site = site;
    this.#ref = ref;
    this.#correlationId = correlationId;
    this.#startedAt = site.clock.now();
  }

  /** The row is this verification's now. */
  readonly claimed = (row: { readonly src_size?: number | undefined }): void => {
    this.#bytes = row.src_size;
    this.#tell("verification_claimed", {});
  };

  ended(result: VerificationResult): void {
    const { telemetry } = this.#site;
    const { replicableName } = this.#ref;
    switch (result.result) {
      case "verified":
        telemetry.count(COUNT_METRICS.verified, 1, replicableName);
        this.#tell("verified", { bytes: this.#bytes });
        return;
      case "mismatched":
        countMismatch(this.#site, replicableName);
        countUnverified(this.#site, replicableName);
        this.#tell("checksum_mismatch", {
          bytes: this.#bytes,
          reason: result.text,
          retry_at: result.retryAt,
        });
        return;
      case "failed":
        countUnverified(this.#site, replicableName);
        this.#tell("verification_failed", { reason: result.text, retry_at: result.retryAt });
        return;
      case "timed_out":
        telemetry.count(COUNT_METRICS.verificationTimedOut, 1, replicableName);
        this.#tell("verification_timed_out", { reason: result.text, retry_at: result.retryAt });
        return;
      case "paused":
        this.#tell("verification_paused", { reason: result.detail });
        return;
      case "looking_again":
        this.#tell("mismatch_excused", { bytes: this.#bytes, reason: result.text });
        return;
      case "awaiting_primary":
        this.#tell("awaiting_primary", {});
        return;
      case "not_due":
      case "superseded":
    }
  }

  #tell(event: TransitionEventName, details: Details): void {
    const duration_ms = this.#site.clock.now() - this.#startedAt;
    tell(this.#site, event, this.#ref, this.#correlationId, { duration_ms, ...details });
  }
}

/**
 * Tells what the primary has recorded of an object.
 * @param startedAt when it began, milliseconds since the epoch
 */
export const reportChecksum = (
  site: ReportingSite,
  { ref, correlationId }: Pick<ChecksumRequest, "ref" | "correlationId">,
  startedAt: number,
  result: ChecksumResult,
): void => {
  const { telemetry, clock } = site;
  const { replicableName } = ref;
  const told = (event: TransitionEventName, details: Details): void =>
    tell(site, event, ref, correlationId, { duration_ms: clock.now() - startedAt, ...details });
  switch (result.result) {
    case "attested":
    case "adopted":
      telemetry.count(COUNT_METRICS.checksumSucceeded, 1, replicableName);
      told("checksum_succeeded", { how: result.result });
      return;
    case "computed":
      telemetry.count(COUNT_METRICS.checksumSucceeded, 1, replicableName);
      told("checksum_succeeded", { bytes: result.size, how: result.result });
      return;
    case "failed":
      countUndigested(site, replicableName);
      told("checksum_failed", { reason: result.text, retry_at: result.retryAt });
      return;
    case "paused":
      told("checksum_paused", { reason: result.detail });
      return;
    case "differs":
      countUndigested(site, replicableName);
      // For the site as a whole: an alarm watches it.
      telemetry.count(COUNT_METRICS.primaryDiffers, 1);
      told("primary_differs", { reason: result.text, retry_at: result.retryAt });
      return;
    case "forgotten":
      told("record_forgotten", {});
      return;
    case "unchanged":
    case "left_to_others":
  }
};
