import pMap from "p-map";
import { StoreUnavailableError } from "../../geo/errors.ts";
import { batchesOf, type CopyPartsStep, LARGE_COPY_WAIT_SECONDS, type LargeCopyStep } from "../../geo/large-copy.ts";
import { writeBudgetMs } from "../../geo/limits.ts";
import { missingParts, planWith, rangeOf } from "../../geo/part-plan.ts";
import type { Replicable } from "../../geo/replicable.ts";
import { mayWrite } from "../../geo/site-standing.ts";
import type { PartOutcome } from "../../ports/object-store.ts";
import type { SecondarySite } from "../../ports/site.ts";
import type { SyncResult } from "../blob-sync/attempt.ts";
import { syncBlob } from "../blob-sync/blob-sync.ts";
import { SyncReporter } from "../report-transitions.ts";
import { sweepUploads } from "../sweep-uploads.ts";

/** What the machine goes by. */
export type LargeCopyAnswer =
  /** Batches to copy, each a step of its own; then advance again. */
  | { readonly status: "copy"; readonly batches: readonly CopyPartsStep[] }
  /** Somebody else has the row, or it was taken from us: advance again after a while. */
  | { readonly status: "wait"; readonly wait_seconds: number }
  /**
   * Nothing more is to be done by this execution. `switched_off`: its type is, and what is switched off copies nothing;
   * `paused`: the site is. The row is due, and whoever comes back to it starts another one.
   */
  | { readonly status: "ended"; readonly result: SyncResult["result"] | "switched_off" | "paused" }
  /** A batch: how many of its parts were copied now. Whether all are there, S3 is asked by the next advance. */
  | { readonly status: "copied"; readonly parts: number }
  | { readonly status: "swept"; readonly seen: number; readonly aborted: number };

const answerTo = (result: SyncResult): LargeCopyAnswer => {
  switch (result.result) {
    case "parts_wanted":
      return { status: "copy", batches: batchesOf(result.wanted) };
    case "joined":
    case "left_pending":
    case "lost_lease":
    case "nothing_due":
      return { status: "wait", wait_seconds: LARGE_COPY_WAIT_SECONDS };
    case "absent":
    case "failed":
    case "handed_over":
    case "rechecked":
    case "synced":
    case "verification_due":
      return { status: "ended", result: result.result };
  }
};

/**
 * Copies those parts of a batch that the upload does not hold. A batch that is done twice copies nothing twice, but what was
 * under way when its first worker died.
 *
 * @throws StoreUnavailableError when a part can not be had now: the batch is tried again
 */
const copyBatch = async (site: SecondarySite, step: CopyPartsStep, stopAt: number): Promise<LargeCopyAnswer> => {
  const { key, upload_id: uploadId, version_id: sourceVersionId, etag: sourceEtag } = step;
  const plan = planWith(step.size, step.part_bytes);
  const listed = await site.replica.listParts(key, uploadId);
  if (listed.outcome === "upload_gone") return { status: "copied", parts: 0 };
  if (listed.outcome === "failed") throw new StoreUnavailableError(`the parts of an upload: ${listed.failure.detail}`);
  const missing = new Set(missingParts(plan, listed.parts));
  // The site may have become something else since the batch was handed out (R27), and its type have been switched off: then
  // nothing is copied, and the next advance ends the execution.
  if (!mayWrite(await site.standing.read(), step.epoch)) return { status: "copied", parts: 0 };
  if (!(await site.switches.of(step.replicable_name)).replication) return { status: "copied", parts: 0 };
  let copied = 0;
  let obstacle: Exclude<PartOutcome, { outcome: "copied" }> | undefined;
  const copy = async (number: number): Promise<void> => {
    if (obstacle !== undefined || site.clock.now() + writeBudgetMs(plan.partBytes, site.functionTimeoutMs) > stopAt)
      return;
    // Asked again before each: those behind the first ones begin minutes later (F98).
    if (!mayWrite(await site.standing.read(), step.epoch)) return;
    const part = { key, uploadId, sourceVersionId, sourceEtag, number, range: rangeOf(plan, number) };
    const outcome = await site.replica.copyPart(part);
    if (outcome.outcome === "copied") copied += 1;
    else obstacle ??= outcome;
  };
  const concurrency = site.copies.limits.partsInFlight;
  await pMap(
    step.numbers.filter((number) => missing.has(number)),
    copy,
    { concurrency },
  );
  if (obstacle?.outcome === "failed") throw new StoreUnavailableError(`a part: ${obstacle.failure.detail}`);
  // A source or an upload that is gone is for whoever advances, who has the row.
  return { status: "copied", parts: copied };
};

/**
 * Takes one step of a large copy. Each is short and safe to take twice, late and at the same time as any other.
 * @param stopAt when to begin nothing more, milliseconds since the epoch
 * @throws StoreUnavailableError, TableUnavailableError when somebody does not answer: the step is to be taken again
 */
export const takeLargeCopyStep = async (
  site: SecondarySite,
  replicables: readonly Replicable[],
  step: LargeCopyStep,
  stopAt: number,
): Promise<LargeCopyAnswer> => {
  switch (step.step) {
    case "advance": {
      const { role, epoch, paused } = await site.standing.read();
      if (role !== "secondary") return { status: "ended", result: "handed_over" };
      if (paused) return { status: "ended", result: "paused" };
      if (!(await site.switches.of(step.replicable_name)).replication) {
        return { status: "ended", result: "switched_off" };
      }
      const ref = { replicableName: step.replicable_name, key: step.key };
      // It copies nothing into parts itself, and starts no other workflow.
      const { largeCopies: _, ...rest } = site;
      const by: SecondarySite = { ...rest, handsOutPartsOf: step.version_id };
      const reporter = new SyncReporter(site, ref, step.version_id);
      const result = await syncBlob(by, { ref, cause: "due", stopAt, epoch }, reporter.claimed);
      reporter.ended(result);
      return answerTo(result);
    }
    case "copy_parts":
      return copyBatch(site, step, stopAt);
    case "sweep_uploads": {
      // Tomorrow's sweep finds what this one leaves.
      if ((await site.standing.read()).paused) return { status: "swept", seen: 0, aborted: 0 };
      const { seen, aborted } = await sweepUploads({ ...site, replicables, stopAt });
      return { status: "swept", seen, aborted };
    }
  }
};
