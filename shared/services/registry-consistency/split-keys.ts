import type { ReadableBucket } from "../../ports/object-store.ts";
import type { KeyRange } from "./list-both-sides.ts";

/** How deep below the prefix keys are told apart by their characters. Ids of a few digits are told apart by then. */
const DEPTH_MAX = 4;

/** No key goes on beyond this behind a given beginning: the last code point there is. */
const LAST = "\u{10FFFF}";

/** The first character of a key behind a prefix; a character may take two units. */
const characterBehind = (key: string, prefix: string): string =>
  String.fromCodePoint(key.codePointAt(prefix.length) ?? 0);

/**
 * Small listings that may be made for each range that is wanted: half a percent of those that it takes to list a range of
 * two million keys.
 */
const PROBES_PER_WAY = 10;

interface Budget {
  probes: number;
}

/**
 * The longer prefixes that keys with this prefix go on with, by one character: one small listing for each. Undefined when
 * the budget does not suffice: a few of them would cut the first keys finely and the others not at all.
 */
const longerPrefixes = async (
  bucket: Pick<ReadableBucket, "list">,
  prefix: string,
  most: number,
  budget: Budget,
): Promise<readonly string[] | undefined> => {
  const found: string[] = [];
  let after = prefix;
  while (found.length < most) {
    if (budget.probes <= 0) return undefined;
    budget.probes -= 1;
    const [next] = (await bucket.list({ prefix, after, limit: 1 })).objects;
    if (next === undefined) return found;
    const longer = prefix + characterBehind(next.key, prefix);
    found.push(longer);
    after = longer + LAST;
  }
  return found;
};

/** Ranges from behind one boundary up to the next; the first begins before every key, and the last has no end. */
const between = (prefix: string, boundaries: readonly string[]): readonly KeyRange[] => {
  const starts = [undefined, ...boundaries.slice(1)];
  return starts.map((after, index) => ({ prefix, after, until: starts[index + 1] }));
};

/**
 * Cuts the keys behind a prefix into ranges that can be walked side by side: by the characters that they go on with, as
 * deep as it takes to have about as many as wanted. Few keys are one range. However keys come and go, the ranges cover
 * every key once: each goes from behind one boundary up to the next.
 *
 * @param ways how many ranges are wanted; with 1 or fewer nothing is listed
 */
export const splitKeys = async (
  bucket: Pick<ReadableBucket, "list">,
  prefix: string,
  ways: number,
): Promise<readonly KeyRange[]> => {
  const budget: Budget = { probes: ways * PROBES_PER_WAY };
  let boundaries: readonly string[] = [];
  const isOne = ways <= 1 || (await bucket.list({ prefix })).next === undefined;
  let deepest: readonly string[] = isOne ? [] : [prefix];
  for (let depth = 0; depth < DEPTH_MAX && deepest.length > 0 && deepest.length < ways; depth += 1) {
    const longer: string[] = [];
    for (const shorter of deepest) {
      const some = await longerPrefixes(bucket, shorter, ways, budget);
      if (some === undefined) return between(prefix, boundaries);
      longer.push(...some);
    }
    deepest = longer;
    // Evenly chosen where there are more than wanted: dropping the last ones would leave one range with all that is behind.
    boundaries = Array.from({ length: Math.min(ways, longer.length) }, (_, way) => {
      return longer[Math.floor((way * longer.length) / Math.min(ways, longer.length))] ?? prefix;
    });
  }
  return between(prefix, boundaries);
};
