import { createHash } from "node:crypto";
import * as z from "zod/mini";
import { GeoError } from "./errors.ts";
import type { ObjectFacts } from "./object-facts.ts";
import type { OpenUpload } from "./open-upload.ts";
import { executionName } from "./physical-names.ts";
import type { ObjectRef } from "./registry-row.ts";

/**
 * From this size on an object's parts are copied by a workflow, by several functions at a time. One function copies about a
 * gigabyte a second, and a third of its time is a hundred seconds: below this a few invocations are enough.
 */
export const LARGE_COPY_BYTES = 100_000_000_000;

/** While a workflow copies, its row comes back this rarely, to see whether it still does. */
export const LARGE_COPY_LOOK_MS = 15 * 60_000;

/** Parts that one function copies in one go: with sixteen in flight two rounds, also of the largest there are. */
export const PARTS_PER_BATCH = 32;

/** Batches that are handed out together, so that what travels between states stays far below 256 KiB. */
export const BATCHES_PER_ROUND = 32;

/** Seconds that an execution waits when somebody else has the row. */
export const LARGE_COPY_WAIT_SECONDS = 60;

const key = z.string().check(z.minLength(1));

/** Takes an object one step further: begins or goes on with its upload, hands its parts out, or completes it. */
const Advance = z.object({
  step: z.literal("advance"),
  replicable_name: z.string().check(z.minLength(1)),
  key,
  version_id: z.string().check(z.minLength(1)),
});

const CopyParts = z.object({
  step: z.literal("copy_parts"),
  replicable_name: z.string().check(z.minLength(1)),
  key,
  upload_id: z.string().check(z.minLength(1)),
  version_id: z.string().check(z.minLength(1)),
  etag: z.string().check(z.minLength(1)),
  size: z.int().check(z.positive()),
  part_bytes: z.int().check(z.positive()),
  numbers: z.array(z.int().check(z.positive())).check(z.minLength(1), z.maxLength(PARTS_PER_BATCH)),
  epoch: z.int(),
});

const SweepUploads = z.object({ step: z.literal("sweep_uploads") });

/** What the function of large copies is asked for. Keys are as S3 has them. */
const Step = z.discriminatedUnion("step", [Advance, CopyParts, SweepUploads]);

/** Copies some parts of an upload. Everything is in it: whoever does it needs neither the row nor a lease. */
export type CopyPartsStep = z.infer<typeof CopyParts>;
export type LargeCopyStep = z.infer<typeof Step>;

/** Reads a step from the input of a task. Throws `GEO_WORKFLOW_REQUEST` on one that is none. */
export const readLargeCopyStep = (input: unknown): LargeCopyStep => {
  const parsed = z.safeParse(Step, input);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; ");
  throw new GeoError("GEO_WORKFLOW_REQUEST", `this is no step of a large copy: ${problems}`);
};

/** What an execution begins with. */
export const largeCopyInput = (ref: ObjectRef, source: Pick<ObjectFacts, "versionId">) => ({
  replicable_name: ref.replicableName,
  key: ref.key,
  version_id: source.versionId,
  round: 1,
});

/**
 * The name of the execution that copies a version: the same for everybody who asks for it, so that there is one. After a
 * failure it is another one, and so it is when the same version is copied once more, since a name is used once in 90 days.
 * @param attempt how often the copy has failed in a row, and which version of the replica it is to replace: that is another
 *   one after each copy, and the same for all who ask meanwhile
 */
export const largeCopyName = (
  { replicableName, key: objectKey }: ObjectRef,
  { versionId, etag }: Pick<ObjectFacts, "versionId" | "etag">,
  { failures, replaces }: { readonly failures: number; readonly replaces: string | undefined },
): string => {
  const what = JSON.stringify([replicableName, objectKey, versionId, etag, replaces ?? null]);
  return executionName(createHash("sha256").update(what).digest("hex").slice(0, 40), failures);
};

/** Parts of an upload that are to be copied by others. */
export interface PartsWanted {
  readonly ref: ObjectRef;
  readonly upload: OpenUpload;
  /** Bytes of the source. */
  readonly size: number;
  /** Numbers of the missing parts, in their order. */
  readonly missing: readonly number[];
  readonly epoch: number;
}

/** What is handed out in one round: at most so many batches, the lowest numbers first. */
export const batchesOf = ({ ref, upload, size, missing, epoch }: PartsWanted): readonly CopyPartsStep[] => {
  const handedOut = missing.slice(0, PARTS_PER_BATCH * BATCHES_PER_ROUND);
  const batches: CopyPartsStep[] = [];
  for (let at = 0; at < handedOut.length; at += PARTS_PER_BATCH) {
    batches.push({
      step: "copy_parts",
      replicable_name: ref.replicableName,
      key: ref.key,
      upload_id: upload.id,
      version_id: upload.versionId,
      etag: upload.etag,
      size,
      part_bytes: upload.partBytes,
      numbers: handedOut.slice(at, at + PARTS_PER_BATCH),
      epoch,
    });
  }
  return batches;
};
