import { createHash } from "node:crypto";
import { Crc64Nvme } from "@aws-sdk/checksums/crc";
import { createSHA256 } from "hash-wasm";
import type { Checksum, ChecksumScheme } from "./checksum.ts";
import { CRC64_OF_NOTHING, combineCrc64 } from "./crc64-combine.ts";
import { GeoError } from "./errors.ts";
import { READ_LIMITS } from "./limits.ts";

/** A running digest over bytes. */
export interface RunningDigest {
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

const tree = (chunkBytes: number): RunningDigest => {
  const root = createHash("sha256");
  let chunk = createHash("sha256");
  let inChunk = 0;
  const closeChunk = (): void => {
    root.update(chunk.digest());
    chunk = createHash("sha256");
    inChunk = 0;
  };
  return {
    update: (bytes) => {
      for (let at = 0; at < bytes.byteLength;) {
        const piece = bytes.subarray(at, at + chunkBytes - inChunk);
        chunk.update(piece);
        at += piece.byteLength;
        inChunk += piece.byteLength;
        if (inChunk === chunkBytes) closeChunk();
      }
    },
    hex: () => {
      if (inChunk > 0) closeChunk();
      return root.digest("hex");
    },
  };
};

/** Begins the digest of a scheme over bytes that come in order. */
export const startDigest = (scheme: ChecksumScheme, treeChunkBytes = READ_LIMITS.treeChunkBytes): RunningDigest => {
  switch (scheme) {
    case "crc64nvme":
      return crc64nvme();
    case "sha256-tree-64m":
      return tree(treeChunkBytes);
    case "sha256":
    case "sha512":
    case "sha1":
    case "md5":
      return crypto(scheme);
  }
};

/**
 * Hands `body` over to its end, a chunk at a time. Rejects when the body does, and when the time is up: a function that is
 * ended in the middle of a read leaves a row that nobody may touch until its lease is over.
 *
 * @param isOver asked after each chunk
 * @throws GeoError GEO_OUT_OF_TIME
 */
export const drain = async (
  body: AsyncIterable<Uint8Array>,
  take: (chunk: Uint8Array) => void,
  isOver: () => boolean,
): Promise<void> => {
  let size = 0;
  for await (const chunk of body) {
    take(chunk);
    size += chunk.byteLength;
    if (isOver()) throw new GeoError("GEO_OUT_OF_TIME", `time was up after ${size} bytes`);
  }
};

/** What was read: its digest and how many bytes it had. */
export interface Digested {
  readonly checksum: Checksum;
  readonly size: number;
}

/** A digest whose state can be written down, and taken up again by another process. */
export interface SavableDigest {
  /** What comes next: the bytes themselves, or one whole piece by its own digest. */
  add(next: Uint8Array, bytes: number): void;
  /** At most 156 characters, however much was digested. Not after `hex`. */
  save(): string;
  hex(): string;
}

/** The schemes of savable digests, and what each takes. */
const SAVABLE_SCHEMES = ["sha256", "sha256-tree-64m", "crc64nvme"] as const;
export type SavableScheme = (typeof SAVABLE_SCHEMES)[number];

export const isSavable = (scheme: string): scheme is SavableScheme =>
  (SAVABLE_SCHEMES as readonly string[]).includes(scheme);

/** A state of the CRC is the CRC of what was digested: whatever follows is combined with it. */
const crcFrom = (start: string): SavableDigest => {
  let crc = start;
  return {
    add: (digest, bytes) => {
      crc = combineCrc64(crc, Buffer.from(digest).toString("hex"), bytes);
    },
    save: () => crc,
    hex: () => crc,
  };
};

/** Node's own SHA-256 can not be saved; this one can. Its state holds up to 63 of the digested bytes as they are. */
const sha256On = (hash: Awaited<ReturnType<typeof createSHA256>>): SavableDigest => ({
  add: (bytes) => void hash.update(bytes),
  save: () => Buffer.from(hash.save()).toString("base64"),
  hex: () => hash.digest("hex"),
});

/**
 * Begins a digest that can be saved. Of `sha256` it takes the bytes as they come; of `sha256-tree-64m` and `crc64nvme` the
 * digests of pieces, in order.
 */
export const beginSavable = async (scheme: SavableScheme): Promise<SavableDigest> =>
  scheme === "crc64nvme" ? crcFrom(CRC64_OF_NOTHING) : sha256On(await createSHA256());

/** Takes up what `save` returned; undefined when that can not be, as when another build of the package has written it. */
export const takeUpSavable = async (scheme: SavableScheme, saved: string): Promise<SavableDigest | undefined> => {
  if (scheme === "crc64nvme") return /^[0-9a-f]{16}$/.test(saved) ? crcFrom(saved) : undefined;
  const hash = await createSHA256();
  try {
    hash.load(Buffer.from(saved, "base64"));
  } catch {
    return undefined;
  }
  return sha256On(hash);
};
