import type { ManifestLine } from "../../geo/destroy-manifest.ts";
import type { DestroyingSite } from "../../ports/destroy.ts";

/** What became of one object that was to come back. `left`: the key shows, or hides, something newer, or the version is gone. */
export type Restored = "restored" | "left" | "failed";

/**
 * What is to be said of a key that a destroy has hidden, before it is brought back. `hidden`: it still hides behind this
 * destroy's own marker. Whoever has deleted the key again meant it, and what was put there since stays.
 *
 * @param isResumed somebody may have brought it back already, and died before he said so
 */
export const lookAtHidden = async (
  { bucket }: DestroyingSite,
  line: ManifestLine,
  marker: string,
  isResumed: boolean,
): Promise<Restored | "hidden"> => {
  const seen = await bucket.head(line.key);
  if (seen.outcome === "failed") return "failed";
  if (seen.outcome === "present") {
    // The copy of a multipart object has another ETag, and the same size.
    const isCopy = seen.facts.etag === line.etag || seen.facts.size === line.size;
    return isResumed && isCopy ? "restored" : "left";
  }
  return seen.deleteMarkerVersionId === marker ? "hidden" : "left";
};
