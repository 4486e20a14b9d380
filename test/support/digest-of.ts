import type { ChecksumScheme } from "../../shared/geo/checksum.ts";
import { type Digested, drain, startDigest } from "../../shared/geo/digest.ts";

/** Digests a body from its beginning to its end. */
export const digestOf = async (
  scheme: ChecksumScheme,
  body: AsyncIterable<Uint8Array>,
  treeChunkBytes?: number,
): Promise<Digested> => {
  const running = startDigest(scheme, treeChunkBytes);
  let size = 0;
  const take = (chunk: Uint8Array): void => {
    running.update(chunk);
    size += chunk.byteLength;
  };
  await drain(body, take, () => false);
  return { checksum: `${scheme}:${await running.hex()}`, size };
};
