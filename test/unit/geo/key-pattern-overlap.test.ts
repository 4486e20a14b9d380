import * as fc from "fast-check";
import { expect, test } from "vitest";
import { matchKeyPattern, parseKeyPattern, patternsOverlap, type KeyPattern } from "../../../shared/geo/key-pattern.ts";

const overlap = (a: string, b: string): boolean => patternsOverlap(parseKeyPattern(a), parseKeyPattern(b));

test.each([
  ["a/{id}", "b/{id}", false],
  ["a/{id}", "a/{id}", true],
  ["a/{id}", "a/{id}/x", false],
  ["a/{id}", "{x}/{id}", true],
  ["a/{id}", "{id+}", true],
  ["a/{id}/{name+}", "a/b/{id+}", true],
  ["a/{id}/x", "a/{id}/{name+}", true],
  ["a/{id}/b", "a/{id}/c", false],
  ["a/{id+}", "a/b/{id}", true],
  ["a/{id+}", "a-b/{id}", false],
  ["uploads/{id}.png", "uploads/{id}.jpg", false],
  ["uploads/{id}.png", "uploads/v{id}", true],
  ["uploads/v{id}", "uploads/w{id}", false],
  ["uploads/{id}", "uploads/v{id}.png/{x+}", false],
  ["a{id}a/{x}", "a/{id}", false],
  ["{id}/a", "a{id}/{x+}", true],
  ["u/ab{id}", "u/a{id}", true],
  ["u/aba{id}", "u/ba{id}", false],
  ["u/{id}ba", "u/{id}a", true],
  ["u/{id}aba", "u/{id}ab", false],
  ["broken/{", "broken/{id}", false],
])("%s and %s: can one key match both? %s", (a, b, expected) => {
  expect(overlap(a, b)).toBe(expected);
  expect(overlap(b, a)).toBe(expected);
});

/** All texts over `letters` of 1 to `longest` characters. */
const texts = (letters: readonly string[], longest: number): string[] => {
  const byLength = [letters];
  while (byLength.length < longest)
    byLength.push((byLength.at(-1) ?? []).flatMap((text) => letters.map((letter) => text + letter)));
  return byLength.flat();
};

/** Captures long enough to hold any prefix and suffix of one letter each and something between. */
const CAPTURES = texts(["a", "b"], 3);
/** Rests long enough for what another pattern may have left: up to two such segments and a rest. */
const RESTS = [texts(["a", "b", "/"], 9), texts(["a", "b", "/"], 5), texts(["a", "b", "/"], 2)];

/** The keys of a small pattern, as many as it takes to meet any other small pattern if they can meet. */
function* keysOf(pattern: KeyPattern): Generator<string> {
  let heads = [""];
  for (const segment of pattern.segments) {
    const parts =
      segment.kind === "text" ? [segment.text] : CAPTURES.map((text) => segment.prefix + text + segment.suffix);
    heads = heads.flatMap((head) => parts.map((part) => (head === "" ? part : `${head}/${part}`)));
  }
  if (pattern.rest === undefined) yield* heads;
  else
    for (const head of heads)
      for (const rest of RESTS[pattern.segments.length] ?? []) yield head === "" ? rest : `${head}/${rest}`;
}

const letter = fc.constantFrom("", "a", "b");
const segment = fc.oneof(
  fc.constantFrom("a", "b", "ab", "aba"),
  fc.tuple(letter, letter).map(([prefix, suffix]) => `${prefix}{?}${suffix}`),
);
/** Patterns of at most two segments, a rest or none, whose first placeholder is the id. */
const smallPattern = fc
  .tuple(fc.array(segment, { maxLength: 2 }), fc.boolean())
  .map(([segments, hasRest]) => [...segments, ...(hasRest ? ["{?+}"] : [])].join("/"))
  .filter((text) => text.includes("?"))
  .map((text) => ["id", "x", "y"].reduce((filled, name) => filled.replace("?", name), text));

test("the answer is that of trying every key, for all small patterns", () => {
  fc.assert(
    fc.property(smallPattern, smallPattern, (left, right) => {
      const [a, b] = [parseKeyPattern(left), parseKeyPattern(right)];
      expect([...a.problems, ...b.problems]).toEqual([]);
      let found = false;
      for (const key of keysOf(a)) {
        found = matchKeyPattern(b, key) !== undefined;
        if (found) break;
      }
      expect(patternsOverlap(a, b)).toBe(found);
    }),
    { numRuns: 1_000 },
  );
}, 60_000);
