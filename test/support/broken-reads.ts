import { StoreUnavailableError } from "../../shared/geo/errors.ts";
import type { ByteRange } from "../../shared/geo/byte-range.ts";
import type { ReadableBucket, ReadOutcome } from "../../shared/ports/object-store.ts";

/** What becomes of one read: after so many bytes its connection breaks, or its body ends as if that were all. */
type Fate = { readonly breaksAfter: number } | { readonly endsAfter: number } | "whole";

/** A bucket whose reads come in small chunks, are noted, and go wrong in the order of a script. */
export interface WatchedReads {
  readonly bucket: Pick<ReadableBucket, "read" | "headVersion">;
  /** The ranges that were asked for, as `start-endInclusive`; `all` without one. */
  readonly ranges: string[];
  /** How many reads have been going on at the same time, at most. */
  readonly atOnce: () => number;
}

const CHUNK_BYTES = 4;

/** @param fates one for each read, in their order; those beyond the script are whole */
export const watchedReads = (
  bucket: Pick<ReadableBucket, "read" | "headVersion">,
  fates: readonly Fate[] = [],
  onChunk: () => void = () => {},
): WatchedReads => {
  const ranges: string[] = [];
  let going = 0;
  let most = 0;
  let reads = 0;
  const handOver = async function* (body: AsyncIterable<Uint8Array>, fate: Fate): AsyncGenerator<Uint8Array> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of body) chunks.push(chunk);
    const bytes = Buffer.concat(chunks);
    const until = fate === "whole" ? bytes.length : "breaksAfter" in fate ? fate.breaksAfter : fate.endsAfter;
    try {
      for (let at = 0; at < Math.min(until, bytes.length); at += CHUNK_BYTES) {
        onChunk();
        yield await Promise.resolve(bytes.subarray(at, Math.min(at + CHUNK_BYTES, until)));
      }
      if (fate !== "whole" && "breaksAfter" in fate) throw new StoreUnavailableError("the connection broke");
    } finally {
      going -= 1;
    }
  };
  return {
    ranges,
    atOnce: () => most,
    bucket: {
      headVersion: (key, versionId) => bucket.headVersion(key, versionId),
      read: async (key: string, versionId: string, range?: ByteRange): Promise<ReadOutcome> => {
        ranges.push(range === undefined ? "all" : `${range.start}-${range.endInclusive}`);
        const fate = fates[reads] ?? "whole";
        reads += 1;
        const read = await bucket.read(key, versionId, range);
        if (read.outcome !== "reading") return read;
        going += 1;
        most = Math.max(most, going);
        return { ...read, body: handOver(read.body, fate) };
      },
    },
  };
};
