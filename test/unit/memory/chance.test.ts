import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SeededChance } from "../../../shared/memory/chance.ts";
import { compareUtf8 } from "../../../shared/geo/utf8-order.ts";

const draw = (seed: number) => {
  const chance = new SeededChance(seed);
  return [chance.token(), chance.random(), chance.token()];
};

describe("seeded chance", () => {
  it("repeats itself for the same seed, and not for another", () => {
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
  });

  it("goes on from a saved state", () => {
    const chance = new SeededChance(3);
    const state = chance.state();
    const expected = [chance.token(), chance.random()];
    const other = new SeededChance(99);
    other.restore(state);
    expect([other.token(), other.random()]).toEqual(expected);
  });

  it("gives UUIDs that do not repeat, and numbers from 0 up to 1", () => {
    const chance = new SeededChance(5);
    const tokens = Array.from({ length: 10_000 }, () => chance.token());
    expect(new Set(tokens).size).toBe(10_000);
    expect(
      tokens.every((token) => /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/.test(token)),
    ).toBe(true);
    const numbers = Array.from({ length: 10_000 }, () => chance.random());
    expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...numbers)).toBeLessThan(1);
    expect(numbers.reduce((sum, n) => sum + n, 0) / 10_000).toBeCloseTo(0.5, 1);
  });
});

describe("the order of UTF-8", () => {
  it("is the order of the encoded bytes", () => {
    const text = fc.string({ unit: "binary", maxLength: 4 });
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(Math.sign(compareUtf8(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      }),
    );
  });
});
