import type { Checksum, ChecksumScheme } from "../../geo/checksum.ts";
import type { ChecksumRules } from "../../geo/checksum-policy.ts";
import {
  beginSavable,
  drain,
  isSavable,
  type SavableDigest,
  type SavableScheme,
  startDigest,
  takeUpSavable,
} from "../../geo/digest.ts";
import { GeoError } from "../../geo/errors.ts";
import { READ_TRIES_MAX } from "../../geo/limits.ts";
import { type ReadPin, readProgressOf, writeProgress } from "../../geo/read-progress.ts";
import type { ReadableBucket } from "../../ports/object-store.ts";

/**
 * Digests one version of an object, whatever its size. A connection that breaks is taken up where it broke. Large objects
 * are read in ranges, several at a time where the scheme allows that; how far an attempt came can be written down, and the
 * next one goes on from there. Small ones, nearly all, are one GET and the platform's own digest.
 */

/** A version that is to be digested. */
export interface Digesting {
  readonly bucket: Pick<ReadableBucket, "read" | "headVersion">;
  readonly key: string;
  readonly pin: ReadPin;
  /** How many bytes it should have. Only how it is read depends on that. */
  readonly size: number;
  readonly scheme: ChecksumScheme;
  readonly rules: Pick<ChecksumRules, "limits" | "lane">;
  /** Asked after each chunk: whether to give up. */
  readonly isOver: () => boolean;
  /** What the row says of an earlier attempt (`writeProgress`). Of another version or scheme, it is not used. */
  readonly progress: string | undefined;
}

/** Why a version was not digested to its end. */
export interface Unread {
  readonly outcome: "unread";
  readonly detail: string;
  /** To be written into the row: where the next attempt goes on. Only of large objects. */
  readonly progress: string | undefined;
  /** The time was up, and this attempt came further than the one before: it is no failure. */
  readonly paused: boolean;
}

export type DigestOutcome =
  | { readonly outcome: "digested"; readonly checksum: Checksum; readonly size: number }
  | { readonly outcome: "gone" }
  | Unread;

/** How reading a stretch of bytes ended. */
type Through =
  | { readonly through: "end"; readonly at: number }
  | { readonly through: "gone" }
  | { readonly through: "stopped"; readonly detail: string; readonly timeIsUp: boolean };

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const isOutOfTime = (error: unknown): boolean => error instanceof GeoError && error.code === "GEO_OUT_OF_TIME";

/**
 * Hands the bytes from `start` to `end` over, in order and once each.
 * @param end exclusive; undefined: to the end of the version
 */
const readStretch = async (
  { bucket, key, pin, isOver }: Digesting,
  start: number,
  end: number | undefined,
  take: (chunk: Uint8Array) => void,
): Promise<Through> => {
  let at = start;
  let until = end;
  for (let tries = 1; until === undefined || at < until; tries += 1) {
    const range = until === undefined ? undefined : { start: at, endInclusive: until - 1 };
    const read = await bucket.read(key, pin.versionId, range);
    if (read.outcome === "gone") return { through: "gone" };
    if (read.outcome === "failed") return { through: "stopped", detail: read.failure.detail, timeIsUp: false };
    until ??= read.size;
    const takeNext = (chunk: Uint8Array): void => {
      take(chunk);
      at += chunk.byteLength;
    };
    let broken: string | undefined;
    try {
      await drain(read.body, takeNext, isOver);
    } catch (error) {
      if (isOutOfTime(error)) return { through: "stopped", detail: messageOf(error), timeIsUp: true };
      broken = messageOf(error);
    }
    // An error behind the last byte is S3's word that the bytes are not what it sent: there is nothing to go on from.
    if (at >= until && broken === undefined) break;
    if (at >= until || tries === READ_TRIES_MAX) {
      const detail = broken ?? `the body ended after ${at - start} of ${until - start} bytes`;
      return { through: "stopped", detail, timeIsUp: false };
    }
  }
  return { through: "end", at };
};

const digestWhole = async (digesting: Digesting): Promise<DigestOutcome> => {
  const { scheme, rules } = digesting;
  const running = startDigest(scheme, rules.limits.treeChunkBytes);
  const read = await readStretch(digesting, 0, undefined, (chunk) => running.update(chunk));
  switch (read.through) {
    case "end":
      return { outcome: "digested", checksum: `${scheme}:${await running.hex()}`, size: read.at };
    case "gone":
      return { outcome: "gone" };
    case "stopped":
      return { outcome: "unread", detail: read.detail, progress: undefined, paused: false };
  }
};

/** A large version that is being digested: what is in `digest` are its first `offset` bytes. */
interface Savable {
  readonly scheme: SavableScheme;
  readonly digest: SavableDigest;
  readonly size: number;
  offset: number;
}

/** Reads what is left of a version in order, into a digest over its bytes. */
const readOn = async (digesting: Digesting, savable: Savable): Promise<Through> =>
  readStretch(digesting, savable.offset, savable.size, (chunk) => {
    savable.digest.add(chunk, chunk.byteLength);
    savable.offset += chunk.byteLength;
  });

/** How large the pieces of a scheme are, and how each is digested. */
const piecesOf = (scheme: SavableScheme, { limits }: Digesting["rules"]) =>
  scheme === "crc64nvme"
    ? ({ bytes: limits.rangeBytes, scheme } as const)
    : ({ bytes: limits.treeChunkBytes, scheme: "sha256" } as const);

/**
 * Reads what is left of a version in pieces, and puts their digests together in their order. What was read behind a piece
 * that could not be read is lost: what is saved is always the beginning.
 */
const readPieces = async (digesting: Digesting, savable: Savable, atOnce: number): Promise<Through> => {
  const pieces = piecesOf(savable.scheme, digesting.rules);
  const digested = new Map<number, Buffer>();
  let next = savable.offset;
  let stopped: Through | undefined;
  const putTogether = (): void => {
    for (let piece = digested.get(savable.offset); piece !== undefined; piece = digested.get(savable.offset)) {
      const bytes = Math.min(pieces.bytes, savable.size - savable.offset);
      digested.delete(savable.offset);
      savable.digest.add(piece, bytes);
      savable.offset += bytes;
    }
  };
  const readNext = async (): Promise<void> => {
    while (stopped === undefined && next < savable.size) {
      const start = next;
      next = Math.min(start + pieces.bytes, savable.size);
      const running = startDigest(pieces.scheme);
      const read = await readStretch(digesting, start, next, (chunk) => running.update(chunk));
      if (read.through !== "end") {
        stopped ??= read;
        return;
      }
      digested.set(start, Buffer.from(await running.hex(), "hex"));
      putTogether();
    }
  };
  await Promise.all(Array.from({ length: atOnce }, readNext));
  return stopped ?? { through: "end", at: savable.size };
};

/** What an earlier attempt has left of this version, if it is of use. */
const takeUp = async (digesting: Digesting, scheme: SavableScheme, size: number): Promise<Savable | undefined> => {
  const saved = readProgressOf(digesting.progress, digesting.pin, scheme);
  if (saved === undefined || saved.offset > size) return undefined;
  // Pieces of another size: only where the limits have been changed since.
  if (scheme === "sha256-tree-64m" && saved.offset % digesting.rules.limits.treeChunkBytes !== 0) return undefined;
  const digest = await takeUpSavable(scheme, saved.state);
  return digest === undefined ? undefined : { scheme, digest, size, offset: saved.offset };
};

const digestLarge = async (digesting: Digesting, scheme: SavableScheme): Promise<DigestOutcome> => {
  const { bucket, key, pin } = digesting;
  // The ranges are cut by what the version has, and not by what it should have: one that lacks its end is to be digested too.
  const head = await bucket.headVersion(key, pin.versionId);
  if (head.outcome === "gone") return { outcome: "gone" };
  if (head.outcome === "failed") {
    return { outcome: "unread", detail: head.failure.detail, progress: digesting.progress, paused: false };
  }
  const { size } = head.facts;
  const begun = async (): Promise<Savable> => ({ scheme, digest: await beginSavable(scheme), size, offset: 0 });
  const savable = (await takeUp(digesting, scheme, size)) ?? (await begun());
  const takenUpAt = savable.offset;
  const read = scheme === "sha256" ? await readOn(digesting, savable) : await inLane(digesting, savable);
  switch (read.through) {
    case "end":
      return { outcome: "digested", checksum: `${scheme}:${savable.digest.hex()}`, size };
    case "gone":
      return { outcome: "gone" };
    case "stopped": {
      const { offset, digest } = savable;
      const progress = offset === 0 ? undefined : writeProgress(pin, { scheme, offset, state: digest.save() });
      const paused = read.timeIsUp && offset > takenUpAt;
      return { outcome: "unread", detail: `${read.detail}; ${offset} of ${size} are saved`, progress, paused };
    }
  }
};

/** Several ranges at a time, unless another large object is being read that way: then one after the other. */
const inLane = async (digesting: Digesting, savable: Savable): Promise<Through> => {
  const { lane, limits } = digesting.rules;
  const leave = lane.enter();
  try {
    return await readPieces(digesting, savable, leave === undefined ? 1 : limits.rangesInFlight);
  } finally {
    leave?.();
  }
};

/** Digests the version, or says why not and how far it came. Rejects as the bucket's methods do. */
export const digestVersion = (digesting: Digesting): Promise<DigestOutcome> => {
  const { scheme, size, rules } = digesting;
  const largeFrom = scheme === "sha256" ? rules.limits.resumableFromBytes : rules.limits.parallelFromBytes;
  return isSavable(scheme) && size >= largeFrom ? digestLarge(digesting, scheme) : digestWhole(digesting);
};
