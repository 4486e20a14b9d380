import type { ManifestLine } from "../../geo/destroy-manifest.ts";
import { StoreUnavailableError } from "../../geo/errors.ts";
import { quoted } from "../../geo/key-codec.ts";
import type { DestroyingSite } from "../../ports/destroy.ts";
import type { StoreFailure } from "../../ports/object-store.ts";

/** What became of one object that was to come back. `left`: the key shows, or hides, something newer, or the version is gone. */
export type Restored = "restored" | "left" | "failed";

/**
 * What passes by itself is not the object's end: the step is run again, and goes on where it was. Anything else needs somebody,
 * and another undo.
 * @throws StoreUnavailableError
 */
export const orRunAgain = ({ key }: Pick<ManifestLine, "key">, { kind, detail }: StoreFailure): "failed" => {
  if (kind !== "throttled" && kind !== "unavailable") return "failed";
  throw new StoreUnavailableError(`${quoted(key)} could not be brought back yet: ${detail}`);
};

/**
 * What is to be said of a key that a destroy has hidden, before it is brought back. `hidden`: it still hides behind this
 * destroy's own marker. Whoever has deleted the key again meant it, and what was put there since stays.
 *
 * @param isResumed somebody may have brought it back already, and died before he said so
 * @throws StoreUnavailableError when S3 does not answer
 */
export const lookAtHidden = async (
  { bucket }: DestroyingSite,
  line: ManifestLine,
  marker: string,
  isResumed: boolean,
): Promise<Restored | "hidden"> => {
  const seen = await bucket.head(line.key);
  if (seen.outcome === "failed") return orRunAgain(line, seen.failure);
  if (seen.outcome === "present") {
    // The copy of an object that came in parts, or is encrypted by KMS, has another ETag, and the same size.
    const isCopy = seen.facts.etag === line.etag || seen.facts.size === line.size;
    return isResumed && isCopy ? "restored" : "left";
  }
  return seen.deleteMarkerVersionId === marker ? "hidden" : "left";
};
