import { putOnPrimary, uniqueKey, verified } from "../integration/support/objects.ts";
import { STRONG } from "./changes.ts";

/** Half, nearly all and all of some lags, milliseconds; by nearest rank. */
export interface Lags {
  readonly objects: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** How long a replica may take, milliseconds: a local cloud hands one batch over at a time. */
const VERIFIED_WITHIN_MS = 120_000;

/**
 * Puts one object after the other, each when the one before is verified, and measures from put to verified.
 *
 * @param goesOn asked before each of them
 */
export const liveLags = async (goesOn: (soFar: number) => boolean): Promise<Lags> => {
  const lags: number[] = [];
  while (goesOn(lags.length)) {
    const key = uniqueKey();
    await putOnPrimary(key, key, STRONG);
    const putAt = Date.now();
    const row = await verified(key, 0, VERIFIED_WITHIN_MS);
    lags.push(Math.max(0, (row?.verified_at ?? Number.NaN) - putAt));
  }
  lags.sort((left, right) => left - right);
  const at = (share: number): number => lags[Math.max(0, Math.ceil(share * lags.length) - 1)] ?? Number.NaN;
  return { objects: lags.length, p50: at(0.5), p99: at(0.99), max: at(1) };
};
