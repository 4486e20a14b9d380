import { createHash } from "node:crypto";
import { Crc64Nvme } from "@aws-sdk/checksums/crc";
import type { Checksum, ChecksumScheme } from "./checksum.ts";
import { GeoError } from "./errors.ts";

/** A running digest over bytes. */
interface RunningDigest {
  update(bytes: Uint8Array): void;
  hex(): string | Promise<string>;
}

const crypto = (algorithm: string): RunningDigest => {
  const hash = createHash(algorithm);
  return { update: (bytes) => void hash.update(bytes), hex: () => hash.digest("hex") };
};

// The one AWS package that the rules may use: a pure function over bytes, better kept than a table of our own would be.
const crc64nvme = (): RunningDigest => {
  const crc = new Crc64Nvme();
  return {
    update: (bytes) => crc.update(bytes),
    hex: async () => Buffer.from(await crc.digest()).toString("hex"),
  };
};

const START: Readonly<Record<ChecksumScheme, () => RunningDigest>> = {
  sha256: () => crypto("sha256"),
  sha512: () => crypto("sha512"),
  sha1: () => crypto("sha1"),
  md5: () => crypto("md5"),
  crc64nvme,
};

/** What was read: its digest and how many bytes it had. */
export interface Digested {
  readonly checksum: Checksum;
  readonly size: number;
}

/**
 * Reads `body` to its end and digests it; holds one chunk in memory. Rejects when the body does, and when the time is up:
 * a function that is ended in the middle of a read leaves a row that nobody may touch until its lease is over.
 *
 * @param isOver asked after each chunk; default never
 */
export const digest = async (
  scheme: ChecksumScheme,
  body: AsyncIterable<Uint8Array>,
  isOver: () => boolean = () => false,
): Promise<Digested> => {
  const running = START[scheme]();
  let size = 0;
  for await (const chunk of body) {
    running.update(chunk);
    size += chunk.byteLength;
    if (isOver()) throw new GeoError("GEO_OUT_OF_TIME", `time was up after ${size} bytes`);
  }
  return { checksum: `${scheme}:${await running.hex()}`, size };
};
