import type { CopyLimits } from "../../shared/geo/copy-limits.ts";

/** Objects of more than four bytes are copied in parts of four, one at a time: small objects take the paths of large ones. */
export const SMALL_PARTS: CopyLimits = {
  singleCopyBytesMax: 4,
  parts: { usualBytes: 4, leastBytes: 4, mostBytes: 8, granuleBytes: 1, partsMax: 10, objectBytesMax: 1_000 },
  partsInFlight: 1,
  partsInFlightBeside: 1,
  partsPerStep: 10,
};
